import type {ImageProgress} from '../../api/types/image.ts';
import {createStaging, type Staging} from './archive.ts';
import {type BlobStore, createBlobStore} from './blobs.ts';
import type {Channel} from './channel.ts';
import type {ImageContext} from './context.ts';
import {createLayerStore, type LayerStore} from './layers.ts';
import {tidy} from './tidy.ts';

/** What images are added to the store with. */
export interface StoreChange {
  readonly context: ImageContext;
  readonly blobs: BlobStore;
  readonly staging: Staging;
  readonly layers: LayerStore;
  readonly channel: Channel<ImageProgress>;
  readonly signal: AbortSignal;
}

/**
 * Runs one change of the store alone among all processes (readers need no lock, since records are replaced whole).
 * Nothing stays of one that fails but the images that were whole by then; of one that is killed the next removes the rest.
 */
export async function changeStore(
  context: ImageContext,
  channel: Channel<ImageProgress>,
  signal: AbortSignal,
  run: (change: StoreChange) => Promise<void>,
): Promise<void> {
  const onWait = () => channel.push({status: 'Waiting for another process that changes images'});
  await using lock = await context.helper.lock(context.layout.locks.images, {signal, onWait});
  void lock;
  const layers = createLayerStore(context, await tidy(context));
  const blobs = createBlobStore(context.layout.images.blobs);
  try {
    await using staging = createStaging(blobs);
    await run({context, blobs, staging, layers, channel, signal});
  } catch (error) {
    await tidy(context).catch(() => undefined);
    throw error;
  }
}
