import {readdirSync} from 'node:fs';
import type {ContainerConfig, EndpointSettings, HostConfig} from '../../api/types/container.ts';
import {validateContainer} from '../generated/record-validators.js';
import type {Layout} from '../layout.ts';
import {readRecord} from '../record-store.ts';

/** config.json of a container: written at creation, replaced whole by an update (schemas/record/container.schema.json). */
export interface ContainerRecord {
  readonly v: 1;
  readonly id: string;
  /** The name at creation; see `names.ts` for the present one. */
  readonly name: string;
  readonly created: string;
  readonly image: RecordedImage;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly endpoints: Readonly<Record<string, EndpointSettings>>;
  readonly mounts: readonly RecordedMount[];
  readonly files: readonly RecordedFile[];
}

export interface RecordedImage {
  readonly id: string;
  readonly reference: string;
  readonly os: string;
  readonly architecture: string;
  /** Diff IDs, lowest first. */
  readonly layers: readonly string[];
}

export type RecordedMount = BindMount | VolumeMount | TmpfsMount | ImageMount;

export interface BindMount {
  readonly kind: 'bind';
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly propagation: string;
  /** A missing source becomes a directory, as with Docker's short form. */
  readonly createSource: boolean;
  readonly recursive: boolean;
  /** Read-only is the mount itself, and not what is mounted below, or surely all of it. Absent: all that the kernel can. */
  readonly readOnlyReach?: 'top' | 'all';
  /** The options as they were given, for inspect. */
  readonly mode?: string;
}

export interface VolumeMount {
  readonly kind: 'volume';
  readonly name: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** Filled from the image while it is empty. */
  readonly copy: boolean;
  readonly anonymous: boolean;
  readonly mode?: string;
  /** Of this directory or file in it; absent: all of it. */
  readonly subpath?: string;
}

/** The files of another image, read-only. */
export interface ImageMount {
  readonly kind: 'image';
  /** As given. */
  readonly source: string;
  /** Its id. */
  readonly image: string;
  readonly target: string;
  readonly subpath?: string;
}

export interface TmpfsMount {
  readonly kind: 'tmpfs';
  readonly target: string;
  /** As mount(8) takes them: `size=1m`, `noexec`. */
  readonly options: readonly string[];
  /** Given as a `Mount`: inspect lists it. */
  readonly listed?: boolean;
}

export interface RecordedFile {
  readonly target: string;
  /** Its name under `files/`; else `source` is read at every start. */
  readonly stored?: string;
  readonly source?: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export function readContainerRecord(layout: Layout, id: string): Promise<ContainerRecord | undefined> {
  return readRecord<ContainerRecord>(layout.container(id).config, validateContainer);
}

const containerId = /^[0-9a-f]{64}$/;

/** Ids of all containers, whole ones only. */
export async function readContainerIds(layout: Layout): Promise<readonly string[]> {
  return (await readNames(layout.containers)).filter((name) => containerId.test(name));
}

/** The entries of a directory, none where it does not exist. */
export async function readNames(directory: string): Promise<readonly string[]> {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
