import {type BlobStore, createBlobStore} from './blobs.ts';
import type {ImageContext} from './context.ts';
import {reachableFrom} from './descriptors.ts';
import {
  type ImageRecord,
  listImages,
  listPins,
  listReferences,
  type PinRecord,
  type ReferenceRecord,
} from './record.ts';

export interface Records {
  readonly images: readonly ImageRecord[];
  readonly references: readonly ReferenceRecord[];
  readonly pins: readonly PinRecord[];
}

/** Everything that records need, by digest and directory. */
export interface Reachable extends Records {
  readonly blobs: ReadonlySet<string>;
  readonly layers: ReadonlySet<string>;
}

export async function findReachable({layout}: Pick<ImageContext, 'layout'>): Promise<Reachable> {
  const [images, references, pins] = await Promise.all([listImages(layout), listReferences(layout), listPins(layout)]);
  return await reachableBy(createBlobStore(layout.images.blobs), {images, references, pins});
}

/**
 * What images, names and pins lead to. Of an index also the manifests that are there, with what they name: its other
 * platforms and attestations are passed on as they came.
 */
export async function reachableBy(store: BlobStore, records: Records): Promise<Reachable> {
  const {images, references, pins} = records;
  const blobs = new Set([...images.flatMap(blobsOf), ...pins.flatMap((pin) => pin.blobs)]);
  for (const {target} of references) {
    if (target) for (const digest of await reachableFrom(store, target)) blobs.add(digest);
  }
  const directories = images.flatMap((image) => image.layers.map(({directory}) => directory));
  return {...records, blobs, layers: new Set([...directories, ...pins.flatMap((pin) => pin.layers)])};
}

function blobsOf({id, manifest, layers}: ImageRecord): readonly string[] {
  return [id, ...(manifest === undefined ? [] : [manifest]), ...layers.map(({blob}) => blob)];
}
