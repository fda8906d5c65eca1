import {constants} from 'node:fs';
import {type FileHandle, lstat, open, readdir, readlink} from 'node:fs/promises';
import {join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {type Header, type Pack, pack} from 'tar-stream';
import {TscomposeError} from '../../base/errors.ts';

type Stats = Awaited<ReturnType<typeof lstat>>;

/**
 * A tar of a file or directory of this machine, under `name`; an empty one: the content of the directory. Links are kept,
 * owners too; sockets are left out. Files are read while it is written: one that becomes shorter breaks it off.
 */
export function localArchive(path: string, name: string): AsyncIterable<Uint8Array> {
  const archive = pack();
  const writer: Writer = {archive, links: new Map()};
  const write = async () => {
    const status = await lstat(path);
    if (status.isDirectory()) await addDirectory(writer, {path, name, status});
    else await addEntry(writer, {path, name, status});
    archive.finalize();
  };
  write().catch((error: unknown) => archive.destroy(explain(error)));
  return archive as AsyncIterable<unknown> as AsyncIterable<Uint8Array>;
}

interface Writer {
  readonly archive: Pack;
  /** The names under which files with several of them were written. */
  readonly links: Map<string, string>;
}

interface Entry {
  readonly path: string;
  readonly name: string;
  readonly status: Stats;
}

async function addDirectory(writer: Writer, {path, name, status}: Entry): Promise<void> {
  if (name !== '') await add(writer.archive, {...headerOf(status), name: `${name}/`, type: 'directory'});
  for (const child of (await readdir(path)).sort()) {
    const entry = {path: join(path, child), name: name === '' ? child : `${name}/${child}`};
    const below = await lstat(entry.path).catch(ignoreMissing);
    if (below === undefined) continue;
    if (below.isDirectory()) await addDirectory(writer, {...entry, status: below});
    else await addEntry(writer, {...entry, status: below});
  }
}

async function addEntry(writer: Writer, {path, name, status}: Entry): Promise<void> {
  const header = {...headerOf(status), name};
  const key = `${status.dev}:${status.ino}`;
  const first = status.nlink > 1 ? writer.links.get(key) : undefined;
  if (first !== undefined) return add(writer.archive, {...header, type: 'link', linkname: first});
  if (status.nlink > 1) writer.links.set(key, name);
  if (status.isFile()) return addFile(writer.archive, path, header);
  if (status.isSymbolicLink()) return add(writer.archive, {...header, type: 'symlink', linkname: await readlink(path)});
  if (status.isFIFO()) return add(writer.archive, {...header, type: 'fifo'});
  if (status.isSocket()) return;
  const type = status.isBlockDevice() ? 'block-device' : 'character-device';
  return add(writer.archive, {...header, type, ...deviceNumbers(Number(status.rdev))});
}

type NamedHeader = Partial<Header> & Pick<Header, 'name'>;

function headerOf({mode, uid, gid, mtime}: Stats): Partial<Header> {
  return {mode: Number(mode) & 0o7777, uid: Number(uid), gid: Number(gid), mtime};
}

/** As the kernel packs them into 64 bits (makedev(3)). */
function deviceNumbers(rdev: number): {readonly devmajor: number; readonly devminor: number} {
  const [low, high] = [rdev % 2 ** 32, Math.floor(rdev / 2 ** 32)];
  const devmajor = (Math.floor(low / 2 ** 8) % 2 ** 12) + (high - (high % 2 ** 12));
  return {devmajor, devminor: (low % 2 ** 8) + Math.floor(low / 2 ** 20) * 2 ** 8};
}

function add(archive: Pack, header: NamedHeader): Promise<void> {
  return new Promise((resolve, reject) => {
    archive.entry(header, (error) => (error ? reject(error) : resolve())).end(null);
  });
}

/** What is at the path by now may be something else: a link is not followed, and a pipe does not hold us up. */
async function addFile(archive: Pack, path: string, header: NamedHeader): Promise<void> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const {size} = await file.stat();
  if (size === 0) return add(archive, {...header, size});
  const entry = archive.entry({...header, size});
  await pipeline(contentOf(file, size, path), entry as unknown as NodeJS.WritableStream);
}

const pieceBytes = 1024 * 1024;

/** As many bytes as were announced, whatever is added meanwhile. */
async function* contentOf(file: FileHandle, size: number, path: string): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; ) {
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, size - at));
    const {bytesRead} = await file.read(piece, 0, piece.length, at);
    if (bytesRead === 0) throw new TscomposeError('conflict', `"${path}" became shorter while it was read`);
    at += bytesRead;
    yield piece.subarray(0, bytesRead);
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function explain(error: unknown): Error {
  const {code, path} = error as NodeJS.ErrnoException;
  if (code === 'EACCES' && path !== undefined)
    return new TscomposeError('forbidden', `cannot read "${path}": permission denied`, {cause: error});
  return error as Error;
}
