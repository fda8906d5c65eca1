import {existsSync} from 'node:fs';
import {readdir, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {temporaryPrefix} from '../record-store.ts';
import type {ImageContext} from './context.ts';
import {hostLayerPrefix} from './host-image.ts';
import {createLease, type Lease, type Leased, readLeases} from './lease.ts';
import {clearNurseries, removeLayer} from './nurseries.ts';
import {findReachable, type Reachable, readRecords} from './reachable.ts';
import {listPins, pullPin, removePin} from './record.ts';

export interface CollectOptions {
  /** What came of images that never got whole, too: a later pull would have gone on from there. */
  readonly ingests?: boolean;
  /** Digest of a manifest that indexes may name, but nothing else wants any more: it goes, and with it what only it names. */
  readonly forgotten?: string | undefined;
}

/**
 * Removes what no image, pin or living lease needs: layers and blobs that a killed process left half-made, and those of
 * images that are gone. Others go on adding meanwhile: what is waste is told and renamed alone, in an instant, and removed
 * afterwards. Answers what records need.
 */
export async function collectGarbage(context: ImageContext, options: CollectOptions = {}): Promise<Reachable> {
  const {layout} = context;
  await using lease = await createLease(context);
  const told = await exclusively(context, async () => {
    if (options.ingests) {
      const pulls = (await listPins(layout)).filter(({name}) => name.startsWith(pullPin));
      for (const {name} of pulls) await removePin(layout, name);
    }
    const leased = await readLeases(context, lease);
    const forgotten = await forgetManifest(context, lease, {leased, digest: options.forgotten});
    const reachable = await findReachable(context);
    await clearNurseries(context, (name) => leased.isBeingMade(name));
    const waste = await takeWaste(context, lease, {reachable, leased, options});
    return {reachable, waste: {...waste, files: [...waste.files, ...forgotten]}};
  });
  for (const name of told.waste.layers) await removeLayer(context, name);
  for (const path of told.waste.files) await rm(path, {force: true});
  await removeLocks(context);
  return told.reachable;
}

/** Not one that something else than an index names. Answers the file it is now. */
async function forgetManifest(
  context: ImageContext,
  lease: Lease,
  {leased, digest}: {readonly leased: Leased; readonly digest: string | undefined},
): Promise<readonly string[]> {
  if (digest === undefined || leased.blobs.has(digest)) return [];
  const {images, references, pins, hosted} = await readRecords(context);
  const named = [
    ...[...images.map(({manifest}) => manifest), ...references.map(({target}) => target?.digest)],
    ...[...pins.flatMap(({blobs}) => blobs), ...hosted],
  ];
  if (named.includes(digest)) return [];
  const {blobs} = context.layout.images;
  const waste = join(blobs, lease.temporaryName());
  await rename(join(blobs, digest.slice('sha256:'.length)), waste).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  return [waste];
}

/** Alone with the records of images: for as short as can be, since everybody waits. */
export async function exclusively<T>(
  {helper, layout}: Pick<ImageContext, 'helper' | 'layout'>,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  await using lock = await helper.lock(layout.locks.images, signal ? {signal} : {});
  void lock;
  return await work();
}

interface Told {
  readonly reachable: Reachable;
  readonly leased: Leased;
  readonly options: CollectOptions;
}

/** What is waste gets a name of this lease: if this process dies, the next one finds it as such. */
async function takeWaste(
  {layout}: ImageContext,
  lease: Lease,
  {reachable, leased, options}: Told,
): Promise<{readonly layers: readonly string[]; readonly files: readonly string[]}> {
  const {images} = layout;
  const isTemporary = (name: string) => name.startsWith(temporaryPrefix);
  const isKept = (name: string, wanted: (name: string) => boolean) =>
    isTemporary(name) ? leased.isBeingMade(name) : wanted(name);
  const isLayer = (name: string) => reachable.layers.has(name) || leased.layers.has(name);
  const isBlob = (hex: string) => reachable.blobs.has(`sha256:${hex}`) || leased.blobs.has(`sha256:${hex}`);
  const take = async (directory: string, wanted: (name: string) => boolean): Promise<readonly string[]> => {
    const taken: string[] = [];
    for (const name of await readdir(directory)) {
      if (isKept(name, wanted)) continue;
      const temporary = lease.temporaryName();
      await rename(join(directory, name), join(directory, temporary));
      taken.push(temporary);
    }
    return taken;
  };
  const files = async (directory: string, wanted: (name: string) => boolean) =>
    (await take(directory, wanted)).map((name) => join(directory, name));
  return {
    layers: await take(images.layers, (name) => isLayer(name) || name.startsWith(hostLayerPrefix)),
    files: [
      ...(await files(images.layerRecords, (name) => isLayer(name.replace(/\.json$/, '')))),
      ...(await files(images.blobs, isBlob)),
      ...(options.ingests ? await files(images.ingests, (hex) => leased.blobs.has(`sha256:${hex}`)) : []),
      // Records are written with the lock held, those of builds with it shared, or by nobody any more.
      ...(await files(images.records, () => true)),
      ...(await files(images.references, () => true)),
      ...(await files(images.pins, () => true)),
      ...(existsSync(layout.build.cache) ? await files(layout.build.cache, () => true) : []),
    ],
  };
}

/** Lock files of those who died while they held them. */
async function removeLocks({layout, helper}: ImageContext): Promise<void> {
  const names = await readdir(layout.locks.directory);
  for (const name of names.filter((file) => /^(?:blob|layer|step)-[0-9a-f]{64}/.test(file))) {
    const path = join(layout.locks.directory, name);
    const lock = await helper.tryLock(path);
    if (!lock) continue;
    await rm(path, {force: true});
    await lock[Symbol.asyncDispose]();
  }
}
