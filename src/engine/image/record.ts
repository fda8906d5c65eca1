import {TscomposeError} from '../../base/errors.ts';
import {readdir, rm, utimes} from '../at-once.ts';
import {
  validateImage,
  validateImageLayer,
  validateImagePin,
  validateImageReference,
} from '../generated/record-validators.js';
import type {Layout} from '../layout.ts';
import {hasContent, readRecord, temporaryPrefix, writeRecord} from '../record-store.ts';

export interface LayerRecord {
  readonly diffId: string;
  /** Its name under `layers/`. */
  readonly directory: string;
  /** Digest of the archive it was unpacked from. */
  readonly blob: string;
  /** Of the unpacked files. */
  readonly bytes: number;
  /** Things in it that only layers below could have told: it may be shared as the lowest layer only. */
  readonly implied?: number;
  /** Bytes of its archive, which is not kept: it is made of the directory whenever it is wanted. */
  readonly made?: number;
}

/** `images/layers/<directory>.json`: what is known of a directory before an image with it is there. */
export interface UnpackedLayer extends LayerRecord {
  readonly v: 1;
  /** The boot in which it was made, until it is known to survive a power loss: after that it counts no more. */
  readonly boot?: string;
}

/** `images/pins/<hash>.json`: content that something else than an image needs. */
export interface PinRecord {
  readonly v: 1;
  readonly name: string;
  /** Digests. */
  readonly blobs: readonly string[];
  /** Directories. */
  readonly layers: readonly string[];
}

/** Before the key of a step, the name of a pin: what a build resulted in stays for later ones. */
export const buildPin = 'build/';

/** Before the digest of a manifest, the name of a pin: of a pull that was interrupted, what has come whole stays. */
export const pullPin = 'pull ';

/** `images/records/<hex>.json` */
export interface ImageRecord {
  readonly v: 1;
  /** Digest of the configuration. */
  readonly id: string;
  /** Digest of the manifest, where one came with the image. */
  readonly manifest?: string;
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  /** RFC 3339, as the image says. */
  readonly created: string;
  /** Lowest first. */
  readonly layers: readonly LayerRecord[];
}

/** `images/references/<hash>.json`: a name that points to an image. */
export interface ReferenceRecord {
  readonly v: 1;
  /** Normalised. */
  readonly reference: string;
  /** The one of its platforms that was taken. */
  readonly image: string;
  /** The manifest or index that the name stands for: without it, the image's own manifest. */
  readonly target?: TargetDescriptor;
  /** Images of the target's other platforms that are here too. */
  readonly others?: readonly string[];
}

/** The images of a name, the one that it was pulled for last first. */
export function imagesOfName({image, others = []}: ReferenceRecord): readonly string[] {
  return [image, ...others];
}

/** Where exact bytes are, as a registry knows them. */
export interface TargetDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export function readImage(layout: Layout, id: string): Promise<ImageRecord | undefined> {
  return readRecord<ImageRecord>(layout.images.record(id), validateImage);
}

export async function writeImage(layout: Layout, record: ImageRecord): Promise<void> {
  await writeSynced(layout.images.record(record.id), record);
}

export function readReference(layout: Layout, normalised: string): Promise<ReferenceRecord | undefined> {
  return readRecord<ReferenceRecord>(layout.images.reference(normalised), validateImageReference);
}

/**
 * Throws `invalid` for a name that would read as a digest. The time of the file is that at which the name was given last:
 * policies ask for how long ago that was.
 */
export async function writeReference(layout: Layout, name: Omit<ReferenceRecord, 'v'>): Promise<void> {
  if (name.reference.startsWith('docker.io/library/sha256:')) {
    throw new TscomposeError('invalid', 'refusing to create an ambiguous tag using digest algorithm as name');
  }
  const {others = [], target, ...rest} = name;
  const record: ReferenceRecord = {v: 1, ...rest, ...(target && {target}), ...(others.length > 0 ? {others} : {})};
  await writeSynced(layout.images.reference(name.reference), record);
}

/** The name was given once more, to what it stands for already. False where it is gone. */
export async function touchReference(layout: Layout, reference: string): Promise<boolean> {
  return await touch(layout.images.reference(reference));
}

/** What stands there already was synced when it was written: of a build that comes to the same image, only the time is new. */
async function writeSynced(path: string, record: ImageRecord | ReferenceRecord): Promise<void> {
  if (!((await hasContent(path, record)) && (await touch(path)))) await writeRecord(path, record, {sync: true});
}

async function touch(path: string): Promise<boolean> {
  const now = new Date();
  return await utimes(path, now, now).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

export async function removeReference(layout: Layout, reference: string): Promise<void> {
  await rm(layout.images.reference(reference), {force: true});
}

export async function removeImageRecord(layout: Layout, id: string): Promise<void> {
  await rm(layout.images.record(id), {force: true});
}

/** Undefined also for a damaged one: then the layer is unpacked again. */
export async function readLayer(layout: Layout, directory: string): Promise<UnpackedLayer | undefined> {
  return await readRecord<UnpackedLayer>(layout.images.layerRecord(directory), validateImageLayer).catch(
    () => undefined,
  );
}

export async function writeLayer(layout: Layout, layer: Omit<UnpackedLayer, 'v'>): Promise<void> {
  const record: UnpackedLayer = {...layer, v: 1};
  await writeRecord(layout.images.layerRecord(layer.directory), record);
}

/** Not synced: after a power loss what it keeps is made or brought again. */
export async function writePin(layout: Layout, pin: PinRecord): Promise<void> {
  await writeRecord(layout.images.pin(pin.name), pin);
}

export async function removePin(layout: Layout, name: string): Promise<void> {
  await rm(layout.images.pin(name), {force: true});
}

/** Without damaged ones, which are all that a power loss may leave of them. */
export async function listPins(layout: Layout): Promise<readonly PinRecord[]> {
  return await readAll(layout.images.pins, (name) =>
    readRecord<PinRecord>(`${layout.images.pins}/${name}.json`, validateImagePin).catch(() => undefined),
  );
}

/** All images, in no order. */
export async function listImages(layout: Layout): Promise<readonly ImageRecord[]> {
  return await readAll(layout.images.records, (name) => readImage(layout, name));
}

export async function listReferences(layout: Layout): Promise<readonly ReferenceRecord[]> {
  return await readAll(layout.images.references, (name) =>
    readRecord<ReferenceRecord>(`${layout.images.references}/${name}.json`, validateImageReference),
  );
}

/** A record that goes away meanwhile is left out. */
async function readAll<T>(directory: string, read: (name: string) => Promise<T | undefined>): Promise<readonly T[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new TscomposeError('internal', `cannot read ${directory}: ${error.message}`, {cause: error});
  });
  const wanted = names.filter((name) => name.endsWith('.json') && !name.startsWith(temporaryPrefix));
  const records = await Promise.all(wanted.map((name) => read(name.slice(0, -'.json'.length))));
  return records.filter((record): record is Awaited<NonNullable<typeof record>> => record !== undefined);
}
