import {closeSync, existsSync, openSync, readFileSync, readSync, statSync} from 'node:fs';
import {TscomposeError} from './errors.ts';

type Awaitable<T> = T | Promise<T>;

/** How the loader reads files: handed in, so that it can read from anywhere. Paths are absolute. */
export interface FileSource {
  /**
   * Throws `notFound`, `forbidden`, or `invalid` for a directory. With `most`, no more than that many bytes are read: a
   * file may be endless.
   */
  readBytes(path: string, most?: number): Awaitable<Uint8Array>;
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

function readOrThrow(path: string | number, name: string, most?: number): Uint8Array {
  try {
    return most === undefined || typeof path === 'number' ? readFileSync(path) : readSome(path, most);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    const [kind, reason] = reasons[code] ?? (['unavailable', (cause as Error).message] as const);
    throw new TscomposeError(kind, `cannot read ${name}: ${reason}`, {cause});
  }
}

function readSome(path: string, most: number): Uint8Array {
  const descriptor = openSync(path, 'r');
  try {
    let bytes = Buffer.allocUnsafe(Math.min(most, 64 * 1024));
    let filled = 0;
    for (;;) {
      const read = readSync(descriptor, bytes, filled, bytes.length - filled, null);
      filled += read;
      if (read === 0 || filled === most) return bytes.subarray(0, filled);
      if (filled < bytes.length) continue;
      bytes = Buffer.concat([bytes], Math.min(most, bytes.length * 4));
    }
  } finally {
    closeSync(descriptor);
  }
}

/** The machine's own files. Stack files are few and small: reading them at once is cheaper than waiting for a thread. */
export const machineFiles: FileSource = {
  readBytes: (path, most) => readOrThrow(path, path, most),
  isFile: (path) => existsSync(path) && !statSync(path).isDirectory(),
  readStandardInput: () => readOrThrow(0, 'standard input'),
};
