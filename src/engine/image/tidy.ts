import {readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {temporaryPrefix} from '../record-store.ts';
import type {ImageContext} from './context.ts';
import {hostLayerPrefix} from './host-image.ts';
import {type ImageRecord, listImages} from './record.ts';

/**
 * Removes what no image needs: layers and blobs that a killed process left half-made, and those of images that are gone.
 * To be called with the lock of images held, so that nobody is making any. Answers the images there are.
 */
export async function tidy(context: ImageContext): Promise<readonly ImageRecord[]> {
  const {layout} = context;
  const images = await listImages(layout);
  const layers = new Set(images.flatMap((image) => image.layers.map(({directory}) => directory)));
  const blobs = new Set(images.flatMap(blobsOf).map((digest) => digest.slice('sha256:'.length)));
  for (const name of await readdir(layout.images.layers)) {
    if (layers.has(name) || name.startsWith(hostLayerPrefix)) continue;
    await context.helper.request({kind: 'removeTree', root: layout.images.layers, path: name});
  }
  await removeFiles(layout.images.blobs, (name) => !blobs.has(name));
  for (const directory of [layout.images.records, layout.images.references]) {
    await removeFiles(directory, (name) => name.startsWith(temporaryPrefix));
  }
  return images;
}

function blobsOf({id, manifest, layers}: ImageRecord): readonly string[] {
  return [id, ...(manifest === undefined ? [] : [manifest]), ...layers.map(({blob}) => blob)];
}

async function removeFiles(directory: string, isWaste: (name: string) => boolean): Promise<void> {
  for (const name of await readdir(directory)) if (isWaste(name)) await rm(join(directory, name), {force: true});
}
