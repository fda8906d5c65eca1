import {TscomposeError} from '../../src/base/errors.ts';
import type {FileSource} from '../../src/base/file-source.ts';
import {type LoadedProject, type LoadRequest, loadProject} from '../../src/model/load.ts';

/** Files by absolute path, in memory. */
export function memoryFiles(files: Readonly<Record<string, string>>, standardInput = ''): FileSource {
  return {
    readBytes: (path) => {
      const text = files[path];
      if (text === undefined) throw new TscomposeError('notFound', `cannot read ${path}: no such file`);
      return new TextEncoder().encode(text);
    },
    isFile: (path) => path in files,
    readStandardInput: () => new TextEncoder().encode(standardInput),
  };
}

/** Loads `/stack/compose.yaml`, or what the request names. */
export function load(
  text: string | Readonly<Record<string, string>>,
  request: Partial<LoadRequest> = {},
): Promise<LoadedProject> {
  const files = typeof text === 'string' ? {'/stack/compose.yaml': text} : text;
  return loadProject({workingDirectory: '/stack', environment: {}, ...request}, memoryFiles(files));
}

/** The error of a stack that must not load. */
export async function failure(
  text: string | Readonly<Record<string, string>>,
  request: Partial<LoadRequest> = {},
): Promise<TscomposeError> {
  try {
    await load(text, request);
  } catch (error) {
    if (error instanceof TscomposeError) return error;
    throw error;
  }
  throw new Error('the stack loaded');
}
