import type {Json} from '../base/canonical-json.ts';
import type {Span} from './source.ts';
import type {Build} from './types-build.ts';
import type {Deploy} from './types-deploy.ts';
import type {BlkioConfig, Device, DeviceRequest} from './types-devices.ts';

/**
 * The canonical Project: what every stage of the loader works towards and everything after it reads. All short forms are
 * expanded, all defaults that Compose states are filled in, durations are nanoseconds, sizes bytes. A member that the
 * file did not state and that has no default is absent.
 */
export interface Project {
  readonly name: string;
  /** Absolute. */
  readonly workingDir: string;
  /** Absolute paths of the files it came from, in order. */
  readonly files: readonly string[];
  /** Given with `--env-file`; absolute. */
  readonly environmentFiles: readonly string[];
  readonly services: Readonly<Record<string, Service>>;
  /** Services left out by profile or selection; known, so that they are no orphans. */
  readonly disabledServices: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, Network>>;
  readonly volumes: Readonly<Record<string, Volume>>;
  readonly configs: Readonly<Record<string, FileObject>>;
  readonly secrets: Readonly<Record<string, FileObject>>;
  /** By path, as `security_opt` writes it; one that cannot be read is not there. */
  readonly seccompProfiles?: Readonly<Record<string, SeccompProfileFile>>;
  readonly models?: Readonly<Record<string, Model>>;
  /** Top-level `x-` members, as they stand in the file. */
  readonly extensions?: Readonly<Record<string, Json>>;
  /** `x-` members further down than services: nothing but printing them is done with them. */
  readonly nestedExtensions?: readonly NestedExtension[];
  /** Where each value came from, by path (`services.web.ports[0].target`). */
  readonly provenance: Provenance;
}

export interface SeccompProfileFile {
  /** JSON. */
  readonly content: string;
  readonly digest: string;
}

export interface NestedExtension {
  /** From the top: `['services', 'web', 'deploy', 'x-team']`. */
  readonly path: readonly (string | number)[];
  readonly value: Json;
}

export interface SourcePosition {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

export interface Provenance {
  /** The position of the value at the path, or of the nearest value above it that has one. */
  at(path: string): SourcePosition | undefined;
  /** The same as a piece of a source, for a message that shows the line. */
  span?(path: string): Span | undefined;
}

export interface Service {
  readonly image?: string;
  readonly command?: readonly string[] | null;
  readonly entrypoint?: readonly string[] | null;
  /** Resolved: `env_file` entries below, `environment` above; null unsets a variable of the image. */
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly env_file?: readonly EnvFile[];
  readonly ports?: readonly Port[];
  readonly expose?: readonly string[];
  readonly volumes?: readonly ServiceVolume[];
  readonly tmpfs?: readonly string[];
  /** In order of precedence; absent with `network_mode`. */
  readonly networks?: Readonly<Record<string, ServiceNetwork | null>>;
  readonly network_mode?: string;
  readonly depends_on?: Readonly<Record<string, Dependency>>;
  readonly healthcheck?: Healthcheck;
  readonly develop?: Develop;
  readonly restart?: string;
  readonly user?: string;
  readonly group_add?: readonly string[];
  readonly working_dir?: string;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly container_name?: string;
  readonly init?: boolean;
  readonly tty?: boolean;
  readonly stdin_open?: boolean;
  readonly read_only?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly cap_add?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  /** `single`: the file stated one number for both. */
  readonly ulimits?: Readonly<
    Record<string, {readonly soft: number; readonly hard: number; readonly single?: boolean}>
  >;
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly shm_size?: number;
  readonly mem_limit?: number;
  readonly mem_reservation?: number;
  readonly memswap_limit?: number;
  readonly cpus?: number;
  readonly pids_limit?: number;
  readonly oom_score_adj?: number;
  readonly deploy?: Deploy;
  readonly scale?: number;
  readonly configs?: readonly FileReference[];
  readonly secrets?: readonly FileReference[];
  readonly stop_signal?: string;
  readonly stop_grace_period?: number;
  readonly extra_hosts?: Readonly<Record<string, readonly string[]>>;
  readonly dns?: readonly string[];
  readonly dns_search?: readonly string[];
  readonly dns_opt?: readonly string[];
  readonly logging?: {readonly driver?: string; readonly options?: Readonly<Record<string, string>>};
  readonly profiles?: readonly string[];
  readonly attach?: boolean;
  readonly pull_policy?: string;
  readonly platform?: string;
  readonly pull_refresh_after?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly blkio_config?: BlkioConfig;
  readonly build?: Build;
  readonly cgroup?: 'host' | 'private';
  readonly cgroup_parent?: string;
  readonly cpu_count?: number;
  readonly cpu_percent?: number;
  /** Microseconds, as the three after it. */
  readonly cpu_period?: number;
  readonly cpu_quota?: number;
  readonly cpu_rt_period?: number;
  readonly cpu_rt_runtime?: number;
  readonly cpu_shares?: number;
  readonly cpuset?: string;
  readonly credential_spec?: {readonly config?: string; readonly file?: string; readonly registry?: string};
  readonly device_cgroup_rules?: readonly string[];
  readonly devices?: readonly Device[];
  /** `CONTAINER[:ALIAS]`. */
  readonly external_links?: readonly string[];
  readonly gpus?: readonly DeviceRequest[];
  /** `host`, `private`, `shareable`, `none`, `service:NAME` or `container:NAME`. */
  readonly ipc?: string;
  readonly isolation?: string;
  /** Absolute paths; the labels in them are put below `labels` when the project is resolved. */
  readonly label_file?: readonly string[];
  /** `SERVICE[:ALIAS]`. */
  readonly links?: readonly string[];
  readonly mac_address?: string;
  readonly mem_swappiness?: number;
  readonly models?: Readonly<Record<string, ModelUse | null>>;
  readonly oom_kill_disable?: boolean;
  /** `host`, `service:NAME` or `container:NAME`. */
  readonly pid?: string;
  readonly post_start?: readonly Hook[];
  readonly pre_start?: readonly InitHook[];
  readonly pre_stop?: readonly Hook[];
  readonly privileged?: boolean;
  readonly provider?: {readonly type: string; readonly options?: Readonly<Record<string, readonly string[]>>};
  readonly runtime?: string;
  readonly storage_opt?: Readonly<Record<string, string>>;
  readonly use_api_socket?: boolean;
  readonly userns_mode?: string;
  readonly uts?: string;
  /** `SERVICE[:ro|rw]` or `container:NAME[:ro|rw]`. */
  readonly volumes_from?: readonly string[];
  /** `x-` members, as they stand in the file. */
  readonly extensions?: Readonly<Record<string, Json>>;
}

export interface EnvFile {
  /** Absolute. */
  readonly path: string;
  readonly required: boolean;
  readonly format?: 'raw';
}

export interface Port {
  readonly target: number;
  /** A port or a range `a-b`; absent: chosen when the container is created. */
  readonly published?: string;
  readonly host_ip?: string;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly mode: 'ingress' | 'host';
  readonly name?: string;
  readonly app_protocol?: string;
}

export interface ServiceVolume {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'image' | 'npipe' | 'cluster';
  /** Bind: absolute path. Volume: key of a top-level volume; absent: anonymous. Image, cluster: its name. */
  readonly source?: string;
  readonly target: string;
  readonly read_only?: boolean;
  readonly consistency?: string;
  readonly bind?: {
    readonly propagation?: string;
    readonly create_host_path?: boolean;
    readonly recursive?: 'enabled' | 'disabled' | 'writable' | 'readonly';
    readonly selinux?: 'z' | 'Z';
  };
  readonly volume?: {
    readonly nocopy?: boolean;
    readonly subpath?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly tmpfs?: {readonly size?: number; readonly mode?: number};
  readonly image?: {readonly subpath?: string};
}

export interface ServiceNetwork {
  readonly aliases?: readonly string[];
  readonly ipv4_address?: string;
  readonly ipv6_address?: string;
  readonly mac_address?: string;
  readonly priority?: number;
  readonly gw_priority?: number;
  readonly link_local_ips?: readonly string[];
  readonly driver_opts?: Readonly<Record<string, string>>;
  readonly interface_name?: string;
}

export interface Dependency {
  readonly condition: 'service_started' | 'service_healthy' | 'service_completed_successfully';
  readonly restart?: boolean;
  readonly required: boolean;
}

export interface Healthcheck {
  /** `['NONE']`, `['CMD', …]` or `['CMD-SHELL', line]`. */
  readonly test?: readonly string[];
  readonly interval?: number;
  readonly timeout?: number;
  readonly retries?: number;
  readonly start_period?: number;
  readonly start_interval?: number;
  readonly disable?: boolean;
}

export interface Develop {
  readonly watch: readonly WatchRule[];
}

/** What is done when files change. */
export interface WatchRule {
  /** Absolute; a directory or a file, which may not exist yet. */
  readonly path: string;
  readonly action: 'rebuild' | 'restart' | 'sync' | 'sync+restart' | 'sync+exec';
  /** Where it is in the container; there with every sync. A relative one begins at `/`. */
  readonly target?: string;
  /** Patterns of a `.dockerignore` file, from `path` on. */
  readonly ignore: readonly string[];
  /** Empty: everything. */
  readonly include: readonly string[];
  readonly initial_sync: boolean;
  /** There with `sync+exec`. */
  readonly exec?: Hook;
}

/** A command to be run in a container. */
export interface Hook {
  /** At least one word. */
  readonly command: readonly string[];
  readonly user?: string;
  readonly privileged?: boolean;
  readonly working_dir?: string;
  /** Null: as the container has it. */
  readonly environment?: Readonly<Record<string, string | null>>;
}

/** A command run in a container of its own before the service's. */
export interface InitHook extends Omit<Hook, 'command'> {
  /** Absent: what the image runs. */
  readonly command?: readonly string[];
  /** Absent: the service's. */
  readonly image?: string;
  readonly per_replica?: boolean;
}

export interface ModelUse {
  readonly endpoint_var?: string;
  readonly model_var?: string;
}

/** A use of a config or secret. */
export interface FileReference {
  readonly source: string;
  /** Absolute path in the container. */
  readonly target: string;
  readonly uid?: string;
  readonly gid?: string;
  /** Permission bits. */
  readonly mode?: number;
}

export interface Network {
  /** The name on the engine. */
  readonly name: string;
  readonly driver?: string;
  readonly driver_opts?: Readonly<Record<string, string>>;
  readonly external?: boolean;
  readonly internal?: boolean;
  readonly attachable?: boolean;
  readonly enable_ipv4?: boolean;
  readonly enable_ipv6?: boolean;
  readonly ipam?: {
    readonly driver?: string;
    readonly config?: readonly {
      readonly subnet?: string;
      readonly ip_range?: string;
      readonly gateway?: string;
      readonly aux_addresses?: Readonly<Record<string, string>>;
    }[];
    readonly options?: Readonly<Record<string, string>>;
  };
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Volume {
  readonly name: string;
  readonly driver?: string;
  readonly driver_opts?: Readonly<Record<string, string>>;
  readonly external?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
}

/** An AI model. */
export interface Model {
  readonly name?: string;
  readonly model: string;
  readonly context_size?: number;
  readonly runtime_flags?: readonly string[];
}

/** A config or secret. Exactly one of `file`, `content`, `environment`, `external`, `driver`. */
export interface FileObject {
  readonly name: string;
  /** Absolute. */
  readonly file?: string;
  readonly content?: string;
  readonly environment?: string;
  readonly external?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly driver?: string;
  readonly driver_opts?: Readonly<Record<string, string>>;
  readonly template_driver?: string;
  /** `sha256:…` of the content; absent where there is none to read. */
  readonly digest?: string;
  /** What an `environment` source holds in the project's environment; never printed. */
  readonly value?: string;
}
