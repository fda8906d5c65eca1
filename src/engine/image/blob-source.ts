import {createReadStream} from 'node:fs';
import {type FileHandle, open} from 'node:fs/promises';
import {unlessAborted} from './abort.ts';

/** A blob that can be read: a file of the store, or one that is still coming. */
export interface BlobSource {
  readonly digest: string;
  /** From the first byte on, however often. What may never come is not waited for once the signal is given. */
  read(signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Where the whole of it is, once `whole` has resolved. */
  readonly path: string;
  /** Resolves once it is whole and its digest checked. */
  readonly whole: Promise<void>;
  /** False while it is coming. */
  readonly isWhole: boolean;
}

const chunkSize = 1024 * 1024;

export function storedBlob({digest, path}: {readonly digest: string; readonly path: string}): BlobSource {
  return {
    ...{digest, path, whole: Promise.resolve(), isWhole: true},
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
  /** It is whole, and at this path from now on. */
  finish(path: string): void;
  /** Readers get the error. */
  fail(error: unknown): void;
}

/** A file that another part of this process appends to, read by anybody at any speed. */
export function followFile(first: string, digest: string, initial: number): Follower {
  let path = first;
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
    get path() {
      return path;
    },
    get isWhole() {
      return isWhole;
    },
    async *read(signal) {
      // The same file also after it got its last name.
      const file = await open(path, 'r');
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
    finish(last) {
      path = last;
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

async function readChunk(file: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(length);
  const {bytesRead} = await file.read(buffer, 0, length, at);
  return buffer.subarray(0, bytesRead);
}
