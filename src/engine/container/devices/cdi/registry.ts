import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {type CdiEdits, type CdiSpec, parseCdiSpec} from './spec.ts';

/** Where CDI files are, those of a later directory before those of an earlier one. */
export const cdiDirectories: readonly string[] = ['/etc/cdi', '/var/run/cdi'];

export interface CdiDevice {
  readonly spec: CdiSpec;
  readonly edits: CdiEdits;
}

/** What the machine's CDI files offer. */
export interface CdiRegistry {
  readonly directories: readonly string[];
  /** By full name: `vendor.com/class=name`. */
  readonly devices: ReadonlyMap<string, CdiDevice>;
  /** Why a file, or a device that two files describe, is not among them. */
  readonly problems: readonly string[];
}

/** Reads all files anew: drivers write them whenever their devices change. */
export async function readRegistry(directories: readonly string[]): Promise<CdiRegistry> {
  const devices = new Map<string, CdiDevice>();
  const problems: string[] = [];
  for (const directory of directories) {
    const found = new Map<string, {readonly device: CdiDevice; readonly path: string}>();
    const contested = new Set<string>();
    for (const path of await cdiFiles(directory)) {
      const spec = await readSpec(path, problems);
      for (const [name, edits] of spec?.devices ?? []) {
        const full = `${spec?.kind}=${name}`;
        const other = found.get(full);
        if (other !== undefined) {
          contested.add(full);
          problems.push(`${full}: described by ${other.path} and ${path}`);
        } else if (spec !== undefined) found.set(full, {device: {spec, edits}, path});
      }
    }
    for (const [name, {device}] of found) devices.set(name, device);
    for (const name of contested) devices.delete(name);
  }
  return {directories, devices, problems};
}

async function cdiFiles(directory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, {withFileTypes: true});
    return entries
      .filter((entry) => /\.(?:json|yaml)$/.test(entry.name) && !entry.isDirectory())
      .map(({name}) => join(directory, name))
      .sort();
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

async function readSpec(path: string, problems: string[]): Promise<CdiSpec | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    // Only for those who need it: it is larger than all that starts a container.
    const value: unknown = path.endsWith('.json') ? JSON.parse(text) : (await import('yaml')).parse(text);
    return parseCdiSpec(value);
  } catch (error) {
    problems.push(`${path}: ${(error as Error).message}`);
    return undefined;
  }
}
