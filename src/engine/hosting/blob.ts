import {createReadStream} from 'node:fs';
import {type FileHandle, open} from 'node:fs/promises';
import type {ImageContext} from '../image/context.ts';
import {readLayer} from '../image/record.ts';
import {openSession} from '../image/session.ts';

/** A blob that is being served. It has to be closed, or read to its end. */
export interface HostedBlob {
  readonly size: number;
  /** Whether parts can be read, or only the whole. */
  readonly hasParts: boolean;
  /** `start` and `end` are the first and the last byte, both read. Closes it. */
  read(part?: {readonly start: number; readonly end: number}): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

const chunkSize = 1024 * 1024;

/** The file stays readable once it is open, also when it is removed. A layer without an archive gets one as it is read. */
export async function openBlob(context: ImageContext, digest: string): Promise<HostedBlob | undefined> {
  const {layout} = context;
  const hex = digest.slice('sha256:'.length);
  const file = await open(`${layout.images.blobs}/${hex}`, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file !== undefined) return await fileBlob(file);
  const made = (await readLayer(layout, hex))?.made;
  if (made === undefined) return undefined;
  return {
    size: made,
    hasParts: false,
    async *read() {
      await using session = await openSession(context);
      const source = await session.find(digest);
      if (source) yield* source.read();
    },
    async close() {},
  };
}

async function fileBlob(file: FileHandle): Promise<HostedBlob> {
  const {size} = await file.stat();
  return {
    size,
    hasParts: true,
    read: (part) => createReadStream('', {fd: file, highWaterMark: chunkSize, ...part}),
    close: () => file.close(),
  };
}
