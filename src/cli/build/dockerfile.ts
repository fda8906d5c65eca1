import {readFile} from 'node:fs/promises';
import {join, relative, resolve} from 'node:path';
import type {BuildBody} from '../../api/types/build.ts';
import {TscomposeError} from '../../base/errors.ts';

/** A Dockerfile and what is ignored for it, as a build is given them. */
export type ReadDockerfile = Pick<BuildBody, 'dockerfile' | 'ignore'>;

export interface DockerfilePlace {
  /** The context's directory, absolute; undefined: an empty one. */
  readonly context: string | undefined;
  /** Absolute, or relative to the working directory. Undefined: `Dockerfile` in the context. */
  readonly file: string | undefined;
  readonly workingDirectory: string;
}

/** The file of its own that says what is ignored goes before the context's. Throws `notFound`. */
export async function readDockerfile({context, file, workingDirectory}: DockerfilePlace): Promise<ReadDockerfile> {
  const path = file === undefined ? join(context ?? workingDirectory, 'Dockerfile') : resolve(workingDirectory, file);
  const shown = relative(workingDirectory, path).startsWith('..') ? path : relative(workingDirectory, path);
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const missing = cause.code === 'ENOENT' || cause.code === 'ENOTDIR';
    throw new TscomposeError(
      missing ? 'notFound' : 'forbidden',
      `cannot read ${shown}: ${missing ? 'no such file' : cause.message}`,
      {cause, hint: missing ? 'name the Dockerfile with -f' : undefined},
    );
  });
  return {dockerfile: {text, shown}, ...(await readIgnore(context, path))};
}

export async function readIgnore(
  context: string | undefined,
  dockerfile: string | undefined,
): Promise<Pick<BuildBody, 'ignore'>> {
  const own = dockerfile === undefined ? undefined : await readOptional(`${dockerfile}.dockerignore`);
  const ignore = own ?? (context === undefined ? undefined : await readOptional(join(context, '.dockerignore')));
  return ignore === undefined ? {} : {ignore};
}

async function readOptional(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR' || cause.code === 'EISDIR') return undefined;
    throw new TscomposeError('forbidden', `cannot read ${path}: ${cause.message}`, {cause});
  });
}
