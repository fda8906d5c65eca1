import {createReadStream} from 'node:fs';
import {type FileHandle, open} from 'node:fs/promises';
import {unlessAborted} from './abort.ts';

/** A blob that can be read: a file of the store, or one that is still coming. */
export interface BlobSource {
  readonly digest: string;
  /** Undefined while that is not known. */
  readonly size: number | undefined;
  /** From the first byte on, however often. What may never come is not waited for once the signal is given. */
  read(signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** A file with the whole of it, once `whole` has resolved; one that is made of a directory has none. */
  readonly path: string | undefined;
  /** Resolves once it is whole and its digest checked. */
  readonly whole: Promise<void>;
  /** False while it is coming. */
  readonly isWhole: boolean;
}

const chunkSize = 1024 * 1024;

/** The archive of a layer that has only its directory. */
export function madeBlob({digest, size, read}: Pick<BlobSource, 'digest' | 'size' | 'read'>): BlobSource {
  return {digest, size, read, path: undefined, whole: Promise.resolve(), isWhole: true};
}

export function storedBlob({
  digest,
  size,
  path,
}: Pick<BlobSource, 'digest' | 'size'> & {readonly path: string}): BlobSource {
  return {
    ...{digest, size, path, whole: Promise.resolve(), isWhole: true},
    read: () => createReadStream(path, {highWaterMark: chunkSize}),
  };
}

/** The first bytes of one, for telling its compression: they may still have to come. */
export async function headOf(source: BlobSource, signal?: AbortSignal): Promise<Uint8Array> {
  const length = 8;
  let head = new Uint8Array();
  for await (const chunk of source.read(signal)) {
    head = Buffer.concat([head, chunk.subarray(0, length - head.length)]);
    if (head.length === length) break;
  }
  return head;
}

export interface Follower {
  readonly source: BlobSource;
  /** So many bytes are in the file. */
  advance(size: number): void;
  /** It is whole, and has its last name. */
  finish(): void;
  /** Readers get the error. */
  fail(error: unknown): void;
}

interface Followed {
  readonly digest: string;
  readonly path: string;
  /** Its name once it is whole. */
  readonly last: string;
  /** Bytes that are in it. */
  readonly initial: number;
}

/** A file that another part of this process appends to, read by anybody at any speed. */
export function followFile({digest, path, last, initial}: Followed): Follower {
  let size = initial;
  let isWhole = false;
  let failure: {readonly error: unknown} | undefined;
  const waiting: (() => void)[] = [];
  const wake = () => {
    for (const resume of waiting.splice(0)) resume();
  };
  let settle: {readonly resolve: () => void; readonly reject: (error: unknown) => void} | undefined;
  const whole = new Promise<void>((resolve, reject) => {
    settle = {resolve, reject};
  });
  whole.catch(() => undefined);
  const source: BlobSource = {
    digest,
    whole,
    get size() {
      return isWhole ? size : undefined;
    },
    get path() {
      return isWhole ? last : path;
    },
    get isWhole() {
      return isWhole;
    },
    async *read(signal) {
      const file = await openEither(path, last);
      try {
        for (let at = 0; ; ) {
          if (failure) throw failure.error;
          if (at < size) {
            const chunk = await readChunk(file, at, Math.min(size - at, chunkSize));
            at += chunk.length;
            if (chunk.length > 0) yield chunk;
          } else if (isWhole) return;
          else {
            const more = new Promise<void>((resolve) => waiting.push(resolve));
            await (signal ? unlessAborted(more, signal) : more);
          }
        }
      } finally {
        await file.close();
      }
    },
  };
  return {
    source,
    advance(now) {
      size = now;
      wake();
    },
    finish() {
      isWhole = true;
      settle?.resolve();
      wake();
    },
    fail(error) {
      failure = {error};
      settle?.reject(error);
      wake();
    },
  };
}

/** It may just have got its last name. */
async function openEither(path: string, last: string): Promise<FileHandle> {
  return await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return open(last, 'r');
    throw error;
  });
}

async function readChunk(file: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(length);
  const {bytesRead} = await file.read(buffer, 0, length, at);
  return buffer.subarray(0, bytesRead);
}
