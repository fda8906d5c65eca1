import {posix} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';

/** What is copied: what it is called in its archive, and what a path that ends in `/.` means. */
export interface CopySource {
  readonly name: string;
  readonly directory: boolean;
}

/** Where it is to go, as a person wrote it. */
export interface CopyDestination {
  /** With what stands at its end. */
  readonly path: string;
  /** Undefined: nothing is there. */
  readonly found: 'directory' | 'other' | undefined;
}

/** The directory that it goes into, and what it is called there. Empty: its content goes there, without itself. */
export interface CopyPlace {
  readonly directory: string;
  readonly name: string;
}

/**
 * Where something ends up, as `docker cp` has it: inside a directory that exists, else under the name that the destination
 * ends in. A source that ends in `/.` stands for its content. Throws `invalid` for what does not go together.
 */
export function placeCopy(source: CopySource, {path, found}: CopyDestination): CopyPlace {
  if (found === 'directory') return {directory: path, name: isContent(source) ? '' : source.name};
  const named = {directory: posix.dirname(trimmed(path)), name: posix.basename(trimmed(path))};
  if (found === 'other' && source.directory)
    throw new TscomposeError('invalid', `cannot copy a directory to "${path}": it is a file`);
  if (found === 'other' && assertsDirectory(path))
    throw new TscomposeError('invalid', `cannot copy to "${path}": it is no directory`);
  if (found === undefined && !source.directory && assertsDirectory(path))
    throw new TscomposeError('notFound', `cannot copy to "${path}": there is no such directory`);
  return named;
}

function isContent({name}: CopySource): boolean {
  return name === '.' || name === '/';
}

function assertsDirectory(path: string): boolean {
  return /(^|\/)\.?$/.test(path);
}

function trimmed(path: string): string {
  return posix.normalize(path).replace(/(.)\/+$/, '$1');
}
