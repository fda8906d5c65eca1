import {rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {forgetHosted} from '../hosting/records.ts';
import {storedBlob} from './blob-source.ts';
import {collectGarbage, exclusively} from './collect.ts';
import type {ImageContext} from './context.ts';
import {brokenBlobs, type Fault, type Inspection, inspectStore} from './fsck.ts';
import {
  type ImageRecord,
  readImage,
  readReference,
  removeImageRecord,
  removePin,
  removeReference,
  writeImage,
  writeReference,
} from './record.ts';
import {familiarReference} from './reference.ts';
import {type ContentSession, contentOf, openSession} from './session.ts';

/** What was found, and with repair: what was done about it and what is left. */
export interface StoreReport {
  readonly blobs: number;
  readonly layers: number;
  readonly images: number;
  readonly names: number;
  readonly faults: readonly Fault[];
  /** Files and directories that nobody needs. */
  readonly waste: number;
  readonly repaired?: {readonly done: readonly string[]; readonly left: readonly Fault[]};
}

/** Verifies the store. With repair nothing whole is lost, and images of containers that run are left as they are. */
export async function checkStore(context: ImageContext, {repair}: {readonly repair: boolean}): Promise<StoreReport> {
  const found = await inspectStore(context);
  const report = {
    blobs: found.blobs,
    layers: found.layers,
    images: found.images.length,
    names: found.references.length,
    faults: found.faults,
    waste: found.waste.length,
  };
  if (!repair) return report;
  const done = await mend(context, found);
  await collectGarbage(context);
  const {faults: left} = await inspectStore(context);
  return {...report, repaired: {done, left}};
}

async function mend(context: ImageContext, {faults, ...found}: Inspection): Promise<readonly string[]> {
  const {layout} = context;
  const of = (kind: Fault['kind']) => new Set(faults.flatMap((fault) => (fault.kind === kind ? [fault.subject] : [])));
  const done: string[] = [];
  for (const path of of('record')) {
    await exclusively(context, () => rm(path, {force: true}));
    done.push(`removed the damaged record ${path}`);
  }
  for (const digest of of('blob')) {
    // Somebody may have brought it anew by now.
    await exclusively(context, async () => {
      const hex = digest.slice('sha256:'.length);
      if ((await brokenBlobs(context, [hex])).size > 0) await rm(join(layout.images.blobs, hex), {force: true});
    });
    done.push(`removed the damaged blob ${digest}`);
  }
  const badImages = of('image');
  const mounted = await mountedLayers(context, found.images);
  for (const image of found.images.filter(({id}) => badImages.has(id))) {
    if ((await context.users(image.id)).some(({running}) => running)) continue;
    if (image.layers.some(({directory}) => mounted.has(directory) && of('layer').has(directory))) continue;
    if (await unpackAgain(context, image, of('layer'))) done.push(`made image ${image.id} whole again`);
    else if ((await context.users(image.id)).length === 0) done.push(await forget(context, image));
  }
  for (const {reference, target} of found.references) {
    const name = familiarReference(reference);
    if (!of('name').has(name)) continue;
    done.push(await mendName(context, {reference, hasTarget: target !== undefined}));
  }
  for (const name of of('pin')) {
    await exclusively(context, () => removePin(layout, name));
    done.push(`gave up what was kept for "${name}"`);
  }
  const lost = of('hosted');
  if (lost.size > 0) await exclusively(context, () => forgetHosted(layout, lost));
  for (const digest of lost) done.push(`the registry does not offer ${digest} any more`);
  return done;
}

/** Those that containers run on: of another image too, which has the same layer. */
async function mountedLayers(context: ImageContext, images: readonly ImageRecord[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const image of images) {
    if (!(await context.users(image.id)).some(({running}) => running)) continue;
    for (const {directory} of image.layers) found.add(directory);
  }
  return found;
}

/** False where its blobs do not give what is broken. */
async function unpackAgain(context: ImageContext, image: ImageRecord, broken: ReadonlySet<string>): Promise<boolean> {
  await using session = await openSession(context);
  const {layout} = context;
  try {
    const blobs = await blobsOf(session, image);
    if (blobs === undefined) return false;
    for (const {directory} of image.layers.filter((layer) => broken.has(layer.directory))) {
      const stray = session.lease.temporaryName();
      await rename(layout.images.layer(directory), join(layout.images.layers, stray)).catch(() => undefined);
    }
    const {signal} = new AbortController();
    await session.layers.provide(blobs, {signal, onProgress: () => undefined});
  } catch {
    // It is taken for what it is: lost.
    return false;
  }
  if (image.manifest !== undefined && (await session.find(image.manifest)) === undefined) {
    const {manifest: _lost, ...rest} = image;
    await exclusively(context, () => writeImage(layout, rest));
  }
  return true;
}

/** Undefined where one is missing. */
async function blobsOf(session: ContentSession, image: ImageRecord) {
  await session.lease.hold(contentOf(image), () => undefined);
  if ((await session.find(image.id)) === undefined) return undefined;
  const found = await Promise.all(
    image.layers.map(async ({blob, diffId}) => {
      const stored = await session.blobs.describe(blob).catch(() => undefined);
      return stored && {diffId, blob: storedBlob(stored)};
    }),
  );
  return found.every((layer) => layer !== undefined) ? found : undefined;
}

async function forget(context: ImageContext, image: ImageRecord): Promise<string> {
  await exclusively(context, () => removeImageRecord(context.layout, image.id));
  return `removed image ${image.id}, which cannot be made whole`;
}

/** A name of an image that is whole stays, also where what it stood for in a registry is lost. */
async function mendName(
  context: ImageContext,
  {reference, hasTarget}: {readonly reference: string; readonly hasTarget: boolean},
): Promise<string> {
  const {layout} = context;
  const name = familiarReference(reference);
  return await exclusively(context, async () => {
    const record = await readReference(layout, reference);
    const image = record && (await readImage(layout, record.image));
    if (!record || !image) {
      await removeReference(layout, reference);
      return `removed the name "${name}"`;
    }
    if (hasTarget) await writeReference(layout, {reference, image: record.image});
    return `the name "${name}" stands for its image alone`;
  });
}
