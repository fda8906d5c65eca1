import {type Dirent, lstatSync, readdirSync, readFileSync, readlinkSync, type Stats} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import type {SyncResult} from '../../../src/api/types/sync.ts';
import {makeTar, type RawEntry} from '../../support/archive.ts';
import type {Bed} from './bed.ts';

/** A file by its content, or any entry. */
export type Entries = Readonly<Record<string, string | Omit<RawEntry, 'name'>>>;

export const directory = (mode = 0o755): Omit<RawEntry, 'name'> => ({type: '5', mode});
export const link = (target: string): Omit<RawEntry, 'name'> => ({type: '2', link: target});

export function tarOf(entries: Entries): Buffer {
  return makeTar(
    Object.entries(entries).map(([name, entry]) => ({name, ...(typeof entry === 'string' ? {data: entry} : entry)})),
  );
}

/** In pieces, as a connection would bring it. */
export async function* inPieces(bytes: Uint8Array, size = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export interface SyncOptions {
  readonly path?: string;
  readonly owner?: string;
}

export function sync(bed: Bed, id: string, entries: Entries, options: SyncOptions = {}): Promise<SyncResult> {
  const {path = '/app', owner} = options;
  const target = {path, ...(owner === undefined ? {} : {owner})};
  return bed.engine.containers.sync(id, target, inPieces(tarOf(entries)));
}

/** A running container's files, seen from the machine. */
export interface Inside {
  text(path: string): string;
  stat(path: string): Stats;
  link(path: string): string;
  list(path: string): readonly string[];
  exists(path: string): boolean;
  /** Names that a sync left anywhere, mounts of the kernel left out. */
  temporaries(): readonly string[];
}

export async function inside(bed: Bed, id: string): Promise<Inside> {
  const {Pid} = await bed.state(id);
  return view(`/proc/${Pid}/root`);
}

export function view(root: string): Inside {
  const at = (path: string) => join(root, path);
  const walk = (path: string): readonly string[] =>
    (readdirSync(at(path), {withFileTypes: true}) as Dirent[]).flatMap((entry) => {
      const name = join(path, entry.name);
      if (path === '/' && ['proc', 'sys', 'dev'].includes(entry.name)) return [];
      return [name, ...(entry.isDirectory() ? walk(name) : [])];
    });
  return {
    text: (path) => readFileSync(at(path), 'utf8'),
    stat: (path) => lstatSync(at(path)),
    link: (path) => readlinkSync(at(path)),
    list: (path) => readdirSync(at(path)).toSorted(),
    exists: (path) => lstatSync(at(path), {throwIfNoEntry: false}) !== undefined,
    temporaries: () => walk('/').filter((path) => path.includes('.tscompose-sync-')),
  };
}

/** What is mounted on the machine and has to do with the bed, whose layers may be named by descriptors. Private mounts never show. */
export function machineMounts({base}: Bed): readonly string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.filter((line) => line.includes(base) || line.includes('/proc/self/fd/'));
}

export async function until(check: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${check.toString()}`);
    await delay(5);
  }
}
