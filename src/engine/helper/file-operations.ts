/** A row of the tables of operations: see `operations.ts`. */
export interface Row {
  readonly code: number;
  readonly args: readonly string[];
  /** Name of the argument that may repeat, after the fixed ones. */
  readonly rest?: string;
}

/** Bounds for the times in an archive that leave them as they are. */
export const anyTime = {earliest: Number.MIN_SAFE_INTEGER, latest: Number.MAX_SAFE_INTEGER} as const;

/** Unpacks a tar stream (standard input, uncompressed) into the empty directory `destination`. A process of its own. */
export const unpackOperations = {
  /**
   * `whiteouts`: `overlay` turns `.wh.` entries into overlay marks (a layer), `none` refuses them (a plain tree).
   * `xattrs`: `trusted` or `user`. `lowers` (top first): the layers below, for hard links into them and for directories
   * that no entry describes; without them such a link is an error of kind `unsupported`, and `implied` counts the directories.
   */
  unpack: {code: 400, args: ['destination', 'whiteouts', 'xattrs'], rest: 'lowers'},
} as const satisfies Record<string, Row>;

/**
 * One request about a container's files. A process of its own (`files`): it answers a line when it is where they are, then
 * writes to its standard output, then answers a last line. All find their place as `sync` does: the mounts of the process
 * `pid`, a child of `monitor`, or what `operations` make. Paths are the container's unless said otherwise.
 */
export const filesOperations = {
  /** What is at `path`; with `follow` a link there is followed, and must lead to a directory. */
  fileStat: {code: 410, args: ['pid', 'monitor', 'operations', 'path', 'follow']},
  /** The same, and an archive of it whose first entry is called `name`. */
  fileArchive: {code: 411, args: ['pid', 'monitor', 'operations', 'path', 'follow', 'name']},
  /**
   * Unpacks the tar `archive` (a path of the machine) into `directory`. `typed`: a directory and something else never take
   * each other's place. `owned`: everything belongs to `user`, looked up in there; else to whom the archive says.
   */
  fileExtract: {code: 412, args: ['pid', 'monitor', 'operations', 'archive', 'directory', 'typed', 'owned', 'user']},
  /** The root file system as an archive, without what is mounted in it. Times are kept within `earliest` and `latest`. */
  fileExport: {code: 413, args: ['pid', 'monitor', 'operations', 'earliest', 'latest']},
  /**
   * The layer that turns its image into the root file system: an archive of what changed, with a mark for what is gone.
   * Standard input lists it as `fileChanges` writes it, a directory before what is in it.
   */
  fileLayer: {code: 415, args: ['pid', 'monitor', 'operations']},
  /**
   * The layer that an unpacked one (`directory`, a path of the machine) is: the same tree makes the same bytes. `xattrs`:
   * `trusted` or `user`, as with `unpack`. Times are kept within `earliest` and `latest`.
   */
  fileTree: {code: 416, args: ['directory', 'xattrs', 'earliest', 'latest']},
  /** Everything that was written to the file system of a directory of the machine survives a power loss afterwards. */
  fileSync: {code: 417, args: ['directory']},
  /**
   * Compares the root file system with its image, guided by the upper directory `upper`. `paths`: first `ignored` of the
   * container's that do not count, then the layers of the image, top first. Writes a letter (A, C, D) and a path, each
   * with a NUL.
   */
  fileChanges: {code: 414, args: ['pid', 'monitor', 'operations', 'upper', 'ignored'], rest: 'paths'},
  /**
   * Lists what is at `path` in the tree stacked from `lowers` (top first), links followed, and below; `digests`: with those of
   * contents. The place is empty.
   */
  fileList: {code: 430, args: ['pid', 'monitor', 'operations', 'path', 'digests'], rest: 'lowers'},
  /**
   * Copies what standard input lists (docs/native.md) from the machine's directory `source`, or from `lowers` (top first).
   * `owner`: everything belongs to them, looked up in there; empty: to whom the list says.
   */
  fileCopy: {code: 431, args: ['pid', 'monitor', 'operations', 'source', 'owner'], rest: 'lowers'},
  /**
   * Takes out of the directory `upper` of a run the places of its mounts where nothing was put into them and the layers below
   * have none. `paths`: first `places` of those, deeper ones first, then the layers, top first. The place is empty.
   */
  fileSettle: {code: 432, args: ['pid', 'monitor', 'operations', 'upper', 'places'], rest: 'paths'},
} as const satisfies Record<string, Row>;
