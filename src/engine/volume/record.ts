import {readdir} from '../at-once.ts';
import {validateVolume} from '../generated/record-validators.js';
import type {Layout} from '../layout.ts';
import {readRecord, temporaryPrefix} from '../record-store.ts';

/** `volumes/<name>/config.json`, written once. */
export interface VolumeRecord {
  readonly v: 1;
  readonly name: string;
  /** RFC 3339. */
  readonly created: string;
  readonly driver: 'local';
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

export function readVolume(layout: Layout, name: string): Promise<VolumeRecord | undefined> {
  return readRecord<VolumeRecord>(layout.volume(name).config, validateVolume);
}

/** All volumes, by name. */
export async function listVolumes(layout: Layout): Promise<readonly VolumeRecord[]> {
  const names = await readdir(layout.volumes).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const wanted = names.filter((name) => !name.startsWith(temporaryPrefix)).sort();
  const records = await Promise.all(wanted.map((name) => readVolume(layout, name)));
  return records.filter((record): record is VolumeRecord => record !== undefined);
}
