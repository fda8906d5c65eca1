import {readdir, rm} from 'node:fs/promises';
import {TscomposeError} from '../../base/errors.ts';
import {validateImage, validateImageReference} from '../generated/record-validators.js';
import type {Layout} from '../layout.ts';
import {readRecord, temporaryPrefix, writeRecord} from '../record-store.ts';

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
}

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
  readonly image: string;
}

export function readImage(layout: Layout, id: string): Promise<ImageRecord | undefined> {
  return readRecord<ImageRecord>(layout.images.record(id), validateImage);
}

export async function writeImage(layout: Layout, record: ImageRecord): Promise<void> {
  await writeRecord(layout.images.record(record.id), record, {sync: true});
}

export function readReference(layout: Layout, normalised: string): Promise<ReferenceRecord | undefined> {
  return readRecord<ReferenceRecord>(layout.images.reference(normalised), validateImageReference);
}

export async function writeReference(layout: Layout, reference: string, image: string): Promise<void> {
  const record: ReferenceRecord = {v: 1, reference, image};
  await writeRecord(layout.images.reference(reference), record, {sync: true});
}

export async function removeReference(layout: Layout, reference: string): Promise<void> {
  await rm(layout.images.reference(reference), {force: true});
}

export async function removeImageRecord(layout: Layout, id: string): Promise<void> {
  await rm(layout.images.record(id), {force: true});
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
