import {TscomposeError} from '../../base/errors.ts';
import {readClientFiles, type WantedFiles} from './client-files.ts';
import type {FrontendOptions} from './frontend-options.ts';
import type {Sessions} from './sessions.ts';

/** A directory of the client by its name, until the signal. */
export type ClientDirectories = (name: string, signal: AbortSignal) => WantedFiles;

export function clientDirectories(
  sessions: Sessions,
  {frontend, session}: {readonly frontend: Pick<FrontendOptions, 'sessions'>; readonly session: string},
): ClientDirectories {
  return (name, signal) => ({
    directory: name,
    caller: () => sessions.find(frontend.sessions[name] ?? session, signal),
  });
}

/** The Dockerfile, and what is ignored for it: a file of its own goes before the context's. Throws `notFound`. */
export async function readSources(
  {filename, directories, main}: Pick<FrontendOptions, 'filename' | 'directories' | 'main'>,
  directory: ClientDirectories,
  signal: AbortSignal,
) {
  // On a machine where the case of names counts it may be written small, if nobody says how it is called.
  const names = filename === 'Dockerfile' ? [filename, 'dockerfile'] : [filename];
  const only = [...names, `${filename}.dockerignore`];
  const found = await readClientFiles({...directory(directories.dockerfile, signal), only}, signal);
  const name = names.find((one) => found.has(one));
  if (name === undefined)
    throw new TscomposeError('notFound', `failed to read dockerfile: open ${filename}: no such file or directory`);
  const own = found.get(`${filename}.dockerignore`);
  const ignoreFile = {...directory(directories.context, signal), only: ['.dockerignore']};
  const ignored = own ?? (main === undefined ? (await readClientFiles(ignoreFile, signal)).get('.dockerignore') : own);
  return {
    dockerfile: {text: found.get(name)?.toString('utf8') ?? '', shown: name},
    ignore: ignored?.toString('utf8'),
  };
}
