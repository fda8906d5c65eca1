import type {ContainerCreateBody} from '../api/types/container.ts';
import type {Project} from '../model/types.ts';
import type {ContainerId} from './action.ts';
import type {Observed} from './observed.ts';
import type {Spec} from './spec.ts';

/** What `up` plans from. */
export interface UpInput {
  readonly project: Project;
  readonly desired: Desired;
  readonly observed: Observed;
  readonly options: UpOptions;
  readonly memory: Memory;
}

/** What the project asks for, in the form in which it is kept and sent. */
export interface Desired {
  /** By service name, network key and volume key. */
  readonly services: Readonly<Record<string, Spec>>;
  readonly networks: Readonly<Record<string, Spec>>;
  readonly volumes: Readonly<Record<string, Spec>>;
  /** The create request of a replica: for comparing with containers that carry no spec. */
  body(service: string, replica: number): ContainerCreateBody;
}

export interface UpOptions {
  /** `diverged`: what differs from the stack file. `force`: everything. `never`: nothing. */
  readonly recreate?: 'diverged' | 'force' | 'never';
  /** The same for services that were not named; default as `recreate`. */
  readonly recreateDependencies?: 'diverged' | 'force' | 'never';
  /** The services that were named; absent: all. */
  readonly services?: readonly string[];
  readonly renewAnonymousVolumes?: boolean;
  readonly removeOrphans?: boolean;
  /** Says nothing about orphans. */
  readonly ignoreOrphans?: boolean;
  /** Create only. */
  readonly noStart?: boolean;
  /** For stopping; absent: each container's own grace period. */
  readonly timeoutSeconds?: number;
  /** When images are pulled, whatever the stack file says of it. */
  readonly pull?: 'always' | 'missing' | 'never';
  /** Every image that can be built is. */
  readonly build?: boolean;
  /** Nobody builds images that are missing. */
  readonly noBuild?: boolean;
  /** Images that are not pulled, whatever is said of services: a locked stack takes what it builds from nowhere else. */
  readonly unpulled?: ReadonlySet<string>;
  /** A container that is made for one command, once all that its service depends on is as it asks; nobody starts it. */
  readonly oneOff?: OneOff;
  /** Names of volumes that may be deleted and made anew. */
  readonly recreateVolumes?: readonly string[];
}

export interface OneOff {
  /** The containers that it has stay as they are. */
  readonly service: string;
  /** The container's. */
  readonly name: string;
}

/**
 * The same for whoever brings the stack up again and again: what was recreated by force once is recreated as it differs,
 * and what was built once is there.
 */
export function unforced({build: _built, ...options}: UpOptions): UpOptions {
  const {recreate, recreateDependencies} = options;
  return {
    ...options,
    ...(recreate === 'force' && {recreate: 'diverged'}),
    ...(recreateDependencies === 'force' && {recreateDependencies: 'diverged'}),
  };
}

/** What earlier waves of the same command did: they are not done again. */
export interface Memory {
  readonly created: ReadonlySet<ContainerId>;
  /** Started by this command, or seen running by it. */
  readonly started: ReadonlySet<ContainerId>;
  /** Images that this command has pulled, by `imageKey`. */
  readonly pulled: ReadonlySet<string>;
  /** References that this command could not pull, and that can be built. */
  readonly unpullable: ReadonlySet<string>;
  /** References that this command has built. */
  readonly built: ReadonlySet<string>;
  /** Restarted by this command. */
  readonly restarted: ReadonlySet<ContainerId>;
  /** Of containers that this command started: how many of their `post_start` hooks have ended well since. */
  readonly hooksDone: ReadonlyMap<ContainerId, number>;
}

export const emptyMemory: Memory = {
  created: new Set(),
  started: new Set(),
  pulled: new Set(),
  unpullable: new Set(),
  built: new Set(),
  restarted: new Set(),
  hooksDone: new Map(),
};
