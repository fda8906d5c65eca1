import type {ImageHistoryItem} from '../../api/types/image.ts';
import {parseNanoseconds} from '../clock.ts';
import {createBlobStore} from './blobs.ts';
import {isObject, parseJson} from './configuration.ts';
import type {ImageContext} from './context.ts';
import {type ImageRecord, imagesOfName, listReferences} from './record.ts';
import {familiarReference} from './reference.ts';

/** The steps that made an image, newest first. Steps below have no image of their own here: their id is `<missing>`. */
export async function imageHistory(
  {layout}: Pick<ImageContext, 'layout'>,
  image: ImageRecord,
): Promise<ImageHistoryItem[]> {
  const names = (await listReferences(layout))
    .filter((record) => imagesOfName(record).includes(image.id))
    .map((record) => familiarReference(record.reference))
    .sort();
  const {history} = parseJson(await createBlobStore(layout.images.blobs).read(image.id), `image ${image.id}`);
  const steps = (Array.isArray(history) ? history : []).filter(isObject);
  let layer = 0;
  const items = steps.map((step) => ({
    Created: secondsOf(step['created']),
    CreatedBy: textOf(step['created_by']),
    Size: step['empty_layer'] === true ? 0 : (image.layers[layer++]?.bytes ?? 0),
    Comment: textOf(step['comment']),
  }));
  return items
    .reverse()
    .map((item, index) =>
      index === 0
        ? {Id: image.id, ...item, Tags: names.length === 0 ? null : names}
        : {Id: '<missing>', ...item, Tags: null},
    );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function secondsOf(value: unknown): number {
  const nanoseconds = parseNanoseconds(textOf(value));
  return nanoseconds === undefined ? 0 : Number(nanoseconds / 1_000_000_000n);
}
