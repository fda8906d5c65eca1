import {randomBytes} from 'node:crypto';
import {existsSync, readdirSync, readFileSync, readlinkSync, statSync} from 'node:fs';
import {basename, join} from 'node:path';
import {mkdir, readdir, rename, rm, rmdir, utimes, writeFile} from '../at-once.ts';
import {deviceNumbers} from '../device-numbers.ts';
import type {ImageContext} from './context.ts';

/**
 * Where directories of layers begin. Without a journal, ext4 does not give an inode away again for one to six minutes after its
 * file was removed: the search for a free one passes by each of them, for each new file anew. It puts files near their
 * directory, and this one near that in which it is made; so an image that replaces another one took up to three times as long.
 * There each layer begins in one of many directories that the file system keeps apart, so that it is in no group of inodes of
 * which many were freed lately (Linux: fs/ext4/ialloc.c, `find_inode_bit`, `recently_deleted`, `find_group_orlov`). Elsewhere
 * there are none of them.
 */

/** At least in so many parts of a disk layers begin. */
const count = 64;
/** So many inodes has a group, if the file system was made without further wishes (mke2fs.conf(5)). */
const groupSize = 8192;
/** Passing by so many inodes takes a few times as long as making a file. */
const considerable = 1000;
/** So long they are passed by; milliseconds. */
const restMs = 6 * 60 * 1000;
/** Beside the places: a file for each group of which many inodes were freed; its time says when. */
const marks = 'emptied';

type NurseryContext = Pick<ImageContext, 'layout' | 'helper' | 'now'>;

/** Of one change: its layers begin together, so that their removal spoils one place and not as many as there are layers. */
export interface Nursery {
  /** Makes the directory of a layer that has no name of its own yet (0700), and answers its path among the layers. */
  begin(name: string): Promise<string>;
  /** Removes the directory of a layer as {@link removeLayer} does; what begins after much was removed begins elsewhere. */
  remove(name: string): Promise<void>;
}

/** `isNeeded`: whether a directory is on a file system where places make a difference. */
export function createNursery(
  context: NurseryContext,
  isNeeded: (directory: string) => boolean = isWithoutJournal,
): Nursery {
  const {layers} = context.layout.images;
  let place: Promise<string> | undefined;
  const findOnce = (name: string): Promise<string> => {
    place ??= findPlace(context, {isNeeded, name}).catch((error: unknown) => {
      place = undefined;
      throw error;
    });
    return place;
  };
  return {
    async begin(name) {
      const parent = await findOnce(name);
      const path = join(layers, name);
      await mkdir(join(parent, name), {mode: 0o700});
      if (parent !== layers) await rename(join(parent, name), path);
      return path;
    },
    async remove(name) {
      if (await removeLayer(context, name)) place = undefined;
    },
  };
}

/** Removes the directory of a layer. Answers whether its part of the disk is to be left alone for a while. */
export async function removeLayer({layout, helper, now}: NurseryContext, name: string): Promise<boolean> {
  const {layers, nurseries} = layout.images;
  const inode = statSync(join(layers, name), {throwIfNoEntry: false})?.ino;
  const {entries} = await helper.request({kind: 'removeTree', root: layers, path: name});
  if (inode === undefined || entries < considerable || !existsSync(nurseries)) return false;
  const directory = join(nurseries, marks);
  await mkdir(directory, {recursive: true, mode: 0o700});
  // A layer fills one group after the other.
  for (let behind = 0; behind * groupSize < entries; behind += 1) {
    const mark = join(directory, String(groupOf(inode) + behind));
    await writeFile(mark, '');
    await utimes(mark, new Date(now()), new Date(now()));
  }
  for (const [group, time] of await readMarks(nurseries))
    if (now() - time > restMs) await rm(join(directory, String(group)), {force: true});
  return true;
}

/** What of a killed process was begun: the directory is empty. */
export async function clearNurseries(
  {layout}: Pick<ImageContext, 'layout'>,
  isBeingMade: (name: string) => boolean,
): Promise<void> {
  for (const path of placesIn(layout.images.nurseries)) {
    const left = (await readdir(path)).filter((name) => !isBeingMade(name));
    for (const name of left) await rmdir(join(path, name));
  }
}

/** The directory of the layers itself where nothing is to be kept apart. */
async function findPlace(
  {layout, helper, now}: NurseryContext,
  {isNeeded, name}: {readonly isNeeded: (directory: string) => boolean; readonly name: string},
): Promise<string> {
  const {nurseries, layers} = layout.images;
  if (!isNeeded(layers)) return layers;
  const places = placesIn(nurseries);
  if (places.length < count) {
    await mkdir(nurseries, {recursive: true, mode: 0o700});
    await helper.request({kind: 'topDirectory', path: nurseries});
    // The kernel places them by their names: those of an earlier root may have been emptied just now.
    while (places.length < count) {
      const path = join(nurseries, randomBytes(4).toString('hex'));
      await mkdir(path, {mode: 0o700});
      places.push(path);
    }
  }
  const emptied = await readMarks(nurseries);
  return await choosePlace(shuffled(places), async (path) => {
    const time = emptied.get(groupOf(await inodeOf(join(path, name))));
    return time === undefined || now() - time > restMs ? undefined : time;
  });
}

/**
 * The first place of which no inodes were freed lately, or else the one where it is longest ago. `lately`: when, undefined for
 * never or long ago.
 */
export async function choosePlace<P>(
  places: readonly P[],
  lately: (place: P) => Promise<number | undefined>,
): Promise<P> {
  let best: {readonly place: P; readonly time: number} | undefined;
  for (const place of places) {
    const time = await lately(place);
    if (time === undefined) return place;
    if (best === undefined || time < best.time) best = {place, time};
  }
  return (best as {readonly place: P}).place;
}

/** Of a new directory: the kernel decides. It is not kept. */
async function inodeOf(path: string): Promise<number> {
  await mkdir(path, {mode: 0o700});
  try {
    return statSync(path).ino;
  } finally {
    await rmdir(path);
  }
}

/** Inodes are numbered along the disk, from 1. */
export function groupOf(inode: number): number {
  return Math.floor((inode - 1) / groupSize);
}

function placesIn(nurseries: string): string[] {
  if (!existsSync(nurseries)) return [];
  return readdirSync(nurseries, {withFileTypes: true})
    .filter((entry) => entry.isDirectory() && entry.name !== marks)
    .map(({name}) => join(nurseries, name));
}

async function readMarks(nurseries: string): Promise<ReadonlyMap<number, number>> {
  const directory = join(nurseries, marks);
  const names = existsSync(directory) ? await readdir(directory) : [];
  const times = names.map((name) => {
    const time = statSync(join(directory, name), {throwIfNoEntry: false})?.mtimeMs ?? 0;
    return [Number(name), time] as const;
  });
  return new Map(times);
}

function shuffled<T>(list: readonly T[]): readonly T[] {
  return list
    .map((item) => ({item, order: Math.random()}))
    .sort((a, b) => a.order - b.order)
    .map(({item}) => item);
}

/** Linux: Documentation/ABI/testing/sysfs-fs-ext4. False for other file systems, and where it is not told. */
export function isWithoutJournal(directory: string, sys = '/sys'): boolean {
  try {
    const {dev} = statSync(directory, {bigint: true});
    const device = basename(readlinkSync(join(sys, 'dev/block', deviceNumbers(dev))));
    return readFileSync(join(sys, 'fs/ext4', device, 'journal_task'), 'utf8').trim() === '<none>';
  } catch {
    return false;
  }
}
