import {createHash} from 'node:crypto';
import {type FileHandle, open, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {readFile} from '../at-once.ts';
import {syncDirectory} from '../record-store.ts';
import type {Lease} from './lease.ts';

/** Content that was written under a temporary name and is not a blob yet. */
export interface StagedBlob {
  readonly path: string;
  readonly digest: string;
  readonly size: number;
  /** The first bytes, for telling compression. */
  readonly head: Uint8Array;
}

/** Files kept under the SHA-256 of their content: the OCI layout's `blobs/sha256`. */
export interface BlobStore {
  path(digest: string): string;
  /** Writes content beside the blobs and hashes it on the way. */
  stage(content: AsyncIterable<Uint8Array>, lease: Lease): Promise<StagedBlob>;
  /** Staged content then survives a power loss. */
  sync(blob: StagedBlob): Promise<void>;
  /** Gives staged and synced contents their names, which the lease then holds. */
  keep(blobs: readonly StagedBlob[], lease: Lease): Promise<void>;
  discard(blob: StagedBlob): Promise<void>;
  /** The content of a small one, checked against its digest. Throws `notFound`, `internal`. */
  read(digest: string): Promise<Uint8Array>;
  /** One that is kept, as one that was staged is told of. Throws `notFound`. */
  describe(digest: string): Promise<StagedBlob>;
}

/** So many bytes tell a compression. */
export const headLength = 8;

export function createBlobStore(directory: string): BlobStore {
  const path = (digest: string): string => join(directory, digest.slice('sha256:'.length));
  return {
    path,

    async stage(content, lease) {
      const temporary = join(directory, lease.temporaryName());
      const file = await open(temporary, 'wx', 0o600).catch((error) => Promise.reject(explain(error, temporary)));
      try {
        return {path: temporary, ...(await writeHashed(file, content))};
      } catch (error) {
        await rm(temporary, {force: true});
        throw explain(error, temporary);
      } finally {
        await file.close();
      }
    },

    async sync(blob) {
      const file = await open(blob.path, 'r+');
      try {
        await file.datasync();
      } finally {
        await file.close();
      }
    },

    async keep(staged, lease) {
      await lease.hold({blobs: staged.map(({digest}) => digest)}, async () => {
        for (const blob of staged) await rename(blob.path, path(blob.digest));
      });
      await syncDirectory(directory);
    },

    async discard(blob) {
      await rm(blob.path, {force: true});
    },

    async read(digest) {
      const bytes = await readFile(path(digest)).catch((cause) => Promise.reject(missing(digest, cause)));
      const found = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      if (found !== digest) throw new TscomposeError('internal', `blob ${digest} is damaged: its content is ${found}`);
      return bytes;
    },

    async describe(digest) {
      const file = await open(path(digest), 'r').catch((cause) => Promise.reject(missing(digest, cause)));
      try {
        const {bytesRead, buffer} = await file.read(Buffer.alloc(headLength), 0, headLength, 0);
        return {path: path(digest), digest, size: (await file.stat()).size, head: buffer.subarray(0, bytesRead)};
      } finally {
        await file.close();
      }
    },
  };
}

function missing(digest: string, cause: unknown): TscomposeError {
  return new TscomposeError('notFound', `blob ${digest} is missing`, {cause});
}

async function writeHashed(file: FileHandle, content: AsyncIterable<Uint8Array>): Promise<Omit<StagedBlob, 'path'>> {
  const hash = createHash('sha256');
  let size = 0;
  let head = new Uint8Array();
  for await (const chunk of content) {
    if (head.length < headLength) head = Buffer.concat([head, chunk.subarray(0, headLength - head.length)]);
    hash.update(chunk);
    size += chunk.length;
    for (let offset = 0; offset < chunk.length; ) {
      offset += (await file.write(chunk, offset, chunk.length - offset)).bytesWritten;
    }
  }
  return {digest: `sha256:${hash.digest('hex')}`, size, head};
}

function explain(error: unknown, path: string): TscomposeError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new TscomposeError('exhausted', `cannot write ${path}: no space left on the disk`, {cause: error});
  }
  return toTscomposeError(error, `cannot write ${path}`);
}
