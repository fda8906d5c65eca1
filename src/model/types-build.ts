import type {FileReference, Service} from './types.ts';

export interface Build {
  /** An absolute path, or the URL of a repository; empty until the project is resolved where the file names none. */
  readonly context: string;
  /** Relative to the context; absent with `dockerfile_inline`. */
  readonly dockerfile?: string;
  readonly dockerfile_inline?: string;
  readonly entitlements?: readonly string[];
  /** Null until the project is resolved: then it has the environment's value, or is gone. */
  readonly args?: Readonly<Record<string, string | null>>;
  readonly provenance?: string;
  readonly sbom?: string;
  /** By id; empty: the agent of the environment. */
  readonly ssh?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly cache_from?: readonly string[];
  readonly cache_to?: readonly string[];
  readonly no_cache?: boolean;
  readonly no_cache_filter?: readonly string[];
  /** By name: an absolute path, a URL, `docker-image://IMAGE` or `service:NAME`. */
  readonly additional_contexts?: Readonly<Record<string, string>>;
  readonly pull?: boolean;
  readonly extra_hosts?: Readonly<Record<string, readonly string[]>>;
  readonly isolation?: string;
  readonly network?: string;
  readonly target?: string;
  /** `target` is the id of the secret; absent: its source. */
  readonly secrets?: readonly BuildSecret[];
  readonly shm_size?: number;
  readonly tags?: readonly string[];
  readonly ulimits?: Service['ulimits'];
  readonly platforms?: readonly string[];
  readonly privileged?: boolean;
}

export interface BuildSecret extends Omit<FileReference, 'target'> {
  readonly target?: string;
}
