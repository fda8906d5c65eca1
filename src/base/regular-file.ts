import {closeSync, constants, fstatSync, openSync, readFileSync} from 'node:fs';
import {TscomposeError} from './errors.ts';

const kinds: Readonly<Record<string, readonly ['notFound' | 'forbidden' | 'invalid', string]>> = {
  ENOENT: ['notFound', 'no such file'],
  ENOTDIR: ['notFound', 'no such file'],
  ELOOP: ['invalid', 'too many links'],
  EACCES: ['forbidden', 'permission denied'],
  EPERM: ['forbidden', 'permission denied'],
  // A socket.
  ENXIO: ['invalid', 'it is not a regular file'],
};

/**
 * Reads a small file that somebody else may have put there: a pipe is never waited for, and what has no end is not read. Links
 * are followed. Throws `notFound`, `forbidden`, and `invalid` for what is no regular file or has more than `most` bytes.
 */
export function readRegularFile(
  path: string,
  {shown = path, most}: {readonly shown?: string; readonly most: number},
): Buffer {
  const file = open(path, shown);
  try {
    return readOpened(file, {shown, most});
  } finally {
    closeSync(file);
  }
}

/** The same of one that was opened without waiting. */
export function readOpened(file: number, {shown, most}: {readonly shown: string; readonly most: number}): Buffer {
  const status = fstatSync(file);
  if (!status.isFile()) {
    const reason = status.isDirectory() ? 'it is a directory' : 'it is not a regular file';
    throw new TscomposeError('invalid', `cannot read ${shown}: ${reason}`);
  }
  if (status.size > most) throw new TscomposeError('invalid', `cannot read ${shown}: it has more than ${most} bytes`);
  return readFileSync(file);
}

function open(path: string, shown: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (cause) {
    const {code = '', message} = cause as NodeJS.ErrnoException;
    const [kind, reason] = kinds[code] ?? (['unavailable', message] as const);
    throw new TscomposeError(kind, `cannot read ${shown}: ${reason}`, {cause});
  }
}
