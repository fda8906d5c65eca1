import {randomBytes, randomInt} from 'node:crypto';
import {existsSync, readFileSync, readlinkSync, statfsSync, statSync} from 'node:fs';
import {basename, join} from 'node:path';
import {mkdir, readdir, rename, rmdir, writeFile} from '../at-once.ts';
import {deviceNumbers} from '../device-numbers.ts';
import type {ImageContext} from './context.ts';

/**
 * Where directories of layers begin. Without a journal, ext4 does not give an inode away again for one to six minutes after its
 * file was removed: the search for a free one passes by each of them, for each new file anew. It puts files near their
 * directory, and this one near that in which it is made; so an image that replaces another one took up to three times as long.
 * There each layer begins in one of many directories that the file system keeps apart, in one from which nothing was removed
 * lately (Linux: fs/ext4/ialloc.c, `find_inode_bit`, `recently_deleted`, `find_group_orlov`). Elsewhere there are none of them.
 */

/** In so many parts of a disk layers begin. */
const count = 64;
/** Passing by so many inodes takes a few times as long as making a file. */
const considerable = 1000;
/** So long they are passed by; milliseconds. */
const restMs = 6 * 60 * 1000;
/** Its time says when layers that began there were removed. */
const mark = 'emptied';

type NurseryContext = Pick<ImageContext, 'layout' | 'helper' | 'now'>;

/** Of one change: its layers begin together, so that their removal spoils one place and not as many as there are layers. */
export interface Nursery {
  /** Makes the directory of a layer that has no name of its own yet (0700), and answers its path among the layers. */
  begin(name: string): Promise<string>;
  /** Removes the directory of a layer, in the way of {@link removeLayer}; what begins afterwards begins elsewhere. */
  remove(name: string): Promise<void>;
}

export function createNursery(context: NurseryContext): Nursery {
  const {layers} = context.layout.images;
  let place: Promise<string> | undefined;
  const findOnce = (): Promise<string> => {
    place ??= findPlace(context).catch((error: unknown) => {
      place = undefined;
      throw error;
    });
    return place;
  };
  return {
    async begin(name) {
      const parent = await findOnce();
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

/** Removes the directory of a layer. Answers whether the place where it began is to be left alone for a while. */
export async function removeLayer({layout, helper}: NurseryContext, name: string): Promise<boolean> {
  const {layers, nurseries} = layout.images;
  const removal = {kind: 'removeTree', root: layers, path: name} as const;
  const inode = existsSync(nurseries) ? statSync(join(layers, name), {throwIfNoEntry: false})?.ino : undefined;
  if (inode === undefined) {
    await helper.request(removal);
    return false;
  }
  const before = statfsSync(layers).ffree;
  await helper.request(removal);
  if (statfsSync(layers).ffree - before < considerable) return false;
  const place = originOf(await placesIn(nurseries), inode);
  if (place !== undefined) await writeFile(join(place.path, mark), '');
  return true;
}

/** What of a killed process was begun: the directory is empty. */
export async function clearNurseries(
  {layout}: Pick<ImageContext, 'layout'>,
  isBeingMade: (name: string) => boolean,
): Promise<void> {
  const {nurseries} = layout.images;
  if (!existsSync(nurseries)) return;
  for (const {path} of await placesIn(nurseries)) {
    const left = (await readdir(path)).filter((name) => name !== mark && !isBeingMade(name));
    for (const name of left) await rmdir(join(path, name));
  }
}

interface Place {
  readonly path: string;
  readonly inode: number;
  /** When a layer that began there was removed; milliseconds, 0: never. */
  readonly emptied: number;
}

/** The directory itself where nothing is to be kept apart. */
async function findPlace({layout, helper, now}: NurseryContext): Promise<string> {
  const {nurseries, layers} = layout.images;
  if (!existsSync(nurseries) && !isWithoutJournal(layers)) return layers;
  const places = await placesIn(nurseries);
  if (places.length >= count) return choosePlace(places, now()).path;
  await mkdir(nurseries, {recursive: true, mode: 0o700});
  await helper.request({kind: 'topDirectory', path: nurseries});
  // The kernel places them by their names: those of an earlier root may have been emptied just now.
  for (let made = places.length; made < count; made += 1)
    await mkdir(join(nurseries, randomBytes(4).toString('hex')), {mode: 0o700});
  return choosePlace(await placesIn(nurseries), now()).path;
}

async function placesIn(nurseries: string): Promise<readonly Place[]> {
  const names = existsSync(nurseries) ? await readdir(nurseries) : [];
  return names.map((name) => {
    const path = join(nurseries, name);
    const emptied = statSync(join(path, mark), {throwIfNoEntry: false})?.mtimeMs ?? 0;
    return {path, inode: statSync(path).ino, emptied};
  });
}

/** By chance one that has rested; where none has, the one that was emptied longest ago. */
export function choosePlace<P extends Pick<Place, 'emptied'>>(places: readonly P[], now: number): P {
  const rested = places.filter(({emptied}) => now - emptied > restMs);
  const [first, ...others] = rested.length > 0 ? [rested[randomInt(rested.length)] as P] : places;
  return others.reduce((oldest, place) => (place.emptied < oldest.emptied ? place : oldest), first as P);
}

/** Inodes are numbered along the disk: a layer lies behind the place where it began. */
export function originOf<P extends Pick<Place, 'inode'>>(places: readonly P[], inode: number): P | undefined {
  const before = places.filter((place) => place.inode < inode);
  return before.reduce<P | undefined>((near, place) => (near && near.inode > place.inode ? near : place), undefined);
}

/** Linux: Documentation/ABI/testing/sysfs-fs-ext4. False for other file systems, and where it is not told. */
function isWithoutJournal(directory: string): boolean {
  try {
    const {dev} = statSync(directory, {bigint: true});
    const device = basename(readlinkSync(`/sys/dev/block/${deviceNumbers(dev)}`));
    return readFileSync(`/sys/fs/ext4/${device}/journal_task`, 'utf8').trim() === '<none>';
  } catch {
    return false;
  }
}
