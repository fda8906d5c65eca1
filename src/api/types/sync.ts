/** What a sync did. A directory that was there already, or an entry that is gone already, counts too. */
export interface SyncResult {
  /** Files, directories and links put in place. */
  readonly written: number;
  /** Whiteouts carried out. */
  readonly deleted: number;
}

/** One path that was synced, as the archive stated it. Modes are the permission bits, as a number. */
export type SyncedEntry =
  | {readonly kind: 'file'; readonly sha256: string; readonly size: number; readonly mode: number}
  | {readonly kind: 'link'; readonly target: string}
  | {readonly kind: 'directory'; readonly mode: number};

/**
 * What was synced into a container so far, over all of its runs. Keys are absolute paths in the container, as they were
 * asked for: links on the way are not resolved. What the container itself did to them is not known here.
 */
export interface SyncedFiles {
  readonly v: 1;
  readonly files: Readonly<Record<string, SyncedEntry>>;
}
