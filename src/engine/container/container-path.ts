import {posix} from 'node:path';

/** A path that a request names, as Docker reads it: what stands at its end decides what is meant. */
export interface ContainerPath {
  /** Absolute, without `.` and `..`, which are taken away as text, and without a slash at its end. */
  readonly clean: string;
  /** It ends in `/` or `/.`: a link there is followed, and must lead to a directory. */
  readonly follow: boolean;
  /** What it is called in an archive: the last component, `.` for a path that ends in one, `/` for the root. */
  readonly name: string;
}

export function parseContainerPath(path: string): ContainerPath {
  const clean = posix.join('/', path).replace(/(.)\/+$/, '$1');
  const dot = /(^|\/)\.\/*$/.test(path);
  const follow = dot || path.endsWith('/');
  return {clean, follow, name: dot ? '.' : clean === '/' ? '/' : posix.basename(clean)};
}
