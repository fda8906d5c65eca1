import type {ContainerConfig, ContainerInspect, ContainerStatus} from '../api/types/container.ts';
import type {Ipam} from '../api/types/network.ts';
import type {ContainerId} from './action.ts';
import type {Spec} from './spec.ts';

/** What runs and what exists, as far as one project is concerned: the planner's picture of the engine. */
export interface Observed {
  readonly project: string;
  /** Every container with the project's label, one-off ones too. */
  readonly containers: readonly ObservedContainer[];
  /** Networks with the project's label, and those that carry a name the project uses. */
  readonly networks: readonly ObservedNetwork[];
  /** Volumes with the project's label, and those that carry a name the project uses. */
  readonly volumes: readonly ObservedVolume[];
  /** Images by what was looked up (`imageKey`); one without entry is not on the engine. */
  readonly images: Readonly<Record<string, ObservedImage>>;
}

export interface ObservedContainer {
  readonly id: ContainerId;
  /** Without the leading slash. */
  readonly name: string;
  readonly service: string;
  /** The replica, from 1. */
  readonly number: number;
  /** Made by `run`, no replica of its service. */
  readonly oneOff: boolean;
  readonly status: ContainerStatus;
  /** Id of the image it was made from. */
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What it was made from; absent: not made by tscompose, or by one that this one cannot read. */
  readonly spec?: Spec;
  /** Network name → network id; the id is empty where the engine does not say. */
  readonly networks: Readonly<Record<string, string>>;
  readonly mounts: readonly ObservedMount[];
  /** How many of its `post_start` hooks have ended well since its start; absent: all of them, as far as anybody knows. */
  readonly hooksDone?: number;
  /** Ids of the containers whose namespaces it shares; only where its service shares any. */
  readonly shares?: Readonly<Partial<Record<'NetworkMode' | 'PidMode' | 'IpcMode', string>>>;
  /** Its last start, in ms; only where namespaces are shared: its own, or another's. */
  readonly started?: {readonly at: number; readonly byPolicy: boolean};
  /** Only for containers without spec, which are compared through it. */
  readonly inspected?: ContainerInspect;
}

export interface ObservedMount {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'image';
  /** Of a volume. */
  readonly name?: string;
  readonly source: string;
  readonly target: string;
}

export interface ObservedNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly enableIpv6: boolean;
  readonly ipam: Ipam;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec?: Spec;
}

export interface ObservedVolume {
  readonly name: string;
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec?: Spec;
}

export interface ObservedImage {
  readonly id: string;
  /** How long ago its name was given to it, by a pull or otherwise; absent: the engine does not say. */
  readonly nameAgeMs?: number;
  /** The image's own settings: what a container has without having been told. */
  readonly config: ContainerConfig;
}

/** True while a process of it may be running. */
export function isUp(container: ObservedContainer): boolean {
  return container.status === 'running' || container.status === 'restarting' || container.status === 'paused';
}
