import {type Dirent, lstatSync, readdirSync, readlinkSync, realpathSync, type Stats, statSync} from 'node:fs';
import {join} from 'node:path';
import {entryOf} from './entry.ts';
import {timeSlices} from './time-slices.ts';
import type {PathFilter, TreeEntry, WatchRoot} from './types.ts';

export interface ScanOptions {
  /** Absolute, links resolved: see `openRoot`. */
  readonly real: string;
  readonly filter: PathFilter;
  /** Begin at this directory of the tree. */
  readonly under?: string;
  /** What was seen before: entries that have not changed are taken from it. */
  readonly known?: ReadonlyMap<string, TreeEntry>;
}

export interface Scan {
  readonly entries: Map<string, TreeEntry>;
  /** Directories that were entered, also those that do not count themselves. */
  readonly entered: Set<string>;
}

export type OpenRoot =
  | {readonly kind: 'missing'}
  | {readonly kind: 'file' | 'directory'; readonly real: string; readonly stats: Stats};

/** What stands at a root now, through links. */
export function openRoot(path: string): OpenRoot {
  try {
    const real = realpathSync(path);
    const stats = statSync(real);
    if (stats.isDirectory()) return {kind: 'directory', real, stats};
    return stats.isFile() ? {kind: 'file', real, stats} : {kind: 'missing'};
  } catch (error) {
    if (isGone(error)) return {kind: 'missing'};
    throw error;
  }
}

/** Everything that counts at and below a directory. What vanishes meanwhile, or cannot be read, is not there. */
export async function scanTree({real, filter, under = '', known}: ScanOptions): Promise<Scan> {
  const scan: Scan = {entries: new Map(), entered: new Set()};
  const pause = timeSlices();
  const waiting = [under];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    scan.entered.add(directory);
    for (const name of namesIn(directory === '' ? real : `${real}/${directory}`)) {
      const path = directory === '' ? name : `${directory}/${name}`;
      if (filter.prunes(path)) continue;
      const entry = lookAt(`${real}/${path}`, known?.get(path));
      if (entry?.kind === 'directory') waiting.push(path);
      if (entry !== undefined && filter.includes(path)) scan.entries.set(path, entry);
      const turn = pause();
      if (turn !== undefined) await turn;
    }
  }
  return scan;
}

/** Whether trees hold more files together than so many; it stops counting there. */
export async function hasMoreFiles(roots: Iterable<WatchRoot>, most: number): Promise<boolean> {
  let files = 0;
  const pause = timeSlices();
  for (const {path, filter} of roots) {
    const opened = openRoot(path);
    const waiting = opened.kind === 'directory' && !filter.prunes('') ? [''] : [];
    for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
      for (const item of readDirectory(join(path, directory))) {
        const name = directory === '' ? item.name : `${directory}/${item.name}`;
        if (filter.prunes(name)) continue;
        if (item.isDirectory()) waiting.push(name);
        else files += 1;
      }
      if (files > most) return true;
      await pause();
    }
  }
  return false;
}

function readDirectory(path: string): readonly Dirent[] {
  return orNothing(() => readdirSync(path, {withFileTypes: true})) ?? [];
}

function namesIn(path: string): readonly string[] {
  return orNothing(() => readdirSync(path)) ?? [];
}

/** The file, directory or link at a path, `before` itself where nothing changed; undefined for none and other kinds. */
export function lookAt(path: string, before?: TreeEntry): TreeEntry | undefined {
  return orNothing(() => {
    const stats = lstatSync(path, {throwIfNoEntry: false});
    if (stats === undefined) return undefined;
    if (!stats.isSymbolicLink()) return entryOf(stats, before);
    const target = readlinkSync(path);
    return before?.kind === 'link' && before.target === target ? before : {kind: 'link', target};
  });
}

function orNothing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

const goneCodes: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'EINVAL', 'ESTALE']);

/** The path leads nowhere, or nowhere that we may look: then nothing is there for us. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && goneCodes.has(String(error.code));
}
