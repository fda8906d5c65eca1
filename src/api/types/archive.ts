/** What is at a path of a container: the header `X-Docker-Container-Path-Stat`, base64 of JSON. */
export interface PathStat {
  /** The last component of the path that was asked for; `.` for one that ends in `/.`. */
  readonly name: string;
  readonly size: number;
  /** As Go's `os.FileMode` has it: see `goFileMode`. */
  readonly mode: number;
  /** RFC 3339 with as many digits of the fraction as it has. */
  readonly mtime: string;
  /** Of a symbolic link: where it leads in the container, with every link on the way resolved. */
  readonly linkTarget: string;
}

/** 0: changed, 1: added, 2: deleted. */
export type ChangeKind = 0 | 1 | 2;

export interface ContainerChange {
  readonly Path: string;
  readonly Kind: ChangeKind;
}
