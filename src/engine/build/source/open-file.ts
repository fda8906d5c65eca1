import {closeSync, constants, openSync, readlinkSync} from 'node:fs';
import {join} from 'node:path';
import {TscomposeError} from '../../../base/errors.ts';

/**
 * Opens a file of a context for reading. `root` is the directory's real path: a file counts only where its descriptor leads to
 * its very place, so that a link in a directory's place leads nowhere. Throws `conflict`, `forbidden`.
 */
export function openContextFile(root: string, path: string): number {
  const place = join(root, path);
  const file = open(place, path);
  if (readlinkSync(`/proc/self/fd/${file}`) === place) return file;
  closeSync(file);
  throw changedMeanwhile(path);
}

function open(place: string, path: string): number {
  try {
    return openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const {code, message} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ELOOP' || code === 'ENOTDIR') throw changedMeanwhile(path);
    const reason = code === 'EACCES' ? 'permission denied' : message;
    throw new TscomposeError('forbidden', `cannot read "${path}" of the build context: ${reason}`, {
      cause: error,
      hint: 'change its mode, or name it in .dockerignore',
    });
  }
}

export function changedMeanwhile(path: string): TscomposeError {
  return new TscomposeError('conflict', `"${path}" of the build context changed while it was read`, {
    hint: 'build again once nobody writes to it',
  });
}
