import {Readable} from 'node:stream';
import type {Gunzip} from 'node:zlib';
import {TscomposeError} from '../../base/errors.ts';

/** Of layers: what registries know. */
export type Compression = 'none' | 'gzip' | 'zstd';
/** Of archives that people give. */
export type ArchiveCompression = Compression | 'xz' | 'bzip2';

/** Chunks of this size cost a quarter less time than Node's 16 KiB. */
const chunkSize = 1024 * 1024;

/** Tells it from the first bytes, since media types are often wrong. Throws `unsupported` for one that no layer has. */
export function sniffCompression(head: Uint8Array): Compression {
  const found = sniffArchive(head);
  if (found !== 'xz' && found !== 'bzip2') return found;
  throw new TscomposeError('unsupported', `the layer is compressed with ${found}, which no registry knows`, {
    hint: `decompress it first ("${found === 'xz' ? 'unxz' : 'bunzip2'}")`,
  });
}

/** The same of an archive, which may be compressed in more ways. */
export function sniffArchive(head: Uint8Array): ArchiveCompression {
  const starts = (...bytes: readonly number[]) => bytes.every((byte, index) => head[index] === byte);
  if (starts(0x1f, 0x8b)) return 'gzip';
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  // A frame to skip, with which pzstd begins (RFC 8878, section 3.1.2).
  if (((head[0] ?? 0) & 0xf0) === 0x50 && [0x2a, 0x4d, 0x18].every((byte, index) => head[index + 1] === byte))
    return 'zstd';
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz';
  if (starts(0x42, 0x5a, 0x68) && (head.length < 4 || ((head[3] ?? 0) >= 0x31 && (head[3] ?? 0) <= 0x39)))
    return 'bzip2';
  return 'none';
}

/** From where on what data expands to is watched, and how often its own size it may be. */
export interface ExpansionLimit {
  readonly freeBytes: number;
  readonly ratio: number;
}

/** Layers shrink to a third; a file system of zeros to a hundredth. A bomb of gzip has a ratio of a thousand, of zstd any. */
const expansionLimit: ExpansionLimit = {freeBytes: 1024 ** 3, ratio: 500};

/** The content of a stream, decompressed. Throws `invalid` for damaged data and for a bomb. */
export function decompress(
  source: AsyncIterable<Uint8Array>,
  compression: ArchiveCompression,
  limit: ExpansionLimit = expansionLimit,
): AsyncIterable<Uint8Array> {
  if (compression === 'none') return source;
  const read: Input = {bytes: 0};
  const content = decoders[compression](counted(source, read));
  return limited(named(content, {read, compression}), {read, compression, limit});
}

/** What went into a decoder, and where the source failed: that is not the data's fault. */
interface Input {
  bytes: number;
  error?: unknown;
}

type Decode = (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

const decoders: Readonly<Record<Exclude<ArchiveCompression, 'none'>, Decode>> = {
  gzip: (source) => throughNode(source, loadZlib().createGunzip({chunkSize})),
  zstd: (source) => {
    const native = createZstd();
    return native ? throughNode(source, native) : lazily(source, 'decodeZstd');
  },
  xz: (source) => lazily(source, 'decodeXz'),
  bzip2: (source) => lazily(source, 'decodeBzip2'),
};

function throughNode(
  source: AsyncIterable<Uint8Array>,
  decoder: NodeJS.ReadWriteStream & AsyncIterable<Uint8Array> & {destroy(error?: Error): void},
): AsyncIterable<Uint8Array> {
  const input = Readable.from(source, {objectMode: false});
  input.on('error', (error) => decoder.destroy(error));
  // Whoever reads it hears of an error, and before that nobody does.
  decoder.on('error', () => undefined);
  decoder.on('close', () => input.destroy());
  return input.pipe(decoder);
}

async function* lazily(
  source: AsyncIterable<Uint8Array>,
  name: 'decodeZstd' | 'decodeXz' | 'decodeBzip2',
): AsyncIterable<Uint8Array> {
  yield* (await import('./decoders.ts'))[name](source);
}

async function* counted(source: AsyncIterable<Uint8Array>, read: Input): AsyncIterable<Uint8Array> {
  try {
    for await (const chunk of source) {
      read.bytes += chunk.length;
      yield chunk;
    }
  } catch (error) {
    read.error = error;
    throw error;
  }
}

async function* limited(
  content: AsyncIterable<Uint8Array>,
  {
    read,
    compression,
    limit: {freeBytes, ratio},
  }: {readonly read: Input; readonly compression: ArchiveCompression; readonly limit: ExpansionLimit},
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

async function* named(
  content: AsyncIterable<Uint8Array>,
  {read, compression}: {readonly read: Input; readonly compression: ArchiveCompression},
): AsyncIterable<Uint8Array> {
  try {
    yield* content;
  } catch (error) {
    if (read.error !== undefined) throw read.error;
    if ((error as {readonly code?: unknown}).code === windowTooLarge) throw tooWide(error);
    if (error instanceof TscomposeError || (error as Error).name === 'AbortError') throw error;
    throw new TscomposeError('invalid', `the ${compression} data is damaged or cut off`, {cause: error});
  }
}

/** Of the decoder for Nodes without zstd. */
const windowTooLarge = 1;

function tooWide(cause: unknown): TscomposeError {
  return new TscomposeError('unsupported', 'the zstd data needs a window of more than 32 MiB', {
    cause,
    hint: 'use Node 22.15 or newer, or decompress it first ("zstd -d --long=31")',
  });
}

/** When an archive is read: most commands never read one. */
function loadZlib(): typeof import('node:zlib') {
  return process.getBuiltinModule('node:zlib');
}

/** Node 22.15 and newer have it. */
function createZstd(): Gunzip | undefined {
  const {createZstdDecompress: create} = loadZlib() as {
    createZstdDecompress?: (options: {chunkSize: number}) => Gunzip;
  };
  return create?.({chunkSize});
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
