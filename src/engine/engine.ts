import type {Duplex} from 'node:stream';
import type {ContainerChange, PathStat} from '../api/types/archive.ts';
import type {BuildBody, BuildEvent} from '../api/types/build.ts';
import type {
  ContainerConfig,
  ContainerCreateBody,
  ContainerCreateResult,
  ContainerInspect,
  ContainerSummary,
  WaitCondition,
  WaitResult,
} from '../api/types/container.ts';
import type {ExecCreateBody, ExecInspect} from '../api/types/exec.ts';
import type {
  AuthConfig,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageProgress,
  ImageSummary,
} from '../api/types/image.ts';
import type {
  NetworkConnectBody,
  NetworkCreateBody,
  NetworkDisconnectBody,
  NetworkInspect,
} from '../api/types/network.ts';
import type {
  BuildPruning,
  BuildsPruned,
  ContainersPruned,
  ImagesPruned,
  NetworksPruned,
  VolumesPruned,
} from '../api/types/prune.ts';
import type {ContainerProcesses, ContainerStats} from '../api/types/stats.ts';
import type {SyncedFiles, SyncResult} from '../api/types/sync.ts';
import type {BuildCacheRow, DiskUsage, EngineEvent, Filters, SystemInfo, VersionInfo} from '../api/types/system.ts';
import type {ContainerUpdateBody, ContainerUpdateResult} from '../api/types/update.ts';
import type {VolumeCreateBody, VolumeInspect} from '../api/types/volume.ts';
import type {Booted} from './container/boot.ts';
import type {Hosting, HostingOptions} from './hosting/hosting.ts';
import type {StoreReport} from './image/fsck-repair.ts';
import type {RegistryApi} from './registry/registry.ts';

/** A piece of a container's output. With a terminal everything is `stdout`. */
export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}

/** A piece of a container's log: one line or part of a long one, `data` ending in a line feed where the line does. */
export interface LogChunk extends OutputChunk {
  /** RFC 3339 with nanoseconds. */
  readonly time: string;
  /** What the log's options chose: labels, variables, the tag. Absent: nothing. */
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface LogOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow?: boolean;
  /** Number of lines from the end; absent: all. */
  readonly tail?: number;
  /** Unix seconds with fraction. */
  readonly since?: number;
  readonly until?: number;
}

/** A live connection to a process's standard streams. */
export interface Attachment {
  /** Ends when the process closed its output, or the container ended. */
  readonly output: AsyncIterable<OutputChunk>;
  write(data: Uint8Array): Promise<void>;
  /** Closes the process's standard input; output goes on. */
  closeInput(): Promise<void>;
  resize(height: number, width: number): Promise<void>;
  /** Detaches; the process goes on. */
  detach(): void;
}

export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Replay the log first. */
  readonly logs?: boolean;
  /** Go on with what comes. On unless stated. */
  readonly stream?: boolean;
  /** Typed into a terminal, they end the connection; its process goes on. */
  readonly detachKeys?: Uint8Array;
}

export interface CommitOptions {
  readonly repository?: string;
  readonly tag?: string;
  readonly comment?: string;
  readonly author?: string;
  /** On unless stated. */
  readonly pause?: boolean;
  /** Dockerfile lines: `CMD ["sh"]`. */
  readonly changes?: readonly string[];
  /** Put over the container's own. */
  readonly config?: ContainerConfig;
}

export interface StatsOptions {
  /** A sample each second; else one. */
  readonly stream: boolean;
  /** Without a stream: at once, and without a sample before to compare with. */
  readonly oneShot: boolean;
}

export interface Containers {
  list(options?: {
    readonly all?: boolean;
    readonly limit?: number;
    readonly filters?: Filters;
  }): Promise<ContainerSummary[]>;
  /** `reference`: id, unambiguous id prefix, or name. Throws `notFound`. */
  inspect(reference: string): Promise<ContainerInspect>;
  create(
    body: ContainerCreateBody,
    options: {readonly name?: string; readonly platform?: string},
  ): Promise<ContainerCreateResult>;
  /** After the machine came up: settles what its end cut short, and starts what the restart policies say. */
  boot(): Promise<readonly Booted[]>;
  /** Resolves when the process has been executed. Throws `notModified` when it runs already. */
  start(reference: string): Promise<void>;
  /** Throws `notModified` when it does not run. `timeoutSeconds` -1 waits for ever. */
  stop(
    reference: string,
    options?: {
      readonly timeoutSeconds?: number;
      readonly signal?: string;
      /** Resolves before what the container held is free: this engine's further operations on it wait for that. */
      readonly returnAtEnd?: boolean;
    },
  ): Promise<void>;
  restart(reference: string, options?: {readonly timeoutSeconds?: number; readonly signal?: string}): Promise<void>;
  kill(reference: string, signal?: string): Promise<void>;
  /** Resolves when all of its processes are frozen. Throws `conflict` when it does not run, or is paused already. */
  pause(reference: string): Promise<void>;
  /** Throws `conflict` when it is not paused. */
  unpause(reference: string): Promise<void>;
  rename(reference: string, name: string): Promise<void>;
  /** Limits and restart policy, of a running container too: all of it or nothing. Throws `conflict` or `invalid`. */
  update(reference: string, body: ContainerUpdateBody): Promise<ContainerUpdateResult>;
  remove(reference: string, options?: {readonly force?: boolean; readonly volumes?: boolean}): Promise<void>;
  /** `onReady` is called once no exit from then on is missed. */
  wait(reference: string, condition: WaitCondition, signal?: AbortSignal, onReady?: () => void): Promise<WaitResult>;
  /** What is there comes many lines at a time. */
  logs(reference: string, options: LogOptions, signal?: AbortSignal): AsyncIterable<readonly LogChunk[]>;
  /** To the run under way, or the next one. Throws `conflict` for one that is paused or between two runs. */
  attach(reference: string, options: AttachOptions): Promise<Attachment>;
  /** Of a container that does not run, samples are empty; they end when it is removed. */
  stats(reference: string, options: StatsOptions, signal?: AbortSignal): Promise<AsyncIterable<ContainerStats>>;
  /** `psArguments`: of ps(1); empty for `-ef`. Throws `conflict` when it does not run. */
  top(reference: string, psArguments: string): Promise<ContainerProcesses>;
  resize(reference: string, size: {readonly height: number; readonly width: number}): Promise<void>;
  /** What is at a path of it. Throws `notFound`. */
  statPath(reference: string, path: string, signal?: AbortSignal): Promise<PathStat>;
  /** The same, and a tar of it, which has to be read to its end or left. Throws `notFound`. */
  archivePath(
    reference: string,
    path: string,
    signal?: AbortSignal,
  ): Promise<{readonly stat: PathStat; readonly archive: AsyncIterable<Uint8Array>}>;
  /** Unpacks a tar, compressed or not, into a directory of it. Throws `notFound`, `forbidden` where it is read-only. */
  extractArchive(
    reference: string,
    options: {
      readonly path: string;
      /** A directory and something else never take each other's place. */
      readonly typed: boolean;
      /** Everything belongs to the container's user; else to whom the archive says. */
      readonly owned: boolean;
    },
    archive: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Its root file system as a tar, without what is mounted in it. */
  export(reference: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** How its root file system differs from its image, by path. */
  changes(reference: string, signal?: AbortSignal): Promise<readonly ContainerChange[]>;
  /** Makes an image of it: its own with a layer of what changed. It is paused meanwhile, unless asked not to. */
  commit(reference: string, options: CommitOptions, signal?: AbortSignal): Promise<{readonly Id: string}>;
  /** Applies a tar of changes below `path`, all of it or nothing, whether the container runs or not. */
  sync(
    reference: string,
    options: {readonly path: string; readonly owner?: string},
    archive: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<SyncResult>;
  /** Removes those that do not run. */
  prune(filters?: Filters): Promise<ContainersPruned>;
  /** What was synced so far. */
  synced(reference: string): Promise<SyncedFiles>;
}

export interface Execs {
  create(container: string, body: ExecCreateBody): Promise<{readonly Id: string}>;
  /** With `detach` resolves to undefined once the process was executed. */
  start(
    id: string,
    options: {
      readonly detach: boolean;
      readonly consoleSize?: readonly [number, number];
      /** Typed into its terminal, they end the connection; its process goes on. */
      readonly detachKeys?: Uint8Array;
    },
  ): Promise<Attachment | undefined>;
  resize(id: string, size: {readonly height: number; readonly width: number}): Promise<void>;
  inspect(id: string): Promise<ExecInspect>;
}

export interface Networks {
  list(filters?: Filters): Promise<NetworkInspect[]>;
  inspect(reference: string): Promise<NetworkInspect>;
  create(body: NetworkCreateBody): Promise<{readonly Id: string; readonly Warning: string}>;
  /** Of a running container at once, and for its further starts. Throws `notFound`, `invalid`, `forbidden`, `conflict`. */
  connect(reference: string, body: NetworkConnectBody): Promise<void>;
  /** Throws `notFound`, or `conflict` for a container that is not on it. */
  disconnect(reference: string, body: NetworkDisconnectBody): Promise<void>;
  /** Removes those that no container is attached to. */
  prune(filters?: Filters): Promise<NetworksPruned>;
  /** Throws `conflict` while containers are attached. */
  remove(reference: string): Promise<void>;
}

export interface Volumes {
  list(filters?: Filters): Promise<VolumeInspect[]>;
  inspect(name: string): Promise<VolumeInspect>;
  /** The same name again answers the existing volume. */
  create(body: VolumeCreateBody): Promise<VolumeInspect>;
  remove(name: string, options?: {readonly force?: boolean}): Promise<void>;
  /** Removes those that no container uses: the anonymous ones, or with filter `all` any. */
  prune(filters?: Filters): Promise<VolumesPruned>;
}

export interface ImportOptions {
  readonly repository?: string;
  readonly tag?: string;
  readonly message?: string;
  /** Dockerfile lines: `CMD ["sh"]`. */
  readonly changes?: readonly string[];
  /** What it is for; this machine's where not given. */
  readonly platform?: string;
}

export interface Images {
  /** `manifests`: each with what its name's index leads to. */
  list(filters?: Filters, options?: {readonly manifests?: boolean}): Promise<ImageSummary[]>;
  inspect(reference: string, platform?: string): Promise<ImageInspect>;
  /** The steps that made it, newest first. */
  history(reference: string, platform?: string): Promise<ImageHistoryItem[]>;
  /** An archive of the images, every blob with the bytes it came in. `platform`: of each that one alone. */
  save(
    references: readonly string[],
    options?: {readonly platform?: string | undefined; readonly signal?: AbortSignal | undefined},
  ): Promise<AsyncIterable<Uint8Array>>;
  /** Reads a docker-archive or OCI archive (tar, also compressed), or an OCI layout directory given by path. */
  load(
    source: AsyncIterable<Uint8Array> | {readonly path: string},
    options?: {readonly platform?: string | undefined; readonly signal?: AbortSignal | undefined},
  ): AsyncIterable<ImageProgress>;
  /** Makes an image of one layer from a root file system tar. */
  import(source: AsyncIterable<Uint8Array>, options: ImportOptions, signal?: AbortSignal): AsyncIterable<ImageProgress>;
  /** The same from a web server. */
  importFrom(url: string, options: ImportOptions, signal?: AbortSignal): AsyncIterable<ImageProgress>;
  /** Verifies the whole store, and with `repair` mends it. No request of the Engine API. */
  check(options: {readonly repair: boolean}): Promise<StoreReport>;
  tag(reference: string, target: {readonly repository: string; readonly tag: string}): Promise<void>;
  /** `platforms`: of an index only these; the name stays while others are here. */
  remove(
    reference: string,
    options?: {readonly force?: boolean; readonly platforms?: readonly string[]},
  ): Promise<ImageDeleteItem[]>;
  /** Removes those without a name that no container uses; with filter `dangling` false any that none uses. */
  prune(filters?: Filters): Promise<ImagesPruned>;
}

/** A directory that a client of builds has. */
export interface ClientContext {
  /** All its files, as an archive. */
  archive(): AsyncIterable<Uint8Array>;
  /** By which name what it sends may be kept for its next build, and what has changed since; undefined: it has none. */
  kept(): Promise<KeptByClient | undefined>;
}

export interface KeptByClient {
  readonly key: string;
  /** `before`: the state that it told last. */
  changes(before: string | undefined): Promise<ContextChanges>;
}

/** What a client has now, compared with what it had before. */
export interface ContextChanges {
  /** For the next time. */
  readonly state: string;
  readonly isSame: boolean;
  /** Names that are there no more; beneath each there is nothing. */
  readonly removed: readonly string[];
  readonly files: number;
  /** Of all files. */
  readonly bytes: number;
  /** What has changed, or everything. To be called once, and read to its end. */
  archive(whole: boolean): AsyncIterable<Uint8Array>;
}

/** Who asks for a build and has its files elsewhere: what it gives when a step needs it. */
export interface BuildClient {
  /** Contexts by name; the main one has the name "". One of these names is not looked for on this machine. */
  readonly contexts: ReadonlyMap<string, ClientContext>;
  /** Undefined: it has none of this name. */
  secret(id: string): Promise<Uint8Array | undefined>;
  /** A new connection to its agent for keys; undefined: it has none of this name. */
  agent(id: string): Promise<(() => Duplex) | undefined>;
  /** Its login at a registry; nothing where it has none. */
  credentials(registry: string): Promise<AuthConfig>;
}

export interface Builds {
  /** Builds an image of files of this machine, and tells what goes on. */
  build(body: BuildBody, signal?: AbortSignal): AsyncIterable<BuildEvent>;
  /** The same for a client that has the files. */
  buildFor(body: BuildBody, client: BuildClient, signal?: AbortSignal): AsyncIterable<BuildEvent>;
  /** A directory for what was built until it was handed on; what a killed engine left of it goes with the next build. */
  openScratch(): Promise<{readonly path: string} & AsyncDisposable>;
  /** The same of an archive with the context; `dockerfile` is a path in it. */
  buildArchive(
    body: Omit<BuildBody, 'context' | 'dockerfile' | 'ignore'> & {readonly dockerfile: string},
    archive: AsyncIterable<Uint8Array>,
    options?: {readonly client?: BuildClient; readonly signal?: AbortSignal},
  ): AsyncIterable<BuildEvent>;
  /** Removes what steps resulted in: with `all` everything, else what is part of no image. */
  prune(options: BuildPruning): Promise<BuildsPruned>;
  /** What is kept for later builds, with sizes. */
  usage(): Promise<readonly BuildCacheRow[]>;
  /** What a cache mount holds, as an archive. */
  exportMount(id: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  importMount(id: string, archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
}

/** The registry over the images of this engine. Its code is loaded when it is asked for. */
export interface HostingAccess {
  open(options: HostingOptions): Promise<Hosting>;
}

export interface System {
  version(): Promise<VersionInfo>;
  info(): Promise<SystemInfo>;
  /** Sizes of content in bytes; `types`: only of these (`container`, `image`, `volume`, `build-cache`). */
  df(types?: readonly string[]): Promise<DiskUsage>;
  /**
   * Replays from `since` (unix seconds with fraction), then follows until `until` or the signal. `onReady` is called,
   * while the first value is asked for, once no event from then on is missed.
   */
  events(
    options: {
      readonly since?: number;
      readonly until?: number;
      readonly filters?: Filters;
      readonly onReady?: () => void;
    },
    signal?: AbortSignal,
  ): AsyncIterable<EngineEvent>;
}

/** A lock shared by all processes that use the same root; released by the kernel when its holder dies. */
export interface ProjectLocks {
  /** Waits for its turn; `onWait` is called once when another process holds it. */
  acquire(
    project: string,
    options?: {readonly signal?: AbortSignal; readonly onWait?: () => void},
  ): Promise<AsyncDisposable>;
}

/** The built-in engine: what the server's handlers call. */
export interface Engine {
  readonly containers: Containers;
  readonly execs: Execs;
  readonly networks: Networks;
  readonly volumes: Volumes;
  readonly images: Images;
  readonly registry: RegistryApi;
  readonly builds: Builds;
  readonly hosting: HostingAccess;
  readonly system: System;
  readonly locks: ProjectLocks;
  /** Ends the helper and frees every lock; running containers go on. */
  close(): Promise<void>;
}
