import type {ImageManifestSummary} from '../../api/types/image.ts';
import type {ImageContext} from './context.ts';
import {type IndexEntry, readIndexEntries} from './platforms.ts';
import type {ImageRecord, ReferenceRecord} from './record.ts';

interface Listed {
  readonly image: ImageRecord;
  /** Those that stand for it. */
  readonly names: readonly ReferenceRecord[];
  /** All images, by id. */
  readonly records: ReadonlyMap<string, ImageRecord>;
}

/** What the names of an image lead to: all entries of their indexes, also those that are not here; else its own manifest. */
export async function listManifests(
  context: ImageContext,
  {image, names, records}: Listed,
): Promise<readonly ImageManifestSummary[]> {
  const targets = names.flatMap(({target}) => target ?? []);
  const unique = [...new Map(targets.map((target) => [target.digest, target])).values()];
  const entries = (await Promise.all(unique.map((target) => readIndexEntries(context, target)))).flat();
  if (entries.length === 0) return [await describeAlone(context, image)];
  return await Promise.all(entries.map((entry) => describe(context, entry, records)));
}

async function describe(
  context: ImageContext,
  {descriptor, kind, about, blobs = [], isHere, platform}: IndexEntry,
  records: ReadonlyMap<string, ImageRecord>,
): Promise<ImageManifestSummary> {
  const {mediaType, digest, size, annotations} = descriptor;
  const image = kind === 'image' ? records.get(blobs[0]?.digest ?? '') : undefined;
  const content = isHere ? size + blobs.reduce((sum, blob) => sum + blob.size, 0) : 0;
  const unpacked = image === undefined ? 0 : bytesOf(image);
  return {
    ID: digest,
    Descriptor: {
      ...{mediaType, digest, size},
      ...(descriptor.platform === undefined ? {} : {platform: descriptor.platform}),
      ...(Object.keys(annotations).length === 0 ? {} : {annotations}),
    },
    Available: isHere,
    Size: {Content: content, Total: content + unpacked},
    Kind: kind,
    ...(kind === 'image'
      ? {
          ImageData: {
            Platform: platform ?? {os: 'unknown', architecture: 'unknown'},
            Containers: image === undefined ? [] : await usersOf(context, image),
            Size: {Unpacked: unpacked},
          },
        }
      : {}),
    ...(about === undefined ? {} : {AttestationData: {For: about}}),
  };
}

/** One that was made here, or came without a manifest: it stands for itself. */
async function describeAlone(context: ImageContext, image: ImageRecord): Promise<ImageManifestSummary> {
  const {id, os, architecture, variant} = image;
  const unpacked = bytesOf(image);
  return {
    ID: id,
    Descriptor: {mediaType: '', digest: id, size: 0},
    Available: true,
    Size: {Content: 0, Total: unpacked},
    Kind: 'image',
    ImageData: {
      Platform: {os, architecture, ...(variant === undefined ? {} : {variant})},
      Containers: await usersOf(context, image),
      Size: {Unpacked: unpacked},
    },
  };
}

async function usersOf({users}: ImageContext, {id}: ImageRecord): Promise<readonly string[]> {
  return (await users(id)).map((user) => user.id);
}

function bytesOf({layers}: ImageRecord): number {
  return layers.reduce((sum, {bytes}) => sum + bytes, 0);
}
