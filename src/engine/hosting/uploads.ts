import {createHash, type Hash, randomUUID} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {constants, type FileHandle, mkdir, open, readdir, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {sha256Hex} from '../../base/canonical-json.ts';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {unlessAborted} from '../image/abort.ts';
import type {ImageContext} from '../image/context.ts';
import type {ContentSession} from '../image/session.ts';
import {type DigestAlgorithm, formatHash, parseAnyDigest} from './digest.ts';

/** How much may be brought, and how long it waits for the rest. */
export interface UploadLimits {
  /** Bytes of one blob. */
  readonly blobMax: number;
  /** Uploads that were begun and neither finished nor given up. */
  readonly openMax: number;
}

/**
 * Blobs on their way in, each a file that grows: also after the program was killed a client goes on where it was. An upload
 * belongs to its repository; whoever knows its id may go on with it.
 */
export interface Uploads {
  /** Its id; undefined where too many are open. */
  begin(repository: string): Promise<string | undefined>;
  /** Bytes that came so far; undefined for one that is not there. */
  size(upload: UploadName): Promise<number | undefined>;
  /**
   * Appends. What came stays, also where it breaks off. One who writes already is broken off: their client has gone, or it
   * would not come again. Throws `conflict` where another process writes.
   */
  append(upload: UploadName, content: AsyncIterable<Uint8Array>, from?: number): Promise<Appended>;
  /** Puts it into the store. One with other content is forgotten. */
  finish(upload: UploadName, digest: string, session: ContentSession): Promise<Finished>;
  /** False where there was none. */
  cancel(upload: UploadName): Promise<boolean>;
  /** Whether somebody is about to push. */
  isAny(repository: string): Promise<boolean>;
  /** Removes those that nobody has written to since; milliseconds since the epoch. */
  removeOlder(than: number): Promise<void>;
}

export interface UploadName {
  readonly repository: string;
  readonly id: string;
}

/** `outOfOrder`: nothing was written, since it does not begin where the upload ends. `tooLarge`: it is forgotten. */
export type Appended =
  | {readonly kind: 'appended' | 'outOfOrder'; readonly size: number}
  | {readonly kind: 'tooLarge'; readonly most: number}
  | {readonly kind: 'unknown'};

export type Finished =
  | {readonly kind: 'finished'; readonly stored: string}
  | {readonly kind: 'wrong'; readonly found: string}
  | {readonly kind: 'unknown'};

/** An upload that this process has written to: what it has is hashed already. */
interface Writing {
  readonly hash: Hash;
  hashed: number;
  /** Ends the one who writes now. */
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  hasEnded: boolean;
  end(): void;
}

const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const chunkSize = 1024 * 1024;

type UploadContext = Pick<ImageContext, 'layout' | 'helper'>;

export function createUploads({layout, helper}: UploadContext, limits: UploadLimits): Uploads {
  const directory = join(layout.images.hosted, 'uploads');
  const known = new Map<string, Writing>();
  const pathOf = ({repository, id}: UploadName) => join(directory, `${prefixOf(repository)}${id}`);

  const sizeOf = async (upload: UploadName): Promise<number | undefined> => {
    if (!idPattern.test(upload.id)) return undefined;
    return await stat(pathOf(upload)).then(
      ({size}) => size,
      () => undefined,
    );
  };

  /** Alone with the file, among all processes; undefined where there is none. */
  const alone = async <T>(upload: UploadName, work: (writing: Writing, file: FileHandle) => Promise<T>) => {
    if ((await sizeOf(upload)) === undefined) return undefined;
    const path = pathOf(upload);
    const writing = await takeOver(known, path);
    try {
      await using lock = await helper.tryLock(path);
      if (lock === undefined) throw new TscomposeError('conflict', `another process writes to upload ${upload.id}`);
      const file = await openUpload(path, upload.id);
      try {
        return file && (await work(writing, file));
      } finally {
        await file?.close();
      }
    } finally {
      writing.stop.abort();
      writing.end();
    }
  };

  const forget = async (upload: UploadName): Promise<boolean> => {
    const path = pathOf(upload);
    known.get(path)?.stop.abort();
    known.delete(path);
    return await rm(path).then(
      () => true,
      () => false,
    );
  };

  return {
    async begin(repository) {
      await mkdir(directory, {recursive: true, mode: 0o700});
      if ((await readdir(directory)).length >= limits.openMax) return undefined;
      const id = randomUUID();
      const file = await open(pathOf({repository, id}), 'wx', 0o600);
      await file.close();
      return id;
    },

    size: sizeOf,

    async append(upload, content, from) {
      const appended = await alone(upload, async (writing, file): Promise<Appended> => {
        let {size} = await file.stat();
        if (from !== undefined && from !== size) return {kind: 'outOfOrder', size};
        await catchUp(writing, pathOf(upload), size);
        for await (const chunk of untilAborted(content, writing.stop.signal)) {
          if (size + chunk.length > limits.blobMax) return {kind: 'tooLarge', most: limits.blobMax};
          await writeAll(file, chunk);
          writing.hash.update(chunk);
          writing.hashed += chunk.length;
          size += chunk.length;
        }
        return {kind: 'appended', size};
      });
      if (appended?.kind === 'tooLarge') await forget(upload);
      return appended ?? {kind: 'unknown'};
    },

    async finish(upload, digest, session) {
      const path = pathOf(upload);
      const algorithm = parseAnyDigest(digest)?.algorithm ?? 'sha256';
      const finished = await alone(upload, async (writing, file): Promise<Finished> => {
        const {size} = await file.stat();
        await catchUp(writing, path, size);
        const stored = formatHash(writing.hash.copy(), 'sha256');
        const found = algorithm === 'sha256' ? stored : await hashFile(path, algorithm);
        if (found !== digest) return {kind: 'wrong', found};
        await file.datasync();
        await session.blobs.keep([{path, digest: stored, size, head: new Uint8Array()}], session.lease);
        return {kind: 'finished', stored};
      });
      if (finished?.kind === 'wrong') await forget(upload);
      else known.delete(path);
      return finished ?? {kind: 'unknown'};
    },

    async cancel(upload) {
      return (await sizeOf(upload)) !== undefined && (await forget(upload));
    },

    async isAny(repository) {
      const names = await readdir(directory).catch(() => []);
      return names.some((name) => name.startsWith(prefixOf(repository)));
    },

    async removeOlder(than) {
      for (const name of await readdir(directory).catch(() => [])) {
        const path = join(directory, name);
        const file = await stat(path).catch(() => undefined);
        if (file === undefined || file.mtimeMs >= than) continue;
        known.delete(path);
        await rm(path, {force: true});
      }
    },
  };
}

function prefixOf(repository: string): string {
  return `${sha256Hex(repository).slice(0, 32)}-`;
}

/** Whoever wrote before is broken off; of several who come at once, the last one stays. */
async function takeOver(known: Map<string, Writing>, path: string): Promise<Writing> {
  for (let before = known.get(path); before !== undefined && !before.hasEnded; before = known.get(path)) {
    before.stop.abort();
    await before.ended;
  }
  const earlier = known.get(path);
  let settle = () => {};
  const ended = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const writing: Writing = {
    hash: earlier?.hash ?? createHash('sha256'),
    hashed: earlier?.hashed ?? 0,
    stop: new AbortController(),
    ended,
    hasEnded: false,
    end() {
      writing.hasEnded = true;
      settle();
    },
  };
  known.set(path, writing);
  return writing;
}

/** A client may never send another byte, and never close the connection. */
async function* untilAborted(content: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const iterator = content[Symbol.asyncIterator]();
  for (;;) {
    const next = await unlessAborted(iterator.next(), signal);
    if (next.done === true) return;
    yield next.value;
  }
}

/** Never made here: one that is gone was finished or given up. Appends whatever happens. */
async function openUpload(path: string, id: string): Promise<FileHandle | undefined> {
  return await open(path, constants.O_RDWR | constants.O_APPEND).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw toTscomposeError(error, `upload ${id}`);
  });
}

/** What came while another process served, or before this one was killed. */
async function catchUp(writing: Writing, path: string, size: number): Promise<void> {
  if (writing.hashed === size) return;
  const rest = createReadStream(path, {start: writing.hashed, end: size - 1, highWaterMark: chunkSize});
  for await (const chunk of rest) writing.hash.update(chunk as Uint8Array);
  writing.hashed = size;
}

async function hashFile(path: string, algorithm: DigestAlgorithm): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path, {highWaterMark: chunkSize})) hash.update(chunk as Uint8Array);
  return formatHash(hash, algorithm);
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at, chunk.length - at)).bytesWritten;
}
