import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {posix} from 'node:path';
import {type Header, type Pack, pack} from 'tar-stream';
import {TscomposeError} from '../../base/errors.ts';
import {timeSlices} from '../files/time-slices.ts';
import type {TreeEntry} from '../files/types.ts';

/** One change of a container's files. Paths are absolute in the container. */
export type FileChange =
  | {readonly kind: 'put'; readonly path: string; readonly source: string; readonly entry: TreeEntry}
  | {readonly kind: 'delete'; readonly path: string};

/** Whose the files are; without it the engine decides. */
export interface ArchiveOwner {
  readonly uid: number;
  readonly gid: number;
}

const whiteoutPrefix = '.wh.';

/** A name that the archive could only mean as a deletion of another one. */
export function isWhiteoutName(path: string): boolean {
  return posix.basename(path).startsWith(whiteoutPrefix);
}

/**
 * The changes as a tar in the manner of an image layer, from `/` on: deletions first, as whiteouts. Files are read while
 * it is written; one that becomes shorter meanwhile breaks it off with kind `conflict`, so that nothing of it is applied.
 */
export function syncArchive(changes: readonly FileChange[], owner?: ArchiveOwner): AsyncIterable<Uint8Array> {
  const archive = pack();
  const write = async (): Promise<void> => {
    for (const change of changes) if (change.kind === 'delete') await addDeletion(archive, change.path);
    const pause = timeSlices();
    for (const change of changes) {
      if (change.kind === 'delete') continue;
      await addEntry(archive, change, owner);
      await pause();
    }
    archive.finalize();
  };
  write().catch((error: unknown) => archive.destroy(error as Error));
  return archive as AsyncIterable<unknown> as AsyncIterable<Uint8Array>;
}

function addDeletion(archive: Pack, path: string): Promise<void> {
  const name = posix.join(posix.dirname(path), `${whiteoutPrefix}${posix.basename(path)}`).slice(1);
  return add(archive, {name, mode: 0o600, size: 0});
}

async function addEntry(
  archive: Pack,
  {path, source, entry}: FileChange & {readonly kind: 'put'},
  owner: ArchiveOwner | undefined,
): Promise<void> {
  const name = path.slice(1);
  switch (entry.kind) {
    case 'directory':
      return add(archive, {name: `${name}/`, type: 'directory', mode: entry.mode, ...owner});
    case 'link':
      return add(archive, {name, type: 'symlink', linkname: entry.target, mode: 0o777, ...owner});
    case 'file':
      return addFile(archive, {name, source, mode: entry.mode, owner});
  }
}

function add(archive: Pack, header: Partial<Header> & Pick<Header, 'name'>): Promise<void> {
  return new Promise((resolve, reject) => {
    archive.entry({mtime: new Date(), ...header}, (error) => (error ? reject(error) : resolve())).end(null);
  });
}

/** Below this a file is read at once: the way through the thread pool takes longer than the reading. */
const smallBytes = 256 * 1024;
/** Most of a larger file that is held in memory. */
const pieceBytes = 1024 * 1024;

interface FileEntry {
  readonly name: string;
  readonly source: string;
  readonly mode: number;
  readonly owner: ArchiveOwner | undefined;
}

async function addFile(archive: Pack, {name, source, mode, owner}: FileEntry): Promise<void> {
  const file = openSync(source, 'r');
  try {
    const {size, mtime} = fstatSync(file);
    const header = {name, mode, mtime, size, ...owner};
    if (size > smallBytes) return await addLargeFile(archive, {file, header, source});
    const content = Buffer.allocUnsafe(size);
    for (let at = 0; at < size; ) at += checked(readSync(file, content, at, size - at, at), source);
    await new Promise<void>((resolve, reject) => {
      archive.entry(header, (error) => (error ? reject(error) : resolve())).end(content);
    });
  } finally {
    closeSync(file);
  }
}

interface LargeFile {
  readonly file: number;
  readonly header: {readonly name: string; readonly size: number};
  readonly source: string;
}

/** Piece by piece, as fast as the archive is read. */
async function addLargeFile(archive: Pack, {file, header, source}: LargeFile): Promise<void> {
  let settle: (error?: Error | null) => void = () => {};
  const written = new Promise<void>((resolve, reject) => {
    settle = (error) => (error ? reject(error) : resolve());
  });
  // Looked at only at the end.
  written.catch(() => {});
  const entry = archive.entry({...header}, (error) => settle(error));
  entry.on('error', () => {});
  for (let at = 0; at < header.size; ) {
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, header.size - at));
    const length = checked(readSync(file, piece, 0, piece.length, at), source);
    at += length;
    if (!entry.write(piece.subarray(0, length))) await drained(entry, written);
  }
  entry.end(null);
  await written;
}

function checked(bytesRead: number, source: string): number {
  if (bytesRead === 0) throw new TscomposeError('conflict', `"${source}" changed while it was read`);
  return bytesRead;
}

/** Or rejects, where nobody reads the archive any more. */
function drained(entry: ReturnType<Pack['entry']>, written: Promise<void>): Promise<void> {
  return Promise.race([new Promise<void>((resolve) => entry.once('drain', resolve)), written]);
}
