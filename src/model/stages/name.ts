import {basename} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';
import type {Problems} from '../problems.ts';
import type {Tree} from '../tree.ts';
import {isText} from '../tree.ts';
import {interpolate} from './interpolate.ts';

export interface NameRequest {
  /** `-p`. */
  readonly given: string | undefined;
  readonly environment: ReadonlyMap<string, string>;
  /** The documents of all files, before interpolation. */
  readonly trees: readonly Tree[];
  readonly directory: string;
  readonly problems: Problems;
}

/** Lower case, only letters, digits, `-` and `_`, beginning with a letter or digit. */
function normalizeProjectName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '');
}

/** `-p`, `COMPOSE_PROJECT_NAME`, the last `name:` of the files, or the directory's name. The first two must be normal. */
export function projectName({given, environment, trees, directory, problems}: NameRequest): string {
  const explicit = given ?? environment.get('COMPOSE_PROJECT_NAME');
  if (explicit !== undefined && explicit !== '') {
    if (normalizeProjectName(explicit) !== explicit) {
      const origin = given === undefined ? 'COMPOSE_PROJECT_NAME' : '-p';
      const valid = normalizeProjectName(explicit) || 'stack';
      throw new TscomposeError(
        'invalid',
        `invalid project name "${explicit}" (from ${origin}): only lower-case letters, digits, "-" and "_" are allowed, and it must begin with a letter or digit`,
        {
          hint: given === undefined ? `set COMPOSE_PROJECT_NAME=${valid}` : `use -p ${valid}`,
          exitCode: given === undefined ? undefined : 64,
        },
      );
    }
    return explicit;
  }
  const node = trees
    .map((tree) => (tree.kind === 'mapping' ? tree.entries.get('name')?.value : undefined))
    .findLast(isText);
  if (node !== undefined) {
    const stated = interpolate(node, {lookup: (name) => environment.get(name), problems});
    const name = isText(stated) ? normalizeProjectName(stated.value) : '';
    if (name !== '') return name;
    problems.error(node.at, {
      code: 'wrong-value',
      message: `name: "${node.value}" has no character that a project name may have`,
      hint: 'use lower-case letters and digits',
    });
  }
  const name = normalizeProjectName(basename(directory));
  if (name === '' && !problems.hasErrors) {
    throw new TscomposeError('invalid', `no project name can be made of the directory "${directory}"`, {
      hint: 'give one with -p, or with "name:" in the stack file',
    });
  }
  return name;
}
