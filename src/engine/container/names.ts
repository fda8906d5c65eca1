import {linkSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {mapLimited} from '../../base/concurrency.ts';
import type {Layout} from '../layout.ts';
import {readText} from '../record-store.ts';
import {readNames} from './record.ts';

/**
 * Reserves a name for an id: by link(2), so that one of several processes gets it, and the file is never seen half
 * written. `directory` is the container's, and keeps what is linked. Answers the id that has the name when it is taken.
 */
export async function reserveName(
  layout: Layout,
  name: string,
  {id, directory}: {readonly id: string; readonly directory: string},
): Promise<string | undefined> {
  const own = join(directory, 'name');
  try {
    writeFileSync(own, id, {mode: 0o600, flag: 'wx'});
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  try {
    linkSync(own, layout.name(name));
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return (await readText(layout.name(name))) ?? '';
  }
}

/** Frees a name, if the id has it. */
export async function freeName(layout: Layout, name: string, id: string): Promise<void> {
  if ((await readText(layout.name(name))) === id) rmSync(layout.name(name), {force: true});
}

/** Frees whatever names the id has: a process that was killed may have left more than one. */
export async function freeNames(layout: Layout, id: string): Promise<void> {
  const names = await readNames(layout.names);
  await mapLimited(names, 16, (name) => freeName(layout, name, id));
}

/**
 * Frees the name that a container has, and whatever other ones a killed rename left it, but `kept`. The names of all are only
 * gone through where there is such a one: each is a link of the file `name` in the container's `directory`.
 */
export async function freeNameAndOthers(
  layout: Layout,
  {
    id,
    name,
    directory,
    kept,
  }: {readonly id: string; readonly name: string; readonly directory: string; readonly kept?: string},
): Promise<void> {
  await freeName(layout, name, id);
  const links = statSync(join(directory, 'name'), {throwIfNoEntry: false})?.nlink ?? 0;
  if (links <= (kept === undefined ? 1 : 2)) return;
  const others = (await readNames(layout.names)).filter((other) => other !== kept);
  await mapLimited(others, 16, (other) => freeName(layout, other, id));
}

/** The id that has a name. */
export function idOfName(layout: Layout, name: string): Promise<string | undefined> {
  return name.includes('/') || name === '.' || name === '..' || name === ''
    ? Promise.resolve(undefined)
    : readText(layout.name(name));
}

/**
 * The present name of a container, undefined when it has none (it is being made or removed). `expected` is where to look
 * first: the name at creation, which holds unless it was renamed.
 */
export async function nameOfId(layout: Layout, id: string, expected: string): Promise<string | undefined> {
  if ((await readText(layout.name(expected))) === id) return expected;
  return (await readAllNames(layout)).get(id);
}

/** Present names by id. */
async function readAllNames(layout: Layout): Promise<ReadonlyMap<string, string>> {
  const names = await readNames(layout.names);
  const ids = await mapLimited(names, 16, (name) => readText(layout.name(name)));
  const found = new Map<string, string>();
  names.forEach((name, index) => {
    const id = ids[index];
    if (id) found.set(id, name);
  });
  return found;
}
