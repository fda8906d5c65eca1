import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {mapLimited} from '../../base/concurrency.ts';
import {hasKind} from '../../base/errors.ts';
import {validateImage, validateImagePin, validateImageReference} from '../generated/record-validators.js';
import {hostedBlobs} from '../hosting/records.ts';
import {readRecord, temporaryPrefix} from '../record-store.ts';
import {createBlobStore} from './blobs.ts';
import {exclusively} from './collect.ts';
import {parseConfiguration} from './configuration.ts';
import type {ImageContext} from './context.ts';
import {hostLayerPrefix} from './host-image.ts';
import {createLease, readLeases} from './lease.ts';
import {remakeArchive} from './made-layer.ts';
import {type Records, reachableBy} from './reachable.ts';
import {type ImageRecord, type LayerRecord, type PinRecord, pullPin, type ReferenceRecord} from './record.ts';
import {familiarReference} from './reference.ts';

/** Something in the store that is not as it should be. */
export interface Fault {
  readonly kind: 'blob' | 'layer' | 'image' | 'name' | 'pin' | 'hosted' | 'record';
  /** Digest, directory, id, name, or path of a record. */
  readonly subject: string;
  readonly problem: string;
}

/** What the store has, and what of it is broken. */
export interface Inspection extends Records {
  readonly blobs: number;
  readonly layers: number;
  readonly faults: readonly Fault[];
  /** Names of files and directories that nobody needs: a prune takes them. */
  readonly waste: readonly string[];
}

/** Files read at the same time. */
const parallel = 4;

/** Reads everything: each blob is hashed, each layer measured, each record followed. Changes nothing. */
export async function inspectStore(context: ImageContext): Promise<Inspection> {
  const {layout} = context;
  const faults: Fault[] = [];
  await using lease = await createLease(context);
  const list = async () => ({blobs: await readdir(layout.images.blobs), layers: await readdir(layout.images.layers)});
  const first = await list();
  // What is there now stays while it is read; what others add meanwhile is theirs to check.
  await lease.hold({blobs: first.blobs.map((hex) => `sha256:${hex}`), layers: first.layers}, () => undefined);
  const {records, leased, names} = await exclusively(context, async () => ({
    records: await readRecords(context, faults),
    leased: await readLeases(context, lease, {onlyLook: true}),
    names: await list(),
  }));
  const {images, references, pins, hosted} = records;
  const kept = new Set(names.blobs.filter((name) => !name.startsWith(temporaryPrefix)));
  const broken = await brokenBlobs(context, [...kept]);
  for (const [hex, problem] of broken) faults.push({kind: 'blob', subject: `sha256:${hex}`, problem});
  const isWhole = (digest: string) =>
    kept.has(digest.slice('sha256:'.length)) && !broken.has(digest.slice('sha256:'.length));
  const layers = new Map(images.flatMap((image) => image.layers.map((layer) => [layer.directory, layer] as const)));
  const present = new Set(names.layers);
  const missing = await mapLimited([...layers.values()], parallel, (layer) => checkLayer(context, layer, present));
  const badLayers = new Map(missing.flatMap((fault) => (fault ? [[fault.subject, fault] as const] : [])));
  faults.push(...badLayers.values());
  for (const image of images) faults.push(...(await checkImage(context, image, {isWhole, badLayers})));
  const ids = new Set(images.map(({id}) => id));
  for (const reference of references) faults.push(...checkReference(reference, ids, isWhole));
  for (const pin of pins) faults.push(...checkPin(pin, isWhole, present));
  for (const digest of new Set(hosted)) {
    if (!isWhole(digest))
      faults.push({kind: 'hosted', subject: digest, problem: 'the registry lost it, or it is damaged'});
  }
  const needed = await reachableBy(createBlobStore(layout.images.blobs), records);
  const waste = [
    ...names.blobs.filter((name) => !needed.blobs.has(`sha256:${name}`) && !leased.blobs.has(`sha256:${name}`)),
    ...names.layers.filter(
      (name) => !needed.layers.has(name) && !leased.layers.has(name) && !name.startsWith(hostLayerPrefix),
    ),
  ].filter((name) => !leased.isBeingMade(name));
  return {...records, blobs: kept.size, layers: layers.size, faults, waste};
}

async function readRecords({layout}: ImageContext, faults: Fault[]): Promise<Records> {
  const read = async <T>(directory: string, validate: Parameters<typeof readRecord>[1]): Promise<readonly T[]> => {
    const found: T[] = [];
    for (const name of await readdir(directory)) {
      if (name.startsWith(temporaryPrefix)) continue;
      const path = join(directory, name);
      const record = await readRecord<T>(path, validate).catch((error: Error) => {
        if (!hasKind(error, 'internal')) throw error;
        faults.push({kind: 'record', subject: path, problem: error.message});
        return undefined;
      });
      if (record !== undefined) found.push(record);
    }
    return found;
  };
  return {
    images: await read<ImageRecord>(layout.images.records, validateImage),
    references: await read<ReferenceRecord>(layout.images.references, validateImageReference),
    pins: await read<PinRecord>(layout.images.pins, validateImagePin),
    hosted: await hostedBlobs(layout),
  };
}

/** Those whose content is not what their name says, and why. */
export async function brokenBlobs(
  {layout}: ImageContext,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = await mapLimited(names, parallel, async (hex) => {
    const hash = createHash('sha256');
    try {
      for await (const chunk of createReadStream(join(layout.images.blobs, hex), {highWaterMark: 1 << 20}))
        hash.update(chunk);
    } catch (error) {
      // It came and went meanwhile.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      return [[hex, `it cannot be read: ${(error as Error).message}`] as const];
    }
    const digest = hash.digest('hex');
    return digest === hex ? [] : [[hex, `its content is sha256:${digest}`] as const];
  });
  return new Map(found.flat());
}

async function checkLayer(
  context: ImageContext,
  layer: LayerRecord,
  present: ReadonlySet<string>,
): Promise<Fault | undefined> {
  const {directory, bytes, made, diffId} = layer;
  const fault = (problem: string): Fault => ({kind: 'layer', subject: directory, problem});
  if (!present.has(directory)) return fault('its directory is missing');
  const root = context.layout.images.layer(directory);
  try {
    const measured = await context.helper.request({kind: 'measureTree', root});
    if (measured.bytes !== bytes) return fault(`it has ${measured.bytes} bytes, not ${bytes}`);
    // There is nothing else to make it of: its files have to be the very ones.
    if (made !== undefined) for await (const _ of remakeArchive(context, root, {digest: diffId}));
    return undefined;
  } catch (error) {
    return fault((error as Error).message);
  }
}

interface Known {
  readonly isWhole: (digest: string) => boolean;
  readonly badLayers: ReadonlyMap<string, Fault>;
}

async function checkImage(
  {layout}: ImageContext,
  image: ImageRecord,
  {isWhole, badLayers}: Known,
): Promise<readonly Fault[]> {
  const fault = (problem: string): Fault => ({kind: 'image', subject: image.id, problem});
  const faults: Fault[] = [];
  if (!isWhole(image.id)) faults.push(fault('its configuration is missing or damaged'));
  else {
    try {
      const {diffIds} = parseConfiguration(await createBlobStore(layout.images.blobs).read(image.id), image.id);
      if (diffIds.join() !== image.layers.map(({diffId}) => diffId).join())
        faults.push(fault('its layers are not those of its configuration'));
    } catch (error) {
      faults.push(fault((error as Error).message));
    }
  }
  if (image.manifest !== undefined && !isWhole(image.manifest))
    faults.push(fault('its manifest is missing or damaged'));
  for (const {blob, made, directory} of image.layers) {
    if (made === undefined && !isWhole(blob)) faults.push(fault(`its blob ${blob} is missing or damaged`));
    if (badLayers.has(directory)) faults.push(fault(`its layer ${directory} is broken`));
  }
  return faults;
}

function checkReference(
  {reference, image, target}: ReferenceRecord,
  ids: ReadonlySet<string>,
  isWhole: (digest: string) => boolean,
): readonly Fault[] {
  const fault = (problem: string): Fault => ({kind: 'name', subject: familiarReference(reference), problem});
  return [
    ...(ids.has(image) ? [] : [fault(`its image ${image} is missing`)]),
    ...(target === undefined || isWhole(target.digest)
      ? []
      : [fault(`its target ${target.digest} is missing or damaged`)]),
  ];
}

function checkPin(
  {name, blobs, layers}: PinRecord,
  isWhole: (digest: string) => boolean,
  present: ReadonlySet<string>,
): readonly Fault[] {
  // Of a pull that was interrupted, or goes on: not everything has come yet.
  if (name.startsWith(pullPin)) return [];
  const fault = (problem: string): Fault => ({kind: 'pin', subject: name, problem});
  return [
    ...blobs.filter((digest) => !isWhole(digest)).map((digest) => fault(`its blob ${digest} is missing or damaged`)),
    ...layers
      .filter((directory) => !present.has(directory))
      .map((directory) => fault(`its layer ${directory} is missing`)),
  ];
}
