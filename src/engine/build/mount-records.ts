import {readdir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {sha256Hex} from '../../base/canonical-json.ts';
import {readText, writeRecord} from '../record-store.ts';
import type {BuildContext} from './context.ts';
import {readUses} from './uses.ts';

type Where = Pick<BuildContext, 'images'>;

/** `build/mounts/<name>/mount.json`; one of an earlier version has none. */
export interface MountRecord {
  readonly v: 1;
  /** As the step says. */
  readonly id: string;
  /** BUILDKIT_CACHE_MOUNT_NS, where it was given. */
  readonly namespace?: string;
  /** RFC 3339. */
  readonly created: string;
}

/** A directory that `--mount=type=cache` shows. */
export interface KeptMount {
  readonly name: string;
  /** Undefined: of an earlier version. */
  readonly id: string | undefined;
  readonly created: string;
  readonly usedMs: number;
  readonly uses: number;
}

/** The directory of a cache; further ones for `sharing=private` have a number behind it. */
export function mountName({id, namespace = ''}: Pick<MountRecord, 'id' | 'namespace'>): string {
  return sha256Hex(`${namespace}\n${id}`).slice(0, 32);
}

/** What belongs to a cache mount. */
export function mountPaths({images}: Where, name: string) {
  const directory = join(images.layout.build.mounts, name);
  return {
    directory,
    /** What steps see. */
    data: join(directory, 'data'),
    /** The same while it is being made. */
    fresh: join(directory, 'new'),
    /** What an import takes away. */
    old: join(directory, 'old'),
    record: join(directory, 'mount.json'),
    uses: join(directory, 'uses'),
    /** Held while it is used. */
    lock: `${directory}.lock`,
    /** Held while it is made. */
    making: `${directory}.making.lock`,
  };
}

export async function writeMountRecord(context: Where, name: string, record: MountRecord): Promise<void> {
  await writeRecord(mountPaths(context, name).record, record);
}

/** Also of those that are being made. */
export async function mountNames({images}: Where): Promise<readonly string[]> {
  const names = await readdir(images.layout.build.mounts).catch(() => []);
  return names.filter((name) => /^[0-9a-f]{32}(?:-\d+)?$/.test(name));
}

/** All there are, in the order of their names. */
export async function listMounts(context: Where): Promise<readonly KeptMount[]> {
  const found = await Promise.all((await mountNames(context)).map((name) => readMount(context, name)));
  return found.flatMap((mount) => mount ?? []).sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readMount(context: Where, name: string): Promise<KeptMount | undefined> {
  const paths = mountPaths(context, name);
  const [status, uses, text] = await Promise.all([
    stat(paths.data).catch(() => undefined),
    readUses(paths.uses),
    readText(paths.record),
  ]);
  if (status === undefined) return undefined;
  const record = parse(text);
  const created = record?.created ?? new Date(status.birthtimeMs).toISOString();
  return {name, id: record?.id, created, usedMs: uses.lastMs ?? status.mtimeMs, uses: uses.count};
}

/** A damaged one tells nothing; the directory is there all the same. */
function parse(text: string | undefined): MountRecord | undefined {
  try {
    const record = text === undefined ? undefined : (JSON.parse(text) as MountRecord);
    return record?.v === 1 && typeof record.id === 'string' ? record : undefined;
  } catch {
    return undefined;
  }
}
