import {TscomposeError} from '../../../base/errors.ts';
import type {Descriptor} from '../../image/descriptors.ts';
import {type LayerRecord, readLayer} from '../../image/record.ts';
import type {BlobSink} from '../../registry/download.ts';
import type {BuildWork} from '../context.ts';

/** What a cache elsewhere has under a key. */
export interface TakenStep {
  readonly layer: LayerRecord;
  readonly created: string;
}

/** A cache elsewhere, as far as it was read. */
export interface OpenedCache {
  readonly isForeign: boolean;
  /** Brings the layer that is there under a key, and checks it. Undefined: there is none. */
  take(key: string): Promise<TakenStep | undefined>;
}

/** A layer that can be fetched. */
export interface OfferedStep {
  readonly created: string;
  readonly diffId: string;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
}

export interface OfferedSteps {
  readonly steps: ReadonlyMap<string, OfferedStep>;
  readonly isForeign: boolean;
  readonly fetch: (descriptor: OfferedStep['descriptor'], sink: BlobSink, signal: AbortSignal) => Promise<void>;
}

/** A cache whose layers come when they are asked for, and not before. */
export function openOffered(context: BuildWork, offered: OfferedSteps, signal: AbortSignal): OpenedCache {
  return {
    isForeign: offered.isForeign,
    async take(key) {
      const step = offered.steps.get(key);
      if (step === undefined) return undefined;
      const layer = (await findLayer(context, step)) ?? (await bring(context, offered, step, signal));
      if (layer.implied === undefined) return {layer, created: step.created};
      throw new TscomposeError('invalid', `layer ${step.diffId} leaves out directories that its files are in`);
    },
  };
}

/** The same files made here are as good as those that would come. */
async function findLayer({images, session}: BuildWork, {diffId}: OfferedStep): Promise<LayerRecord | undefined> {
  const directory = diffId.slice('sha256:'.length);
  const found = (await session.layers.has(directory)) ? await readLayer(images.layout, directory) : undefined;
  if (found?.made === undefined) return undefined;
  const {v: _version, boot: _boot, ...layer} = found;
  return layer;
}

/** The archive is checked by its digest, and what it unpacks to by the diff ID. */
async function bring(
  {session}: BuildWork,
  {fetch}: OfferedSteps,
  {diffId, descriptor}: OfferedStep,
  signal: AbortSignal,
): Promise<LayerRecord> {
  await using ingest = await session.ingest({...descriptor, signal});
  if (!ingest.present) {
    await fetch(descriptor, ingest, signal);
    await ingest.commit();
  }
  const [layer] = await session.layers.provide([{diffId, blob: ingest.source}], {signal, onProgress: () => {}});
  if (layer === undefined) throw new TscomposeError('internal', `layer ${diffId} did not come`);
  return layer;
}
