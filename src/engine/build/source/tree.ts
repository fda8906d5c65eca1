/** What a tree has at a path, as a copy needs to know it. */
export interface TreeEntry {
  /** Beneath what was listed; empty: that itself. */
  readonly path: string;
  /** As stat(2) tells it, with the type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds, and nanoseconds beside them. */
  readonly mtime: readonly [bigint, number];
  readonly inode: bigint;
  /** Equal for names of one file; undefined where it has one name only. */
  readonly file: string | undefined;
  /** Numbers of a device. */
  readonly device: string;
  /** Of its extended attributes; empty: it has none that count. */
  readonly attributes: string;
  /** Digest of a file's content, or a link's target. */
  readonly content: string;
}

export interface TreeListing {
  /** Where the path led once links were followed: beneath the tree's root, without a slash in front. */
  readonly resolved: string;
  /** What is at the path comes first. */
  readonly entries: readonly TreeEntry[];
}

/** A tree that files are copied from. Paths are beneath its root. */
export interface SourceTree {
  /** Undefined: nothing is there. `digests`: with those of contents. */
  list(path: string, options: {readonly digests: boolean}): Promise<TreeListing | undefined>;
  /** The ignore file says so of the path, whether something is there or not. */
  readonly leavesOut?: (path: string) => boolean;
  /** Where the helper finds it: a directory of the machine, or layers, top first. */
  readonly place: {readonly directory: string} | {readonly lowers: readonly string[]};
  /** Of what was fetched: from where, and which of all that may be there. */
  readonly fetched?: {readonly shown: string; readonly version: string};
}

const typeMask = 0o170000;

export function isDirectory({mode}: Pick<TreeEntry, 'mode'>): boolean {
  return (mode & typeMask) === 0o040000;
}

export function isLink({mode}: Pick<TreeEntry, 'mode'>): boolean {
  return (mode & typeMask) === 0o120000;
}

export function isFile({mode}: Pick<TreeEntry, 'mode'>): boolean {
  return (mode & typeMask) === 0o100000;
}

export function isSocket({mode}: Pick<TreeEntry, 'mode'>): boolean {
  return (mode & typeMask) === 0o140000;
}

/** What says in a layer that something below is gone. */
export function isWhiteout({mode, device}: Pick<TreeEntry, 'mode' | 'device'>): boolean {
  return (mode & typeMask) === 0o020000 && device === '0:0';
}
