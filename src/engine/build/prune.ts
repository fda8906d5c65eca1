import {readdir, rm, statfs} from 'node:fs/promises';
import {join} from 'node:path';
import type {BuildPruning, BuildsPruned} from '../../api/types/prune.ts';
import {collectGarbage} from '../image/collect.ts';
import {listImages} from '../image/record.ts';
import {openSession} from '../image/session.ts';
import {dropFromCache, dropStrayPins, listCache, type UsedRecord} from './cache.ts';
import type {BuildContext} from './context.ts';
import {mountNames, mountPaths} from './mount-records.ts';
import {pruneMatcher, withinLimits} from './prune-choice.ts';
import {dropReceived} from './received-prune.ts';
import {receivedNames} from './received-records.ts';
import {type KeptRow, listRows} from './rows.ts';
import {clearDeadBuilds} from './run-directory.ts';

/**
 * Removes results of steps, cache mounts and what clients sent, what was not used for longest first. A build that goes on keeps what it has taken,
 * one that was killed nothing; a mount that a step uses stays.
 */
export async function pruneBuilds(context: BuildContext, pruning: BuildPruning): Promise<BuildsPruned> {
  const {images} = context;
  const matches = pruneMatcher(pruning, images.now);
  await clearDeadBuilds(context);
  const rows = await listRows(context);
  const {bavail, bsize} = await statfs(images.layout.images.layers);
  const chosen = withinLimits(rows, rows.filter(matches), {...pruning, freeBytes: bavail * bsize});
  const steps = await dropSteps(context, chosen);
  const directories: KeptRow[] = [];
  for (const kept of chosen) if (await dropDirectory(context, kept)) directories.push(kept);
  if (pruning.all && chosen.length === rows.length) await forgetRest(context);
  await collectGarbage(images);
  const bytes = steps.bytes + directories.reduce((sum, {row}) => sum + row.Size, 0);
  await images.events.append({type: 'builder', action: 'prune', id: '', attributes: {reclaimed: String(bytes)}});
  const ids = [...steps.keys, ...directories.map(({row}) => row.ID)];
  return {CachesDeleted: ids.length === 0 ? null : ids, SpaceReclaimed: bytes};
}

async function dropSteps(
  context: BuildContext,
  chosen: readonly KeptRow[],
): Promise<{readonly keys: readonly string[]; readonly bytes: number}> {
  const rows = new Map(chosen.flatMap(({row}) => (row.Type === 'regular' ? [[row.ID, row]] : [])));
  const dropped = (await listCache(context)).filter(({key}) => rows.has(key));
  await using session = await openSession(context.images);
  const keys = dropped.map(({key}) => key);
  await dropFromCache({images: context.images, session}, keys);
  await dropStrayPins({images: context.images, session});
  const sizes = new Map(dropped.map((record) => [record.key, rows.get(record.key)?.Size ?? 0]));
  return {keys, bytes: await freedBytes(context, dropped, sizes)};
}

/** Layers of an image stay, whoever made them. */
async function freedBytes(
  {images}: BuildContext,
  dropped: readonly UsedRecord[],
  sizes: ReadonlyMap<string, number>,
): Promise<number> {
  const [records, left] = await Promise.all([listImages(images.layout), listCache({images})]);
  const kept = new Set(
    [...records.flatMap(({layers}) => layers), ...left.map(({layer}) => layer)].map(({directory}) => directory),
  );
  const gone = new Map(dropped.map(({key, layer}) => [layer.directory, sizes.get(key) ?? 0]));
  return [...gone].reduce((sum, [directory, bytes]) => (kept.has(directory) ? sum : sum + bytes), 0);
}

async function dropDirectory(context: BuildContext, {row}: KeptRow): Promise<boolean> {
  if (row.Type === 'exec.cachemount') return await dropMount(context, row.ID);
  return row.Type === 'source.local' && (await dropReceived(context, row.ID));
}

/** Whether it was removed: one that a step uses is not. */
async function dropMount(context: BuildContext, name: string): Promise<boolean> {
  const {layout, helper} = context.images;
  const paths = mountPaths(context, name);
  await using lock = await helper.tryLock(paths.lock);
  if (lock === undefined) return false;
  await helper.request({kind: 'removeTree', root: layout.build.mounts, path: name});
  await rm(paths.making, {force: true});
  // Whoever waits for it sees that the file is gone, and makes a new one.
  await rm(paths.lock, {force: true});
  return true;
}

/** What only makes builds faster that find results; and mounts that were never made whole. */
async function forgetRest(context: BuildContext): Promise<void> {
  const {contexts, slots} = context.images.layout.build;
  for (const directory of [contexts, slots])
    for (const name of await readdir(directory).catch(() => [])) await rm(join(directory, name), {force: true});
  for (const name of await mountNames(context)) await dropMount(context, name);
  for (const name of await receivedNames(context)) await dropReceived(context, name);
}
