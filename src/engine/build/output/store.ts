import {bestPlatform, type Platform} from '../../image/platform.ts';
import {familiarReference} from '../../image/reference.ts';
import type {BuildWork} from '../context.ts';
import type {Snapshot} from '../snapshot.ts';
import type {ImageTree} from './image-tree.ts';

export interface PlainImage {
  readonly snapshot: Snapshot;
  /** The configuration. */
  readonly text: string;
  /** Normalised. */
  readonly references: readonly string[];
}

/** Makes an image of what was built, without a manifest; its layers are where they are. Answers its id. */
export async function storePlain(context: BuildWork, image: PlainImage): Promise<string> {
  const {session} = context;
  const {digest} = await session.addBlob(Buffer.from(image.text));
  const names = image.references.map((reference) => ({reference}));
  const {id} = await session.addImage({configuration: digest, layers: image.snapshot, names});
  await tellNames(context, id, image.references);
  return id;
}

/** Makes images of what was written; names stand for all of it, and for the image that fits the machine best. */
export async function storeTree(
  context: BuildWork,
  {root, images}: ImageTree,
  {references, machine}: {readonly references: readonly string[]; readonly machine: Platform},
): Promise<void> {
  const own = bestPlatform(images, machine) ?? images[0];
  if (own === undefined) return;
  const others = images.filter((image) => image !== own);
  const {mediaType, digest, size} = root;
  const names = references.map((reference) => ({
    ...{reference, target: {mediaType, digest, size}},
    others: others.map(({id}) => id),
  }));
  for (const image of [...others, own]) {
    const {id: configuration, manifest, layers} = image;
    await context.session.addImage({
      ...{configuration, manifest, layers: layers.map(({archive: _, ...layer}) => layer)},
      names: image === own ? names : [],
    });
  }
  await tellNames(context, own.id, references);
}

async function tellNames({images}: BuildWork, id: string, references: readonly string[]): Promise<void> {
  for (const reference of references) {
    await images.events.append({type: 'image', action: 'tag', id, attributes: {name: familiarReference(reference)}});
  }
}
