import type {PathFilter} from './types.ts';

/** What every way to watch one directory tree is given. */
export interface TreeWatchOptions {
  /** An existing directory, links resolved. */
  readonly real: string;
  readonly filter: PathFilter;
  /** A path of the tree, `''` for all of it; `lost`: events are missing, everything has to be looked at. */
  readonly onHint: (path: string, lost?: true) => void;
  /** No more watches; the tree is watched no longer. */
  readonly onLimit: (error: NodeJS.ErrnoException) => void;
}

export interface TreeWatch {
  /** Resolves when every later change gives a hint. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}
