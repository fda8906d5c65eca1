import {
  accessSync,
  chmodSync,
  linkSync,
  lstatSync,
  type MakeDirectoryOptions,
  mkdirSync,
  type PathLike,
  type RmOptions,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
  utimesSync,
  type WriteFileOptions,
  writeFileSync,
} from 'node:fs';

/**
 * Functions of `node:fs/promises` for the engine's own small files and directories, and for those of the kernel (/proc, /sys):
 * done at once, not by the thread pool. What they do takes microseconds; each trip to the pool and back costs a hundred times
 * that, and on a busy machine a turn at its processors. Not for what other people keep, nor for what may be large: that may
 * take as long as a disk or a network pleases.
 */

export async function access(path: PathLike, mode?: number): Promise<void> {
  accessSync(path, mode);
}

export async function chmod(path: PathLike, mode: number): Promise<void> {
  chmodSync(path, mode);
}

export async function link(existing: PathLike, path: PathLike): Promise<void> {
  linkSync(existing, path);
}

export async function lstat(path: PathLike): Promise<Stats> {
  return lstatSync(path);
}

/** Answers the first directory that was made, with `recursive`. */
export async function mkdir(path: PathLike, options?: MakeDirectoryOptions): Promise<string | undefined> {
  return mkdirSync(path, options);
}

export async function readdir(path: PathLike): Promise<string[]> {
  return readdirSync(path);
}

export async function readFile(path: PathLike): Promise<Buffer>;
export async function readFile(path: PathLike, encoding: BufferEncoding): Promise<string>;
export async function readFile(path: PathLike, encoding?: BufferEncoding): Promise<Buffer | string> {
  return readFileSync(path, encoding);
}

export async function rename(from: PathLike, to: PathLike): Promise<void> {
  renameSync(from, to);
}

export async function rm(path: PathLike, options?: RmOptions): Promise<void> {
  rmSync(path, options);
}

export async function rmdir(path: PathLike): Promise<void> {
  rmdirSync(path);
}

export async function stat(path: PathLike): Promise<Stats> {
  return statSync(path);
}

export async function utimes(path: PathLike, accessed: Date, modified: Date): Promise<void> {
  utimesSync(path, accessed, modified);
}

export async function writeFile(
  path: PathLike,
  content: string | Uint8Array,
  options?: WriteFileOptions,
): Promise<void> {
  writeFileSync(path, content, options);
}
