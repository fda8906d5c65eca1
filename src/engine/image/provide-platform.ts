import {addPlatformRecord, imageRecord} from './add.ts';
import {parseConfiguration} from './configuration.ts';
import type {ImageContext} from './context.ts';
import type {Platform} from './platform.ts';
import {findPlatform} from './platforms.ts';
import type {ImageRecord} from './record.ts';
import {openSession} from './session.ts';

/**
 * The image that a name stands for, for a platform, ready to be run: one that came with its index and was never asked for is
 * unpacked now, and is one of the name's images then. Throws `notFound` where it is not here for that platform.
 */
export async function providePlatform(
  context: ImageContext,
  text: string,
  wanted: Platform | undefined,
): Promise<ImageRecord> {
  const first = await findPlatform(context, text, wanted);
  if (first.isUnpacked) return first.image;
  await using session = await openSession(context);
  const held = [first.image.id, ...first.image.layers.map(({blob}) => blob)];
  // Held first, and looked for again: it may have gone meanwhile.
  const {image, isUnpacked, record} = await session.lease.hold({blobs: held}, () =>
    findPlatform(context, text, wanted),
  );
  if (isUnpacked || record === undefined) return image;
  const what = `image ${image.id}`;
  const configuration = parseConfiguration(await session.blobs.read(image.id), what);
  const blobs = await Promise.all(
    image.layers.map(async ({diffId, blob}) => {
      const source = await session.find(blob);
      return source && {diffId, blob: source};
    }),
  );
  const {signal} = new AbortController();
  const layers = await session.layers.provide(
    blobs.filter((layer) => layer !== undefined),
    {signal, onProgress: () => undefined},
  );
  const unpacked = imageRecord({configuration: image.id, manifest: image.manifest, layers}, configuration);
  await addPlatformRecord(context, unpacked, record);
  return unpacked;
}
