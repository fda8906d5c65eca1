import {formatNanoseconds, unixNanoseconds} from '../../clock.ts';
import {madeBlob} from '../../image/blob-source.ts';
import {clampedArchive} from '../../image/made-layer.ts';
import type {LayerRecord} from '../../image/record.ts';
import {unpackArchive} from '../../image/unpack-process.ts';
import {type BuildCache, keyOf} from '../cache.ts';
import type {BuildWork} from '../context.ts';
import type {Snapshot} from '../snapshot.ts';

export interface Clamping {
  /** Layers of the image below: they stay as they are. */
  readonly below: number;
  /** Seconds. */
  readonly latest: number;
  readonly cache: BuildCache;
  readonly signal: AbortSignal;
}

/** The layers that were built with no time in them later than `latest`: copies, made once and kept in the cache. */
export function clampTimes(context: BuildWork, snapshot: Snapshot, clamping: Clamping): Promise<Snapshot> {
  return Promise.all(
    snapshot.map((layer, index) => (index < clamping.below ? layer : clampLayer(context, layer, clamping))),
  );
}

const title = 'times of a layer';

async function clampLayer(
  context: BuildWork,
  layer: LayerRecord,
  {latest, cache, signal}: Clamping,
): Promise<LayerRecord> {
  const key = keyOf({parent: '', definition: {kind: 'times', latest}, files: layer.diffId});
  const known = await cache.find(key, title);
  if (known !== undefined) return known.layer;
  const {images, session} = context;
  const directory = images.layout.images.layer(layer.directory);
  const archive = madeBlob({
    digest: layer.diffId,
    size: layer.made ?? 0,
    read: () => clampedArchive(images, directory, {latest, signal}),
  });
  await using made = await session.layers.begin();
  await unpackArchive(images.helper, {archive, compression: 'none', destination: made.path, lowers: []}, signal);
  const clamped = await made.keep(signal);
  const created = formatNanoseconds(unixNanoseconds(images.now));
  await cache.keep(key, {layer: clamped, created, title});
  return clamped;
}
