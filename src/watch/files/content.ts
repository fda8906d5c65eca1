import {createHash} from 'node:crypto';
import {open} from 'node:fs/promises';
import {TscomposeError} from '../../base/errors.ts';
import {identityOf} from './entry.ts';
import {isGone} from './scan.ts';
import type {Put, TreeEntry} from './types.ts';

export interface Content {
  /** Bytes that will be delivered. */
  readonly size: number;
  readonly bytes: AsyncIterable<Uint8Array>;
  /**
   * The entry of what was really delivered, once all bytes have been read: the file may have been written to since it was
   * compared, and what is known of a container has to be what it got.
   */
  delivered(): TreeEntry;
  /** For a content that is not read to its end after all. */
  close(): Promise<void>;
}

const chunkBytes = 256 * 1024;

/**
 * Opens a file that is to be put. Exactly `size` bytes come.
 * @throws TscomposeError `notFound` where it is gone, `conflict` where it became shorter meanwhile: look again.
 */
export async function openContent({path, source}: Put): Promise<Content> {
  const file = await open(source, 'r').catch((cause: unknown) => {
    throw isGone(cause) ? new TscomposeError('notFound', `cannot read ${source}: no such file`, {cause}) : cause;
  });
  const stats = await file.stat();
  if (!stats.isFile()) {
    await file.close();
    throw new TscomposeError('notFound', `cannot read ${source}: it is no file any more`);
  }
  const hash = createHash('sha256');
  let digest: string | undefined;
  async function* bytes(): AsyncGenerator<Uint8Array> {
    try {
      for (let left = stats.size; left > 0; ) {
        const {bytesRead, buffer} = await file.read(Buffer.allocUnsafe(Math.min(chunkBytes, left)), 0);
        if (bytesRead === 0) throw new TscomposeError('conflict', `${source} became shorter while it was read`);
        left -= bytesRead;
        const chunk = buffer.subarray(0, bytesRead);
        hash.update(chunk);
        yield chunk;
      }
      digest = hash.digest('hex');
    } finally {
      await file.close();
    }
  }
  return {
    size: stats.size,
    bytes: bytes(),
    close: () => file.close(),
    delivered() {
      if (digest === undefined) throw new TscomposeError('internal', `${path} has not been read to its end`);
      return {kind: 'file', mode: stats.mode & 0o7777, identity: identityOf(stats), digest};
    },
  };
}
