import {hostedBlobs} from '../hosting/records.ts';
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
  /** Blobs of the registry of this root. */
  readonly hosted: readonly string[];
}

/** Everything that records need, by digest and directory. */
export interface Reachable extends Records {
  readonly blobs: ReadonlySet<string>;
  readonly layers: ReadonlySet<string>;
}

export async function findReachable(context: Pick<ImageContext, 'layout'>): Promise<Reachable> {
  return await reachableBy(createBlobStore(context.layout.images.blobs), await readRecords(context));
}

export async function readRecords({layout}: Pick<ImageContext, 'layout'>): Promise<Records> {
  const [images, references, pins, hosted] = await Promise.all([
    listImages(layout),
    listReferences(layout),
    listPins(layout),
    hostedBlobs(layout),
  ]);
  return {images, references, pins, hosted};
}

/**
 * What images, names, pins and the registry of this root lead to. Of an index also the manifests that are there, with what
 * they name: its other platforms and attestations are passed on as they came.
 */
export async function reachableBy(store: BlobStore, records: Records): Promise<Reachable> {
  const {images, references, pins, hosted} = records;
  const blobs = new Set([...images.flatMap(blobsOf), ...pins.flatMap((pin) => pin.blobs), ...hosted]);
  // One that was made for a push names other archives of the layers than the image has.
  const roots = [...references.map(({target}) => target?.digest), ...images.map(({manifest}) => manifest)];
  for (const root of new Set(roots)) {
    if (root !== undefined) for (const digest of await reachableFrom(store, {digest: root})) blobs.add(digest);
  }
  const directories = images.flatMap((image) => image.layers.map(({directory}) => directory));
  return {...records, blobs, layers: new Set([...directories, ...pins.flatMap((pin) => pin.layers)])};
}

function blobsOf({id, manifest, layers}: ImageRecord): readonly string[] {
  return [id, ...(manifest === undefined ? [] : [manifest]), ...layers.map(({blob}) => blob)];
}
