import type {BuildCacheRow} from '../../api/types/system.ts';
import {createBlobStore} from '../image/blobs.ts';
import {exclusively} from '../image/collect.ts';
import {createLease, readLeases} from '../image/lease.ts';
import {listImages} from '../image/record.ts';
import {listCache, type UsedRecord} from './cache.ts';
import type {BuildContext} from './context.ts';
import {type KeptMount, listMounts, mountPaths} from './mount-records.ts';
import {listReceived, receivedPaths} from './received-records.ts';

type Where = Pick<BuildContext, 'images'>;

/** What builds keep: a result of a step, a cache mount, or what a client sent of a context. */
export interface KeptRow {
  readonly row: BuildCacheRow;
  readonly usedMs: number;
  /** An image has its layer: removing it frees nothing. */
  readonly isOfImage: boolean;
}

/** All that is kept for later builds, what was not used for longest first. */
export async function listRows(context: Where): Promise<readonly KeptRow[]> {
  const rows = [...(await stepRows(context)), ...(await mountRows(context)), ...(await receivedRows(context))];
  return rows.sort((a, b) => a.usedMs - b.usedMs || (a.row.ID < b.row.ID ? -1 : 1));
}

async function stepRows(context: Where): Promise<readonly KeptRow[]> {
  const {images} = context;
  const [records, known, used] = await Promise.all([
    listCache(context),
    listImages(images.layout),
    heldLayers(context),
  ]);
  const ofImages = new Set(known.flatMap(({layers}) => layers.map(({directory}) => directory)));
  const counted = new Set<string>();
  const rows: KeptRow[] = [];
  for (const record of [...records].sort((a, b) => (a.created < b.created ? -1 : 1))) {
    const {directory} = record.layer;
    const isOfImage = ofImages.has(directory);
    // One of several with the same layer stands for it.
    const isShared = isOfImage || counted.has(directory);
    counted.add(directory);
    const size = record.layer.bytes + (await archiveBytes(context, record));
    const row = stepRow(record, {Size: size, Shared: isShared, InUse: used.has(directory)});
    rows.push({row, usedMs: record.usedMs, isOfImage});
  }
  return rows;
}

function stepRow(
  {key, title, from, created, usedMs, uses}: UsedRecord,
  told: Pick<BuildCacheRow, 'Size' | 'Shared' | 'InUse'>,
): BuildCacheRow {
  return {
    ...{ID: key, Parents: null, Type: 'regular', Description: from === undefined ? title : `${title} (from ${from})`},
    ...told,
    ...{CreatedAt: created, LastUsedAt: new Date(usedMs).toISOString(), UsageCount: uses},
  };
}

/** Of a layer that came from elsewhere the archive is kept, too. */
async function archiveBytes({images}: Where, {layer}: UsedRecord): Promise<number> {
  if (layer.made !== undefined) return 0;
  const found = await createBlobStore(images.layout.images.blobs)
    .describe(layer.blob)
    .catch(() => undefined);
  return found?.size ?? 0;
}

/** Layers that somebody works with. */
async function heldLayers({images}: Where): Promise<ReadonlySet<string>> {
  await using lease = await createLease(images);
  return (await exclusively(images, () => readLeases(images, lease, {onlyLook: true}))).layers;
}

async function mountRows(context: Where): Promise<readonly KeptRow[]> {
  const rows: KeptRow[] = [];
  for (const mount of await listMounts(context)) rows.push(await mountRow(context, mount));
  return rows;
}

async function mountRow(context: Where, {name, id, created, usedMs, uses}: KeptMount): Promise<KeptRow> {
  const {helper} = context.images;
  const {data, lock: path} = mountPaths(context, name);
  const lock = await helper.tryLock(path);
  await lock?.[Symbol.asyncDispose]();
  const {bytes} = await helper.request({kind: 'measureTree', root: data});
  const row: BuildCacheRow = {
    ...{
      ID: name,
      Parents: null,
      Type: 'exec.cachemount',
      Description: `cached mount ${id ?? '(of an earlier version)'}`,
    },
    ...{InUse: lock === undefined, Shared: false, Size: bytes},
    ...{CreatedAt: created, LastUsedAt: new Date(usedMs).toISOString(), UsageCount: uses},
  };
  return {row, usedMs, isOfImage: false};
}

async function receivedRows({images}: Where): Promise<readonly KeptRow[]> {
  const rows: KeptRow[] = [];
  for (const {name, bytes, created, usedMs, uses} of await listReceived({images})) {
    const lock = await images.helper.tryLock(receivedPaths(images.layout, name).lock);
    await lock?.[Symbol.asyncDispose]();
    const row: BuildCacheRow = {
      ...{ID: name, Parents: null, Type: 'source.local', Description: 'local source for context'},
      ...{InUse: lock === undefined, Shared: false, Size: bytes},
      ...{CreatedAt: created, LastUsedAt: new Date(usedMs).toISOString(), UsageCount: uses},
    };
    rows.push({row, usedMs, isOfImage: false});
  }
  return rows;
}
