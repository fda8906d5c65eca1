import {randomInt} from 'node:crypto';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {mkdir, readdir, rename, rmdir} from '../at-once.ts';
import type {ImageContext} from './context.ts';

/** In so many parts of a disk layers begin. */
const count = 32;

/**
 * Makes the directory of a layer that has no name of its own yet, and answers its path. ext4 puts files near their directory,
 * and this one near that in which it is made; where a layer was removed within the last minutes, the search for free inodes
 * passes by each of those that it had, for each file anew: an image that replaces another one took up to three times as long.
 * So each begins in one of several directories that the file system keeps apart (Linux: fs/ext4/ialloc.c, `recently_deleted`
 * and `find_group_orlov`).
 */
export async function makeLayerDirectory(
  context: Pick<ImageContext, 'layout' | 'helper'>,
  name: string,
): Promise<string> {
  const {nurseries, layers} = context.layout.images;
  const begun = join(nurseries, String(randomInt(count)), name);
  await mkdir(begun, {mode: 0o700}).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    await makeNurseries(context);
    await mkdir(begun, {mode: 0o700});
  });
  const path = join(layers, name);
  await rename(begun, path);
  return path;
}

/** Of a process that was killed in between, the directory is empty. */
export async function clearNurseries(
  {layout}: Pick<ImageContext, 'layout'>,
  isBeingMade: (name: string) => boolean,
): Promise<void> {
  const {nurseries} = layout.images;
  if (!existsSync(nurseries)) return;
  for (const place of await readdir(nurseries)) {
    const left = (await readdir(join(nurseries, place))).filter((name) => !isBeingMade(name));
    for (const name of left) await rmdir(join(nurseries, place, name));
  }
}

async function makeNurseries({layout, helper}: Pick<ImageContext, 'layout' | 'helper'>): Promise<void> {
  const {nurseries} = layout.images;
  await mkdir(nurseries, {recursive: true, mode: 0o700});
  await helper.request({kind: 'topDirectory', path: nurseries});
  for (let name = 0; name < count; name += 1)
    await mkdir(join(nurseries, String(name)), {recursive: true, mode: 0o700});
}
