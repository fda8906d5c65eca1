import {createHash, type Hash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {type FileHandle, open, rename, rm} from 'node:fs/promises';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {syncDirectory} from '../record-store.ts';
import {type BlobSource, followFile, storedBlob} from './blob-source.ts';
import type {BlobStore} from './blobs.ts';
import type {ImageContext} from './context.ts';
import type {Lease} from './lease.ts';

export interface IngestRequest {
  readonly digest: string;
  /** What it says it has: more is refused at once, less at the end. */
  readonly size?: number | undefined;
  readonly signal: AbortSignal;
  /** Called once when another process brings the same blob. */
  readonly onWait?: (() => void) | undefined;
}

/**
 * A blob on its way into the store, of a known digest. One process at a time brings it; the others wait and find it there.
 * What has come stays until it is whole, also when the process dies: the next one goes on from there.
 */
export interface Ingest extends AsyncDisposable {
  readonly digest: string;
  /** It is in the store: nothing is to be written. */
  readonly present: boolean;
  /** Bytes that came earlier: the next one that is written is the one after these. */
  readonly offset: number;
  write(chunk: Uint8Array): Promise<void>;
  /** Forgets what came earlier: the other side cannot go on from there. */
  restart(): Promise<void>;
  /** Checks size and digest, then it is in the store. Throws `invalid`, and what came is thrown away. */
  commit(): Promise<void>;
  /** Its content from the first byte on, also while it comes. */
  readonly source: BlobSource;
}

interface IngestContext extends Pick<ImageContext, 'layout' | 'helper'> {
  readonly blobs: BlobStore;
  readonly lease: Lease;
}

export async function openIngest(context: IngestContext, request: IngestRequest): Promise<Ingest> {
  const {layout, helper, blobs, lease} = context;
  const {digest, signal, onWait} = request;
  const isThere = () => lease.hold({blobs: [digest]}, () => blobs.describe(digest).catch(() => undefined));
  const found = await isThere();
  if (found) return present(digest, storedBlob(found));
  const lockPath = layout.locks.blob(digest);
  const lock = await helper.lock(lockPath, {signal, ...(onWait && {onWait})});
  const unlock = async () => {
    await rm(lockPath, {force: true});
    await lock[Symbol.asyncDispose]();
  };
  try {
    const meanwhile = await isThere();
    if (meanwhile) {
      await unlock();
      return present(digest, storedBlob(meanwhile));
    }
    return await begin(context, request, unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

function present(digest: string, source: BlobSource): Ingest {
  const never = () => Promise.reject(new TscomposeError('conflict', `blob ${digest} is in the store already`));
  return {
    ...{digest, present: true, offset: 0, source, write: never, restart: never, commit: never},
    async [Symbol.asyncDispose]() {},
  };
}

async function begin(
  {layout, blobs, lease}: IngestContext,
  {digest, size}: IngestRequest,
  unlock: () => Promise<void>,
): Promise<Ingest> {
  const path = layout.images.ingest(digest);
  const file = await open(path, 'a+', 0o600).catch((error) => Promise.reject(explain(error, path)));
  let state = await resume(file, path, size).catch(async (error: unknown) => {
    await file.close();
    throw error;
  });
  const follower = followFile({digest, path, last: blobs.path(digest), initial: state.offset});
  let ended = false;
  const end = async (tell: () => void) => {
    if (ended) return;
    ended = true;
    await file.close();
    tell();
    await unlock();
  };
  const refuse = async (message: string): Promise<never> => {
    const error = new TscomposeError('invalid', `blob ${digest} is damaged: ${message}`);
    await rm(path, {force: true});
    await end(() => follower.fail(error));
    throw error;
  };
  return {
    digest,
    present: false,
    get offset() {
      return state.offset;
    },
    source: follower.source,
    async write(chunk) {
      if (size !== undefined && state.offset + chunk.length > size) await refuse(`it has more than ${size} bytes`);
      state.hash.update(chunk);
      await append(file, chunk).catch((error) => Promise.reject(explain(error, path)));
      state.offset += chunk.length;
      follower.advance(state.offset);
    },
    async restart() {
      await file.truncate(0);
      state = {offset: 0, hash: createHash('sha256')};
      follower.advance(0);
    },
    async commit() {
      if (size !== undefined && state.offset !== size) await refuse(`it has ${state.offset} bytes, not ${size}`);
      const foundDigest = `sha256:${state.hash.digest('hex')}`;
      if (foundDigest !== digest) await refuse(`its content is ${foundDigest}`);
      await file.datasync();
      await lease.hold({blobs: [digest]}, () => rename(path, blobs.path(digest)));
      await syncDirectory(layout.images.blobs);
      await end(() => follower.finish());
    },
    async [Symbol.asyncDispose]() {
      await end(() => follower.fail(new TscomposeError('canceled', `blob ${digest} did not come whole`)));
    },
  };
}

/** What came earlier, hashed. More than there can be is of another mind. */
async function resume(file: FileHandle, path: string, size?: number): Promise<{offset: number; readonly hash: Hash}> {
  const hash = createHash('sha256');
  const {size: has} = await file.stat();
  if (size !== undefined && has > size) {
    await file.truncate(0);
    return {offset: 0, hash};
  }
  if (has > 0) for await (const chunk of createReadStream(path, {highWaterMark: 1024 * 1024})) hash.update(chunk);
  return {offset: has, hash};
}

async function append(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at, chunk.length - at)).bytesWritten;
}

function explain(error: unknown, path: string): TscomposeError {
  const {code} = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new TscomposeError('exhausted', `cannot write ${path}: no space left on the disk`, {cause: error});
  return toTscomposeError(error, `cannot write ${path}`);
}
