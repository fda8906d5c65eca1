import {existsSync, readFileSync, statSync} from 'node:fs';
import {TscomposeError} from './errors.ts';

type Awaitable<T> = T | Promise<T>;

/** How the loader reads files: handed in, so that it can read from anywhere. Paths are absolute. */
export interface FileSource {
  /** Throws `notFound`, `forbidden`, or `invalid` for a directory. */
  readBytes(path: string): Awaitable<Uint8Array>;
  isFile(path: string): Awaitable<boolean>;
  /** Standard input, for the file named `-`. */
  readStandardInput(): Awaitable<Uint8Array>;
}

const reasons: Readonly<Record<string, readonly ['notFound' | 'forbidden' | 'invalid', string]>> = {
  ENOENT: ['notFound', 'no such file'],
  ENOTDIR: ['notFound', 'no such file'],
  EACCES: ['forbidden', 'permission denied'],
  EPERM: ['forbidden', 'permission denied'],
  EISDIR: ['invalid', 'is a directory'],
};

function readOrThrow(path: string | number, name: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    const [kind, reason] = reasons[code] ?? (['unavailable', (cause as Error).message] as const);
    throw new TscomposeError(kind, `cannot read ${name}: ${reason}`, {cause});
  }
}

/** The machine's own files. Stack files are few and small: reading them at once is cheaper than waiting for a thread. */
export const machineFiles: FileSource = {
  readBytes: (path) => readOrThrow(path, path),
  isFile: (path) => existsSync(path) && !statSync(path).isDirectory(),
  readStandardInput: () => readOrThrow(0, 'standard input'),
};
