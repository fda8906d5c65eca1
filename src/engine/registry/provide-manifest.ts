import {pipeline} from 'node:stream/promises';
import {createGzip} from 'node:zlib';
import type {ImageProgress} from '../../api/types/image.ts';
import {mapLimited} from '../../base/concurrency.ts';
import {TscomposeError} from '../../base/errors.ts';
import {type BlobSource, headOf} from '../image/blob-source.ts';
import type {Channel} from '../image/channel.ts';
import {sniffCompression} from '../image/compression.ts';
import {type LayerDescriptor, layerTypeOf, makeManifest} from '../image/made-manifest.ts';
import type {ImageRecord, LayerRecord, ReferenceRecord} from '../image/record.ts';
import type {ContentSession} from '../image/session.ts';
import type {PushTree} from './push-tree.ts';
import {shortDigest} from './transfer-progress.ts';

/** Layers that are compressed at the same time. */
const compressionsMax = 2;

/**
 * The manifest of an image that has none because it was made here: its layers are compressed, and the image keeps it all,
 * so that the next push, or the same image from the registry, is the same.
 */
export async function provideManifest(
  {
    session,
    channel,
    signal,
  }: {readonly session: ContentSession; readonly channel: Channel<ImageProgress>; readonly signal: AbortSignal},
  {reference}: ReferenceRecord,
  image: ImageRecord,
): Promise<PushTree> {
  const layers = await mapLimited(image.layers, compressionsMax, (layer) =>
    provideCompressed(session, channel, layer, signal),
  );
  const {bytes, mediaType, digest, config} = await makeManifest(session.blobs, image.id, layers);
  await session.addBlob(bytes);
  await session.addManifest(image.id, {reference, target: {mediaType, digest, size: bytes.length}});
  const blobs = new Map([config, ...layers].map((blob) => [blob.digest, blob]));
  return {root: {bytes, mediaType, digest}, children: [], blobs: [...blobs.values()]};
}

async function provideCompressed(
  session: ContentSession,
  channel: Channel<ImageProgress>,
  layer: LayerRecord,
  signal: AbortSignal,
): Promise<LayerDescriptor> {
  const source = await session.find(layer.blob);
  if (source === undefined) throw new TscomposeError('internal', `blob ${layer.blob} is gone`);
  const compression = sniffCompression(await headOf(source, signal));
  if (compression === 'gzip' || compression === 'zstd') {
    const {size} = await session.blobs.describe(layer.blob);
    return {mediaType: layerTypeOf(compression), digest: layer.blob, size};
  }
  channel.push({status: 'Preparing', progressDetail: {}, id: shortDigest(layer.blob)});
  const {digest, size} = await session.addBlob(compressed(source, signal));
  return {mediaType: layerTypeOf('gzip'), digest, size};
}

/** Node's gzip says neither when nor of what: the same content gives the same bytes. */
async function* compressed(source: BlobSource, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const gzip = createGzip({chunkSize: 1024 * 1024});
  const feeding = pipeline(source.read(signal), gzip, {signal});
  feeding.catch(() => undefined);
  yield* gzip;
  await feeding;
}
