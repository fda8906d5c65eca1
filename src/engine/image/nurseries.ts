import {randomInt} from 'node:crypto';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {mkdir, readdir, rename, rm, writeFile} from '../at-once.ts';
import type {ImageContext} from './context.ts';

/** In so many parts of a disk layers begin. */
const count = 32;
/** So many of them are tried by one change. */
const tried = 6;

/** Where the layers of one change begin. */
export interface Nursery {
  /** Makes the directory of a layer that has no name of its own yet (0700), and answers its path among the layers. */
  begin(name: string): Promise<string>;
}

/**
 * ext4 puts files near their directory, and this one near that in which it is made; where files were removed within the last
 * minutes, the search for a free inode passes by each of them, for each new file anew: an image that replaces another one took
 * up to three times as long. So layers begin in one of several directories that the file system keeps apart, in the one of
 * some that makes a file soonest: no bookkeeping of ours knows what others removed (Linux: fs/ext4/ialloc.c,
 * `recently_deleted` and `find_group_orlov`).
 */
export function createNursery(context: Pick<ImageContext, 'layout' | 'helper'>): Nursery {
  const {nurseries, layers} = context.layout.images;
  let place: string | undefined;

  return {
    async begin(name) {
      place ??= await findPlace(name);
      const begun = join(nurseries, place, name);
      await mkdir(begun, {mode: 0o700});
      const path = join(layers, name);
      await rename(begun, path);
      return path;
    },
  };

  async function findPlace(name: string): Promise<string> {
    const first = randomInt(count);
    const step = Math.floor(count / tried);
    let best = {place: String(first), time: Number.POSITIVE_INFINITY};
    for (let index = 0; index < tried; index += 1) {
      const candidate = String((first + index * step) % count);
      const directory = join(nurseries, candidate, name);
      const time = await timeOfFile(directory).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        await makeNurseries(context);
        return await timeOfFile(directory);
      });
      if (time < best.time) best = {place: candidate, time};
    }
    return best.place;
  }
}

/** How long it takes to make a file in a new directory, in milliseconds. Nothing is left. */
async function timeOfFile(directory: string): Promise<number> {
  await mkdir(directory, {mode: 0o700});
  try {
    const start = performance.now();
    await writeFile(join(directory, 'probe'), '');
    return performance.now() - start;
  } finally {
    await rm(directory, {recursive: true});
  }
}

/** Of a process that was killed in between, next to nothing is left. */
export async function clearNurseries(
  {layout}: Pick<ImageContext, 'layout'>,
  isBeingMade: (name: string) => boolean,
): Promise<void> {
  const {nurseries} = layout.images;
  if (!existsSync(nurseries)) return;
  for (const place of await readdir(nurseries)) {
    const left = (await readdir(join(nurseries, place))).filter((name) => !isBeingMade(name));
    for (const name of left) await rm(join(nurseries, place, name), {recursive: true});
  }
}

async function makeNurseries({layout, helper}: Pick<ImageContext, 'layout' | 'helper'>): Promise<void> {
  const {nurseries} = layout.images;
  await mkdir(nurseries, {recursive: true, mode: 0o700});
  await helper.request({kind: 'topDirectory', path: nurseries});
  for (let name = 0; name < count; name += 1)
    await mkdir(join(nurseries, String(name)), {recursive: true, mode: 0o700});
}
