import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {createGzip} from 'node:zlib';
import type {LayerPacking} from '../../../api/types/build-cache.ts';
import {TscomposeError} from '../../../base/errors.ts';
import {type BlobSource, headOf, storedBlob} from '../../image/blob-source.ts';
import {type Compression, decompress, sniffCompression} from '../../image/compression.ts';
import {layerTypeOf} from '../../image/made-manifest.ts';
import type {LayerRecord} from '../../image/record.ts';
import type {ContentSession} from '../../image/session.ts';
import type {NamedBlob} from './manifest.ts';

/** A layer's archive on its way out; disposing it takes away what was made for it. */
export interface PackedLayer extends AsyncDisposable {
  readonly descriptor: NamedBlob;
  readonly source: BlobSource;
}

export interface Packing extends LayerPacking {
  readonly ociMediaTypes?: boolean;
  readonly signal: AbortSignal;
}

/** Packs a layer as it is asked for, unless it is packed already. Throws `unsupported` for zstd by a Node without it. */
export async function packLayer(session: ContentSession, layer: LayerRecord, packing: Packing): Promise<PackedLayer> {
  const {signal, force = false, compression: asked = 'gzip'} = packing;
  const source = await session.find(layer.blob);
  if (source === undefined) throw new TscomposeError('internal', `blob ${layer.blob} is gone`);
  const has = sniffCompression(await headOf(source, signal));
  const wanted = asked === 'uncompressed' ? 'none' : asked;
  if (has === wanted || (has !== 'none' && !force)) {
    const {size = 0} = source;
    return {descriptor: describe({digest: layer.blob, size}, has, packing), source, async [Symbol.asyncDispose]() {}};
  }
  const staged = await session.blobs.stage(
    compress(decompress(source.read(signal), has), wanted, packing),
    session.lease,
  );
  return {
    descriptor: describe(staged, wanted, packing),
    source: storedBlob(staged),
    [Symbol.asyncDispose]: () => session.blobs.discard(staged),
  };
}

function describe(
  {digest, size}: Pick<NamedBlob, 'digest' | 'size'>,
  compression: Compression,
  {ociMediaTypes = true}: Packing,
): NamedBlob {
  const suffix = compression === 'none' ? '' : `.${compression}`;
  const docker = `application/vnd.docker.image.rootfs.diff.tar${suffix}`;
  return {mediaType: ociMediaTypes ? layerTypeOf(compression) : docker, digest, size};
}

/** Node's gzip says neither when nor of what: the same content gives the same bytes. */
async function* compress(
  content: AsyncIterable<Uint8Array>,
  compression: Compression,
  {level, signal}: Packing,
): AsyncGenerator<Uint8Array> {
  if (compression === 'none') return yield* content;
  const encoder =
    compression === 'zstd' ? createZstd(level) : createGzip({chunkSize, ...(level !== undefined && {level})});
  const feeding = pipeline(Readable.from(content, {objectMode: false}), encoder, {signal});
  feeding.catch(() => undefined);
  yield* encoder;
  await feeding;
}

const chunkSize = 1024 * 1024;

/** `ZSTD_c_compressionLevel` of zstd.h. */
const levelParameter = 100;

interface ZstdOptions {
  readonly chunkSize: number;
  readonly params?: Readonly<Record<number, number>>;
}

/** Node 22.15 and newer have it. */
function createZstd(level: number | undefined): ReturnType<typeof createGzip> {
  const {createZstdCompress: create} = process.getBuiltinModule('node:zlib') as {
    createZstdCompress?: (options: ZstdOptions) => ReturnType<typeof createGzip>;
  };
  if (create !== undefined)
    return create({chunkSize, ...(level === undefined ? {} : {params: {[levelParameter]: level}})});
  throw new TscomposeError('unsupported', `Node ${process.versions.node} cannot compress with zstd`, {
    hint: 'use Node 22.15 or newer, or compression=gzip',
  });
}
