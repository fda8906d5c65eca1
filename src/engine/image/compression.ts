import {Readable} from 'node:stream';
import type {Gunzip} from 'node:zlib';
import {TscomposeError} from '../../base/errors.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

/** Chunks of this size cost a quarter less time than Node's 16 KiB. */
const chunkSize = 1024 * 1024;

/** Tells it from the first bytes, since media types are often wrong. Throws `unsupported` for one that nothing here reads. */
export function sniffCompression(head: Uint8Array): Compression {
  const starts = (...bytes: readonly number[]) => bytes.every((byte, index) => head[index] === byte);
  if (starts(0x1f, 0x8b)) return 'gzip';
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) throw unsupported('xz', 'unxz');
  if (starts(0x42, 0x5a, 0x68)) throw unsupported('bzip2', 'bunzip2');
  return 'none';
}

function unsupported(format: string, program: string): TscomposeError {
  return new TscomposeError('unsupported', `the archive is compressed with ${format}, which is not supported`, {
    hint: `decompress it first ("${program}")`,
  });
}

/** From where on what data expands to is watched, and how often its own size it may be. */
export interface ExpansionLimit {
  readonly freeBytes: number;
  readonly ratio: number;
}

/** Layers shrink to a third; a file system of zeros to a hundredth. A bomb of gzip has a ratio of a thousand, of zstd any. */
const expansionLimit: ExpansionLimit = {freeBytes: 1024 ** 3, ratio: 500};

/**
 * The content of a stream, decompressed. Throws `invalid` for damaged data and for a bomb, `unsupported` for zstd on a Node
 * without it.
 */
export function decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  limit: ExpansionLimit = expansionLimit,
): AsyncIterable<Uint8Array> {
  if (compression === 'none') return source;
  const decoder = compression === 'gzip' ? loadZlib().createGunzip({chunkSize}) : createZstd();
  const read = {bytes: 0};
  const input = Readable.from(counted(source, read), {objectMode: false});
  input.on('error', (error) => decoder.destroy(error));
  decoder.on('close', () => input.destroy());
  return limited(named(input.pipe(decoder), compression), {read, compression, limit});
}

async function* counted(source: AsyncIterable<Uint8Array>, read: {bytes: number}): AsyncIterable<Uint8Array> {
  for await (const chunk of source) {
    read.bytes += chunk.length;
    yield chunk;
  }
}

async function* limited(
  content: AsyncIterable<Uint8Array>,
  {
    read,
    compression,
    limit: {freeBytes, ratio},
  }: {readonly read: {readonly bytes: number}; readonly compression: Compression; readonly limit: ExpansionLimit},
): AsyncIterable<Uint8Array> {
  let written = 0;
  for await (const chunk of content) {
    written += chunk.length;
    if (written > freeBytes && written > read.bytes * ratio) {
      throw new TscomposeError('invalid', `the ${compression} data expands to more than ${ratio} times its size`, {
        hint: 'it is a bomb, made to fill the disk; what is really so empty can be loaded decompressed',
      });
    }
    yield chunk;
  }
}

async function* named(source: AsyncIterable<Uint8Array>, compression: Compression): AsyncIterable<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    // zlib's own codes: Z_DATA_ERROR, Z_BUF_ERROR (cut off), ZSTD_error_….
    if (!/^Z_|^ZSTD_/.test(String((error as NodeJS.ErrnoException).code))) throw error;
    throw new TscomposeError('invalid', `the ${compression} data is damaged or cut off`, {cause: error});
  }
}

/** When an archive is read: most commands never read one. */
function loadZlib(): typeof import('node:zlib') {
  return process.getBuiltinModule('node:zlib');
}

/** Node 22.15 and newer have it. */
function createZstd(): NodeJS.ReadWriteStream & AsyncIterable<Uint8Array> & {destroy(error?: Error): void} {
  const {createZstdDecompress: create} = loadZlib() as {
    createZstdDecompress?: (options: {chunkSize: number}) => Gunzip;
  };
  if (create) return create({chunkSize});
  throw new TscomposeError(
    'unsupported',
    `the archive is compressed with zstd, which Node ${process.versions.node} cannot read`,
    {
      hint: 'use Node 22.15 or newer, or decompress it first ("zstd -d")',
    },
  );
}

/** The first bytes of a stream, and the whole of it to be read afterwards. */
export async function peek(
  source: AsyncIterable<Uint8Array>,
  length: number,
): Promise<{readonly head: Uint8Array; readonly content: AsyncIterable<Uint8Array>}> {
  const iterator = source[Symbol.asyncIterator]();
  const taken: Uint8Array[] = [];
  let size = 0;
  while (size < length) {
    const next = await iterator.next();
    if (next.done) break;
    taken.push(next.value);
    size += next.value.length;
  }
  async function* content(): AsyncIterable<Uint8Array> {
    try {
      yield* taken;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return {head: Buffer.concat(taken).subarray(0, length), content: content()};
}
