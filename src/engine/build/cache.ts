import {join} from 'node:path';
import {canonicalJson, sha256Hex} from '../../base/canonical-json.ts';
import {mkdir, readdir, rm, stat} from '../at-once.ts';
import {buildPin, type LayerRecord, listPins} from '../image/record.ts';
import {readText, temporaryPrefix, writeFileAtomically, writeRecord} from '../record-store.ts';
import type {BuildWork} from './context.ts';
import {countUse, readUses} from './uses.ts';

/** What the key of a step is made of, so that it can be said which part of it changed. */
export interface KeyParts {
  /** Key of the step that it is built upon. */
  readonly parent: string;
  /** What the step does, by name of the part. */
  readonly definition: Readonly<Record<string, unknown>>;
  /** Digest of the files that it takes. */
  readonly files: string;
}

/** The same, with a short mark of each file, and of each place that files were fetched from which version it was. */
export interface ListedParts extends KeyParts {
  readonly listed?: Readonly<Record<string, string>>;
  readonly versions?: Readonly<Record<string, string>>;
}

/** `build/cache/<key>.json` */
export interface CacheRecord {
  readonly v: 1;
  readonly key: string;
  /** When the step ran; RFC 3339. */
  readonly created: string;
  readonly layer: LayerRecord;
  /** What it is, for lists. */
  readonly title: string;
  /** The cache elsewhere that it came from. */
  readonly from?: string;
}

export function keyOf({parent, definition, files}: KeyParts): string {
  return sha256Hex(canonicalJson({parent, definition, files}));
}

export type CachedStep = Pick<CacheRecord, 'layer' | 'created' | 'title' | 'from'>;

/** Results of steps by their keys. Their layers stay as long as the records do. */
export interface BuildCache {
  /** Undefined: it is not known, or its layer is gone. `title`: of the step that wants it. */
  find(key: string, title: string): Promise<CachedStep | undefined>;
  keep(key: string, made: CachedStep): Promise<void>;
  /** What the step at this place of this Dockerfile was made of last, built or taken from the cache. */
  lastParts(slot: string): Promise<ListedParts | undefined>;
  /** Written only where others are there. */
  keepParts(slot: string, parts: ListedParts): Promise<void>;
}

export function openCache({images, session}: Pick<BuildWork, 'images' | 'session'>): BuildCache {
  const {cache: records, slots} = images.layout.build;
  const path = (key: string) => join(records, `${key}.json`);
  return {
    async find(key) {
      const record = await readCacheRecord(path(key));
      if (record === undefined) return undefined;
      const {directory} = record.layer;
      if (!(await session.layers.has(directory))) return undefined;
      // What was not used for longest goes first.
      countUse(usesPath(records, key));
      return record;
    },
    async keep(key, {layer, created, title, from}) {
      await mkdir(records, {recursive: true, mode: 0o700});
      // Of one that was unpacked the archive stays, too: images have it.
      const blobs = layer.made === undefined ? [layer.blob] : [];
      const record = {v: 1, key, created, layer, title, ...(from === undefined ? {} : {from})} satisfies CacheRecord;
      // With the lock of images: what is half-written while garbage is told is of somebody who died.
      await session.lease.hold({layers: [layer.directory]}, () => writeRecord(path(key), record));
      // After the record, which until then leads nowhere once this process is killed: a pin without one is nobody's.
      await session.pin({name: pinName(key), blobs, layers: [layer.directory]});
    },
    lastParts: (slot) => readJson<ListedParts>(join(slots, `${slot}.json`)),
    async keepParts(slot, parts) {
      // They may list thousands of files: a mark beside them tells that they are there.
      const mark = sha256Hex(canonicalJson([keyOf(parts), parts.versions ?? {}]));
      const marked = join(slots, `${slot}.mark`);
      if ((await readText(marked)) === mark) return;
      await mkdir(slots, {recursive: true, mode: 0o700});
      await rm(marked, {force: true});
      await writeRecord(join(slots, `${slot}.json`), parts);
      await writeFileAtomically(marked, mark);
    },
  };
}

function usesPath(records: string, key: string): string {
  return join(records, `${key}.uses`);
}

function pinName(key: string): string {
  return `${buildPin}${key}`;
}

async function readCacheRecord(path: string): Promise<CacheRecord | undefined> {
  const record = await readJson<CacheRecord>(path);
  return record?.v === 1 ? record : undefined;
}

/** A damaged record is one that is not there: what it tells of is built again. */
async function readJson<T>(file: string): Promise<T | undefined> {
  const text = await readText(file);
  try {
    return text === undefined ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}

/** A record, and when it was used last in milliseconds. */
export interface UsedRecord extends CacheRecord {
  readonly usedMs: number;
  /** How often it was taken. */
  readonly uses: number;
}

/** All there are, in no order. */
export async function listCache({images}: Pick<BuildWork, 'images'>): Promise<readonly UsedRecord[]> {
  const {cache} = images.layout.build;
  const names = await readdir(cache).catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => name.endsWith('.json') && !name.startsWith(temporaryPrefix))
      .map(async (name) => {
        const record = await readCacheRecord(join(cache, name));
        const status = await stat(join(cache, name)).catch(() => undefined);
        if (record === undefined || status === undefined) return [];
        const uses = await readUses(usesPath(cache, record.key));
        return [{...record, usedMs: uses.lastMs ?? status.mtimeMs, uses: uses.count}];
      }),
  );
  return found.flat();
}

/** Takes away the pins of steps whose records were removed while they were made. */
export async function dropStrayPins({images, session}: Pick<BuildWork, 'images' | 'session'>): Promise<void> {
  for (const {name} of await listPins(images.layout)) {
    if (!name.startsWith(buildPin)) continue;
    const record = join(images.layout.build.cache, `${name.slice(buildPin.length)}.json`);
    if ((await readText(record)) === undefined) await session.unpin(name);
  }
}

/** The layers go with the next clean-up of the store. */
export async function dropFromCache(
  {images, session}: Pick<BuildWork, 'images' | 'session'>,
  keys: readonly string[],
): Promise<void> {
  for (const key of keys) {
    await rm(join(images.layout.build.cache, `${key}.json`), {force: true});
    await rm(usesPath(images.layout.build.cache, key), {force: true});
    await session.unpin(pinName(key));
  }
}
