import type {TscomposeError} from '../../base/errors.ts';

/**
 * The file side of watch mode. Data goes one way:
 *
 *   watchFiles (events: hints) → batchEvents (one batch when it is quiet) → HostTree.refresh (what is there now)
 *   → the session (`ContainerSync`) compares it with what the container is known to have, and brings what differs.
 *
 * An event only says where to look. What is done follows from the content of the tree, so a lost or doubled event costs
 * time and never correctness.
 */

/** A place where something may have changed; `overflow`: events were lost, everything must be looked at again. */
export interface FileEvent {
  /** Absolute, below the root as it was given (links of the root are not resolved). */
  readonly path: string;
  readonly overflow?: true;
}

/** Which paths of a tree count. Paths are relative to its root, with `/`; `''` is the root. */
export interface PathFilter {
  includes(path: string): boolean;
  /** True: neither the directory nor anything below it can be included, so it is not entered and not watched. */
  prunes(directory: string): boolean;
}

/** A directory or a file to be watched; it may not exist yet. */
export interface WatchRoot {
  /** Absolute. */
  readonly path: string;
  readonly filter: PathFilter;
}

/** Told once, when watching goes on in a poorer way. */
export interface WatchNotice {
  /** No more watches were to be had: the trees are looked at again and again instead. */
  readonly kind: 'polling';
  /** `exhausted`: names the limit, how much is in use, and in its hint how to raise it. */
  readonly error: TscomposeError;
}

export type WatchBackend = 'auto' | 'files' | 'directories' | 'polling';

export interface WatchFilesOptions {
  readonly roots: readonly WatchRoot[];
  /** Called for every hint, never before the caller has its watcher, and never after `close`. */
  readonly onEvent: (event: FileEvent) => void;
  readonly onNotice?: (notice: WatchNotice) => void;
  /** `auto` (default): `files` (chokidar) for small trees, `directories` for large ones, `polling` at the limits. */
  readonly backend?: WatchBackend;
}

export interface FileWatcher {
  /** Resolves when every change from then on gives an event. Never rejects for a root that does not exist. */
  readonly ready: Promise<void>;
  /** What watches now; known after `ready`, may become `polling` later. */
  backend(): Exclude<WatchBackend, 'auto'>;
  close(): Promise<void>;
}

/** What tells two states of a file apart without reading it. Times are milliseconds with fractions. */
export interface FileIdentity {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
}

/** A file, directory or link. Anything else (sockets, devices, pipes) is left out of manifests. */
export type TreeEntry =
  | {
      readonly kind: 'file';
      /** Permission bits, 0o7777. */
      readonly mode: number;
      readonly identity: FileIdentity;
      /** `sha256` of the content in hex; absent: not read yet. */
      readonly digest?: string;
    }
  | {readonly kind: 'directory'; readonly mode: number}
  | {readonly kind: 'link'; readonly target: string};

/** By path relative to the root, with `/`; `''` is the root itself (a single file as root has only that). */
export type Manifest = ReadonlyMap<string, TreeEntry>;

/** What one root of this machine holds, as last looked at. */
export interface HostTree {
  readonly root: WatchRoot;
  manifest(): Manifest;
  /** Looks again at these absolute paths (and below them), or at everything. Resolves with the relative paths that differ. */
  refresh(where: Iterable<string> | 'everything'): Promise<readonly string[]>;
  /** The digest of a file as it is now, from the cache where its identity is the same; undefined: it is gone. */
  digest(path: string): Promise<string | undefined>;
  /** Reads files that have no digest yet, a few at a time, so that a later touch without a change is seen as none. */
  fillDigests(signal?: AbortSignal): Promise<void>;
}

/** What became quiet: some paths, or so much that everything is to be looked at. */
export type Batch =
  | {readonly kind: 'paths'; readonly paths: readonly string[]; readonly firstEventAt: number}
  | {readonly kind: 'everything'; readonly reason: 'storm' | 'overflow'; readonly firstEventAt: number};
