import {readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {checkFilters, knownFilters} from '../../api/filters.ts';
import type {BuildsPruned} from '../../api/types/prune.ts';
import type {Filters} from '../../api/types/system.ts';
import {collectGarbage} from '../image/collect.ts';
import {listImages} from '../image/record.ts';
import {openSession} from '../image/session.ts';
import {readPruneFilter} from '../prune/prune-filter.ts';
import {dropFromCache, listCache, type UsedRecord} from './cache.ts';
import type {BuildContext} from './context.ts';
import {clearDeadBuilds} from './run-directory.ts';

/**
 * Removes results of steps: with `all` each, else those whose layers are part of no image; and with `all` what cache mounts
 * hold, as far as no step uses it. A build that goes on keeps what it has taken, one that was killed nothing.
 */
export async function pruneBuilds(
  context: BuildContext,
  {all, filters}: {readonly all: boolean; readonly filters: Filters},
): Promise<BuildsPruned> {
  const {images} = context;
  await clearDeadBuilds(context);
  const wanted = await matcher(context, {all, filters});
  await using session = await openSession(images);
  const dropped = (await listCache(context)).filter(wanted);
  await dropFromCache(
    {images, session},
    dropped.map(({key}) => key),
  );
  const held = all ? await dropMounts(context) : 0;
  if (all) await forgetContexts(context);
  const freed = await freedBytes(context, dropped);
  await collectGarbage(images);
  const bytes = held + freed;
  await images.events.append({type: 'builder', action: 'prune', id: '', attributes: {reclaimed: String(bytes)}});
  return {CachesDeleted: dropped.length === 0 ? null : dropped.map(({key}) => key), SpaceReclaimed: bytes};
}

async function matcher(
  {images}: BuildContext,
  {all, filters}: {readonly all: boolean; readonly filters: Filters},
): Promise<(record: UsedRecord) => boolean> {
  checkFilters(filters, knownFilters.buildPrune);
  const {id, type, until, 'unused-for': unused} = filters;
  const time = until ?? unused;
  const old = readPruneFilter(time === undefined ? {} : {until: time}, ['until'], images.now);
  const used = new Set((await listImages(images.layout)).flatMap(({layers}) => layers.map(({directory}) => directory)));
  return ({key, layer, usedMs}) =>
    (all || !used.has(layer.directory)) &&
    old.matches(undefined, usedMs) &&
    (id === undefined || id.some((start) => key.startsWith(start))) &&
    (type === undefined || type.includes('regular'));
}

/** Layers of an image stay, whoever made them. */
async function freedBytes({images}: BuildContext, dropped: readonly UsedRecord[]): Promise<number> {
  const [records, left] = await Promise.all([listImages(images.layout), listCache({images})]);
  const kept = new Set(
    [...records.flatMap(({layers}) => layers), ...left.map(({layer}) => layer)].map(({directory}) => directory),
  );
  const gone = new Map(dropped.map(({layer}) => [layer.directory, layer.bytes]));
  return [...gone].reduce((sum, [directory, bytes]) => (kept.has(directory) ? sum : sum + bytes), 0);
}

/** What is known of files that builds have read, and of what their steps were made of: all of it can be found out again. */
async function forgetContexts({images}: BuildContext): Promise<void> {
  const {contexts, slots} = images.layout.build;
  for (const directory of [contexts, slots])
    for (const name of await readdir(directory).catch(() => [])) await rm(join(directory, name), {force: true});
}

async function dropMounts({images}: BuildContext): Promise<number> {
  const {layout, helper} = images;
  const root = layout.build.mounts;
  let bytes = 0;
  for (const name of await readdir(root).catch(() => [])) {
    if (name.endsWith('.lock')) continue;
    const path = join(root, `${name}.lock`);
    await using lock = await helper.tryLock(path);
    if (lock === undefined) continue;
    bytes += (await helper.request({kind: 'measureTree', root: join(root, name)})).bytes;
    await helper.request({kind: 'removeTree', root, path: name});
    // Whoever waits for it sees that the file is gone, and makes a new one.
    await rm(path, {force: true});
  }
  return bytes;
}
