import {statSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join, relative, resolve} from 'node:path';
import type {BuildBody} from '../../api/types/build.ts';
import {hasKind, TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {readRegularFile} from '../../base/regular-file.ts';

/** A Dockerfile and what is ignored for it, as a build is given them. */
export type ReadDockerfile = Pick<BuildBody, 'dockerfile' | 'ignore'>;

export interface DockerfilePlace {
  /** The context's directory, absolute; undefined: an empty one. */
  readonly context: string | undefined;
  /** Absolute, or relative to the working directory. Undefined: `Dockerfile` in the context. */
  readonly file: string | undefined;
  readonly workingDirectory: string;
  /** What to do where one of them is not there. */
  readonly hints?: MissingHints;
}

interface MissingHints {
  readonly context: string;
  readonly file: string;
}

const flagHints: MissingHints = {
  context: 'name the directory that the build takes its files from',
  file: 'name the Dockerfile with -f',
};

/** The file of its own that says what is ignored goes before the context's. Throws `notFound`, `forbidden`, `invalid`. */
export async function readDockerfile({
  context,
  file,
  workingDirectory,
  hints = flagHints,
}: DockerfilePlace): Promise<ReadDockerfile> {
  const path = file === undefined ? join(context ?? workingDirectory, 'Dockerfile') : resolve(workingDirectory, file);
  const shown = shownAs(path, workingDirectory);
  if (context !== undefined && statSync(context, {throwIfNoEntry: false}) === undefined)
    throw new TscomposeError('notFound', `there is no directory ${shownAs(context, workingDirectory)}`, {
      hint: hints.context,
    });
  const text = await readText(path, shown, hints.file);
  return {dockerfile: {text, shown}, ...readIgnore(context, path)};
}

function shownAs(path: string, workingDirectory: string): string {
  const way = relative(workingDirectory, path);
  return way.startsWith('..') ? path : way;
}

export function readIgnore(context: string | undefined, dockerfile: string | undefined): Pick<BuildBody, 'ignore'> {
  const own = dockerfile === undefined ? undefined : readOptional(`${dockerfile}.dockerignore`);
  const ignore = own ?? (context === undefined ? undefined : readOptional(join(context, '.dockerignore')));
  return ignore === undefined ? {} : {ignore};
}

/** Bytes that a Dockerfile or an ignore file may have. */
const most = 4 * 1024 * 1024;

/** What the shell passes (`-f <(…)`) is a pipe, and is waited for. */
async function readText(path: string, shown: string, missing: string): Promise<string> {
  if (/^\/(?:dev|proc\/self)\/fd\//.test(path)) return await readFile(path, 'utf8');
  try {
    return readRegularFile(path, {shown, most}).toString('utf8');
  } catch (error) {
    const {kind, message} = toTscomposeError(error);
    const hint = kind === 'notFound' ? missing : undefined;
    throw new TscomposeError(kind, message, {cause: error, hint});
  }
}

function readOptional(path: string): string | undefined {
  try {
    return readRegularFile(path, {most}).toString('utf8');
  } catch (error) {
    if (hasKind(error, 'notFound') || statSync(path, {throwIfNoEntry: false})?.isDirectory() === true) return undefined;
    throw error;
  }
}
