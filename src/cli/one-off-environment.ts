import {resolve} from 'node:path';
import {machineFiles} from '../base/file-source.ts';
import {createProblems} from '../model/problems.ts';
import {parseEnvironmentFile} from '../model/stages/dotenv.ts';
import {readSource} from '../model/stages/source-file.ts';
import type {CliContext} from './context.ts';
import type {Input} from './flags.ts';

type Flags = Pick<Input<'run'>['flags'], 'env' | 'env-from-file'>;

/**
 * What flags say of the variables of one command: files first, each over those before it, then `--env`. A name alone has the
 * value of the project's environment, if that has one: of the caller's, or of `.env`. Throws `invalid` for a file with problems.
 */
export async function oneOffEnvironment(
  {cwd, global}: Pick<CliContext, 'cwd' | 'global'>,
  flags: Flags,
  project: ReadonlyMap<string, string>,
): Promise<Readonly<Record<string, string>>> {
  const found = new Map<string, string>();
  const problems = createProblems();
  const outside = {lookup: (name: string) => project.get(name), below: (name: string) => found.get(name), problems};
  for (const shown of flags['env-from-file']) {
    const file = await readSource(resolve(cwd, shown), {
      ...{source: machineFiles, shown, what: 'environment file', maxFileSize: global['max-file-size']},
      hint: 'create it, or leave out --env-from-file',
    });
    for (const [name, {value}] of parseEnvironmentFile(file, outside)) found.set(name, value);
  }
  problems.throwIfAny();
  for (const entry of flags.env) {
    const [name = ''] = entry.split('=', 1);
    const value = entry === name ? project.get(name) : entry.slice(name.length + 1);
    if (value !== undefined) found.set(name, value);
  }
  return Object.fromEntries(found);
}
