import {createBlobStore} from './blobs.ts';
import type {ImageContext} from './context.ts';
import {reachableFrom} from './descriptors.ts';
import {type ImageRecord, listImages, listPins, listReferences} from './record.ts';

/** Everything that records need, by digest and directory. */
export interface Reachable {
  readonly images: readonly ImageRecord[];
  readonly blobs: ReadonlySet<string>;
  readonly layers: ReadonlySet<string>;
}

/**
 * What images, names and pins lead to. Of an index also the manifests that are there, with what they name: its other
 * platforms and attestations are passed on as they came.
 */
export async function findReachable({layout}: Pick<ImageContext, 'layout'>): Promise<Reachable> {
  const [images, references, pins] = await Promise.all([listImages(layout), listReferences(layout), listPins(layout)]);
  const blobs = new Set([...images.flatMap(blobsOf), ...pins.flatMap((pin) => pin.blobs)]);
  const store = createBlobStore(layout.images.blobs);
  for (const {target} of references) {
    if (target) for (const digest of await reachableFrom(store, target)) blobs.add(digest);
  }
  return {
    images,
    blobs,
    layers: new Set([
      ...images.flatMap((image) => image.layers.map(({directory}) => directory)),
      ...pins.flatMap((pin) => pin.layers),
    ]),
  };
}

function blobsOf({id, manifest, layers}: ImageRecord): readonly string[] {
  return [id, ...(manifest === undefined ? [] : [manifest]), ...layers.map(({blob}) => blob)];
}
