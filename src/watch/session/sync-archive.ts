import {open} from 'node:fs/promises';
import {posix} from 'node:path';
import {type Header, type Pack, pack} from 'tar-stream';
import {TscomposeError} from '../../base/errors.ts';
import type {TreeEntry} from '../files/types.ts';

/** One change of a container's files. Paths are absolute in the container. */
export type FileChange =
  | {readonly kind: 'put'; readonly path: string; readonly source: string; readonly entry: TreeEntry}
  | {readonly kind: 'delete'; readonly path: string};

const whiteoutPrefix = '.wh.';

/** A name that the archive could only mean as a deletion of another one. */
export function isWhiteoutName(path: string): boolean {
  return posix.basename(path).startsWith(whiteoutPrefix);
}

/**
 * The changes as a tar in the manner of an image layer, from `/` on: deletions first, as whiteouts. Files are read while
 * it is written; one that becomes shorter meanwhile breaks it off with kind `conflict`, so that nothing of it is applied.
 */
export function syncArchive(changes: readonly FileChange[]): AsyncIterable<Uint8Array> {
  const archive = pack();
  const write = async (): Promise<void> => {
    for (const change of changes) if (change.kind === 'delete') await addDeletion(archive, change.path);
    for (const change of changes) if (change.kind === 'put') await addEntry(archive, change);
    archive.finalize();
  };
  write().catch((error: unknown) => archive.destroy(error as Error));
  return archive as AsyncIterable<unknown> as AsyncIterable<Uint8Array>;
}

function addDeletion(archive: Pack, path: string): Promise<void> {
  const name = posix.join(posix.dirname(path), `${whiteoutPrefix}${posix.basename(path)}`).slice(1);
  return add(archive, {name, mode: 0o600, size: 0});
}

async function addEntry(archive: Pack, {path, source, entry}: FileChange & {readonly kind: 'put'}): Promise<void> {
  const name = path.slice(1);
  switch (entry.kind) {
    case 'directory':
      return add(archive, {name: `${name}/`, type: 'directory', mode: entry.mode});
    case 'link':
      return add(archive, {name, type: 'symlink', linkname: entry.target, mode: 0o777});
    case 'file':
      return addFile(archive, {name, source, mode: entry.mode});
  }
}

function add(archive: Pack, header: Partial<Header> & Pick<Header, 'name'>): Promise<void> {
  return new Promise((resolve, reject) => {
    archive.entry({mtime: new Date(), ...header}, (error) => (error ? reject(error) : resolve())).end(null);
  });
}

/** Most of a file that is held in memory. */
const pieceSize = 1024 * 1024;

interface FileEntry {
  readonly name: string;
  readonly source: string;
  readonly mode: number;
}

/** Piece by piece, as fast as the archive is read. */
async function addFile(archive: Pack, {name, source, mode}: FileEntry): Promise<void> {
  const file = await open(source, 'r');
  try {
    const {size, mtime} = await file.stat();
    let settle: (error?: Error | null) => void = () => {};
    const written = new Promise<void>((resolve, reject) => {
      settle = (error) => (error ? reject(error) : resolve());
    });
    const entry = archive.entry({name, mode, mtime, size}, (error) => settle(error));
    entry.on('error', () => {});
    for (let at = 0; at < size; ) {
      const piece = Buffer.allocUnsafe(Math.min(pieceSize, size - at));
      const {bytesRead} = await file.read(piece, 0, piece.length, at);
      if (bytesRead === 0) {
        written.catch(() => {});
        throw new TscomposeError('conflict', `"${source}" changed while it was read`);
      }
      at += bytesRead;
      if (!entry.write(piece.subarray(0, bytesRead))) await drained(entry, written);
    }
    entry.end(null);
    await written;
  } finally {
    await file.close();
  }
}

/** Or rejects, where nobody reads the archive any more. */
function drained(entry: ReturnType<Pack['entry']>, written: Promise<void>): Promise<void> {
  return Promise.race([new Promise<void>((resolve) => entry.once('drain', resolve)), written]);
}
