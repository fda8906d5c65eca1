import {TscomposeError} from '../../base/errors.ts';
import {exclusively} from './collect.ts';
import type {ImageConfiguration} from './configuration.ts';
import type {ImageContext} from './context.ts';
import {
  type ImageRecord,
  imagesOfName,
  type LayerRecord,
  type ReferenceRecord,
  readImage,
  readReference,
  type TargetDescriptor,
  writeImage,
  writeReference,
} from './record.ts';

/** A name that is to point to an image. */
export interface NewName {
  /** Normalised. */
  readonly reference: string;
  readonly target?: TargetDescriptor | undefined;
  /** Images of that index for other platforms which are added with it. */
  readonly others?: readonly string[];
  /** The name goes on standing for the image it stands for, if that is of the same target; else it is left alone. */
  readonly isBeside?: boolean;
}

interface Parts {
  readonly configuration: string;
  readonly manifest?: string | undefined;
  /** Lowest first. */
  readonly layers: readonly LayerRecord[];
}

/** Throws `invalid` where the layers are not those of the configuration. */
export function imageRecord({configuration, manifest, layers}: Parts, image: ImageConfiguration): ImageRecord {
  const {os, architecture, variant, created, diffIds} = image;
  checkLayerCount(diffIds, layers);
  for (const [index, {diffId}] of layers.entries()) {
    if (diffId === diffIds[index]) continue;
    throw new TscomposeError(
      'invalid',
      `image ${configuration}: its configuration has ${diffIds[index]} in place of layer ${diffId}`,
    );
  }
  return {
    v: 1,
    id: configuration,
    ...(manifest === undefined ? {} : {manifest}),
    os,
    architecture,
    ...(variant === undefined ? {} : {variant}),
    created,
    layers,
  };
}

export function checkLayerCount(diffIds: readonly string[], layers: readonly unknown[]): void {
  if (diffIds.length === layers.length) return;
  throw new TscomposeError(
    'invalid',
    `its configuration names ${diffIds.length} layers, its manifest ${layers.length}`,
  );
}

/**
 * Makes an image known whose blobs and layers are in the store, held by a lease of the caller; then its names. Answers the
 * names that were another image's.
 */
export async function addImageRecord(
  context: Pick<ImageContext, 'helper' | 'layout'>,
  record: ImageRecord,
  names: readonly NewName[],
): Promise<readonly ReferenceRecord[]> {
  const {layout} = context;
  return await exclusively(context, async () => {
    await writeImage(layout, record);
    const before: ReferenceRecord[] = [];
    for (const {reference, target, others: added = [], isBeside = false} of names) {
      const earlier = await readReference(layout, reference);
      const isSame = target !== undefined && earlier?.target?.digest === target.digest;
      if (isBeside) {
        if (earlier && isSame) await addOther(layout, earlier, record.id);
        continue;
      }
      if (earlier && earlier.image !== record.id && !isSame) before.push(earlier);
      const known = [...added, ...(isSame && earlier ? imagesOfName(earlier) : [])];
      const others = [...new Set(known)].filter((id) => id !== record.id);
      await writeReference(layout, {reference, image: record.id, ...(target && {target}), others});
    }
    return before;
  });
}

/**
 * Gives an image the manifest that was made for it, and lets a name stand for that, unless either has changed since: neither
 * comes back that was removed, and no name that was given to another image is taken from it.
 */
export async function addMadeManifest(
  context: Pick<ImageContext, 'helper' | 'layout'>,
  id: string,
  {reference, target}: {readonly reference: string; readonly target: TargetDescriptor},
): Promise<void> {
  const {layout} = context;
  await exclusively(context, async () => {
    const image = await readImage(layout, id);
    if (image === undefined) return;
    await writeImage(layout, {...image, manifest: target.digest});
    if ((await readReference(layout, reference))?.image === id)
      await writeReference(layout, {reference, image: id, target});
  });
}

/** Keeps that a name stands for its image's manifest elsewhere, too; unless either has changed since. */
export async function addTarget(
  context: Pick<ImageContext, 'helper' | 'layout'>,
  {reference, image: id}: ReferenceRecord,
  target: TargetDescriptor,
): Promise<void> {
  const {layout} = context;
  await exclusively(context, async () => {
    const [image, now] = [await readImage(layout, id), await readReference(layout, reference)];
    if (image?.manifest !== target.digest || now?.image !== id || now.target !== undefined) return;
    await writeReference(layout, {...now, target});
  });
}

/** Makes an image of another platform known beside the one that a name stands for, unless the name has changed since. */
export async function addPlatformRecord(
  context: Pick<ImageContext, 'helper' | 'layout'>,
  record: ImageRecord,
  {reference, target}: ReferenceRecord,
): Promise<void> {
  const {layout} = context;
  await exclusively(context, async () => {
    await writeImage(layout, record);
    const now = await readReference(layout, reference);
    if (now !== undefined && now.target?.digest === target?.digest) await addOther(layout, now, record.id);
  });
}

async function addOther(layout: ImageContext['layout'], name: ReferenceRecord, id: string): Promise<void> {
  if (imagesOfName(name).includes(id)) return;
  await writeReference(layout, {...name, others: [...(name.others ?? []), id]});
}
