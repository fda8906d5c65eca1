import type {Calls} from '../api/endpoint.ts';
import type {Endpoints} from '../api/endpoints.ts';
import type {ContainerChange, PathStat} from '../api/types/archive.ts';
import type {ContainerConfig, ContainerInspect, WaitCondition, WaitResult} from '../api/types/container.ts';
import type {ExecCreateBody} from '../api/types/exec.ts';
import type {ContainerProcesses, ContainerStats} from '../api/types/stats.ts';
import type {SyncedFiles, SyncResult} from '../api/types/sync.ts';
import type {ContainerUpdateBody, ContainerUpdateResult} from '../api/types/update.ts';
import {TscomposeError} from '../base/errors.ts';
import {EngineError} from './engine-error.ts';
import {Exec} from './exec.ts';
import {decodeLog, type LogChunk} from './logs.ts';
import {ProcessStream} from './process-stream.ts';
import type {Transport} from './transport.ts';

/** Ends a call early: it is then rejected with kind `canceled`. */
export interface Abortable {
  readonly abortSignal?: AbortSignal | undefined;
}

export interface LogOptions extends Abortable {
  /** Labels, variables and the tag that the log's options chose, before each line. */
  readonly details?: boolean | undefined;
  readonly stdout?: boolean | undefined;
  readonly stderr?: boolean | undefined;
  readonly follow?: boolean | undefined;
  /** Number of lines from the end. */
  readonly tail?: number | 'all' | undefined;
  /** Unix seconds with fraction. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

export interface AttachOptions extends Abortable {
  readonly stdin?: boolean | undefined;
  readonly stdout?: boolean | undefined;
  readonly stderr?: boolean | undefined;
  /** Replay the log first. */
  readonly logs?: boolean | undefined;
  /** Go on with what comes; off: only the log. On unless stated. */
  readonly stream?: boolean | undefined;
  /** Keys that end the connection when they are typed into a terminal: `ctrl-p,ctrl-q` unless stated. */
  readonly detachKeys?: string | undefined;
}

export interface CommitOptions extends Abortable {
  /** Name of the image, without a tag. */
  readonly repo?: string | undefined;
  readonly tag?: string | undefined;
  readonly comment?: string | undefined;
  readonly author?: string | undefined;
  readonly pause?: boolean | undefined;
  /** Dockerfile lines: `CMD ["sh"]`. */
  readonly changes?: string | readonly string[] | undefined;
  /** Put over the container's own configuration. */
  readonly config?: ContainerConfig | undefined;
}

export interface SyncOptions extends Abortable {
  /** A directory of the container, made where missing. */
  readonly path: string;
  /** `user[:group]`, by number or name. Without it replaced files keep theirs, new ones get the container's user. */
  readonly owner?: string | undefined;
  /** A tar of changes below `path`; an entry `dir/.wh.NAME` deletes `dir/NAME`. */
  readonly archive: AsyncIterable<Uint8Array>;
}

/** A container of an engine, by id or name. Nothing is asked of the engine until a method is called. */
export class Container {
  readonly id: string;
  /** What the engine said when it was created. */
  readonly warnings: readonly string[];
  readonly #calls: Calls<Endpoints>;
  readonly #transport: Transport;

  constructor(id: string, calls: Calls<Endpoints>, transport: Transport, warnings: readonly string[] = []) {
    this.id = id;
    this.warnings = warnings;
    this.#calls = calls;
    this.#transport = transport;
  }

  inspect(options: Abortable = {}): Promise<ContainerInspect> {
    return this.#calls.containerInspect({path: this, signal: options.abortSignal});
  }

  /** Throws `notModified` when it runs already. */
  async start(options: Abortable = {}): Promise<void> {
    await this.#calls.containerStart({path: this, signal: options.abortSignal});
  }

  /** `t`: seconds until it is killed, -1 for never. Throws `notModified` when it does not run. */
  async stop(
    options: Abortable & {readonly t?: number | undefined; readonly signal?: string | undefined} = {},
  ): Promise<void> {
    await this.#calls.containerStop({
      path: this,
      query: {t: options.t, signal: options.signal},
      signal: options.abortSignal,
    });
  }

  async restart(
    options: Abortable & {readonly t?: number | undefined; readonly signal?: string | undefined} = {},
  ): Promise<void> {
    await this.#calls.containerRestart({
      path: this,
      query: {t: options.t, signal: options.signal},
      signal: options.abortSignal,
    });
  }

  async kill(options: Abortable & {readonly signal?: string | undefined} = {}): Promise<void> {
    await this.#calls.containerKill({path: this, query: {signal: options.signal}, signal: options.abortSignal});
  }

  /** Freezes all of its processes. Throws `conflict` when it does not run, or is paused already. */
  async pause(options: Abortable = {}): Promise<void> {
    await this.#calls.containerPause({path: this, signal: options.abortSignal});
  }

  async unpause(options: Abortable = {}): Promise<void> {
    await this.#calls.containerUnpause({path: this, signal: options.abortSignal});
  }

  async rename(options: Abortable & {readonly name: string}): Promise<void> {
    await this.#calls.containerRename({path: this, query: {name: options.name}, signal: options.abortSignal});
  }

  /** Changes limits and restart policy, also while it runs: all of it or nothing. */
  update(options: ContainerUpdateBody & Abortable): Promise<ContainerUpdateResult> {
    const {abortSignal, ...body} = options;
    return this.#calls.containerUpdate({path: this, body, signal: abortSignal});
  }

  /** `v`: its anonymous volumes too. */
  async remove(
    options: Abortable & {readonly force?: boolean | undefined; readonly v?: boolean | undefined} = {},
  ): Promise<void> {
    await this.#calls.containerDelete({
      path: this,
      query: {force: options.force, v: options.v},
      signal: options.abortSignal,
    });
  }

  /** Resolves with the exit code once the condition holds; without one: once it does not run. */
  wait(options: Abortable & {readonly condition?: WaitCondition | undefined} = {}): Promise<WaitResult> {
    return this.#calls.containerWait({path: this, query: {condition: options.condition}, signal: options.abortSignal});
  }

  /** Both streams unless only one is asked for. Resolves once the engine has begun to answer. */
  async logs(options: LogOptions = {}): Promise<AsyncIterable<LogChunk>> {
    const both = options.stdout === undefined && options.stderr === undefined;
    const log = await this.#calls.containerLogs({
      path: this,
      query: {
        stdout: both || options.stdout === true,
        stderr: both || options.stderr === true,
        follow: options.follow,
        tail: options.tail,
        since: options.since,
        until: options.until,
        details: options.details,
        timestamps: true,
      },
      signal: options.abortSignal,
    });
    return decodeLog(log);
  }

  /** Standard output and error unless stated. Resolves once the engine has taken the connection. */
  async attach(options: AttachOptions = {}): Promise<ProcessStream> {
    const both = options.stdout === undefined && options.stderr === undefined;
    const connection = await this.#calls.containerAttach({
      path: this,
      query: {
        stream: options.stream ?? true,
        logs: options.logs,
        stdin: options.stdin,
        detachKeys: options.detachKeys,
        stdout: both || options.stdout === true,
        stderr: both || options.stderr === true,
      },
      signal: options.abortSignal,
    });
    return new ProcessStream(connection);
  }

  /**
   * What it uses: a sample each second until it is removed, or with `stream: false` one, which takes a second to compare
   * processor time with the moment before; with `oneShot` it comes at once. Samples of one that does not run are empty.
   */
  stats(options: Abortable & {readonly stream: false; readonly oneShot?: boolean | undefined}): Promise<ContainerStats>;
  stats(options?: Abortable & {readonly stream?: true | undefined}): Promise<AsyncIterable<ContainerStats>>;
  async stats(
    options: Abortable & {readonly stream?: boolean | undefined; readonly oneShot?: boolean | undefined} = {},
  ): Promise<ContainerStats | AsyncIterable<ContainerStats>> {
    const {abortSignal, stream = true, oneShot} = options;
    const samples = await this.#calls.containerStats({
      path: this,
      query: {stream, 'one-shot': oneShot},
      signal: abortSignal,
    });
    if (stream) return samples;
    for await (const sample of samples) return sample;
    throw new TscomposeError('unavailable', `container ${this.id}: the engine answered no statistics`);
  }

  /** Its processes, as ps(1) lists them with the given arguments (`-ef`). Throws `conflict` when it does not run. */
  top(options: Abortable & {readonly ps_args?: string | undefined} = {}): Promise<ContainerProcesses> {
    const {abortSignal, ...query} = options;
    return this.#calls.containerTop({path: this, query, signal: abortSignal});
  }

  /** Size of its terminal: `h` rows, `w` columns. */
  async resize(options: Abortable & {readonly h: number; readonly w: number}): Promise<void> {
    await this.#calls.containerResize({path: this, query: {h: options.h, w: options.w}, signal: options.abortSignal});
  }

  /** Makes a process to run in the container; {@link Exec.start} runs it. */
  async exec(options: ExecCreateBody & Abortable): Promise<Exec> {
    const {abortSignal, ...body} = options;
    const created = await this.#calls.execCreate({path: this, body, signal: abortSignal});
    return new Exec(created.Id, this.#calls, this.#transport);
  }

  /** What is at `path`; a link at its end is not followed unless the path ends in a slash. */
  async infoArchive(options: Abortable & {readonly path: string}): Promise<PathStat> {
    const {abortSignal, path} = options;
    try {
      return await this.#calls.containerArchiveInfo({path: this, query: {path}, signal: abortSignal});
    } catch (error) {
      // Over a wire an answer to HEAD has no text.
      if (!(error instanceof EngineError) || error.kind !== 'notFound' || error.json !== undefined) throw error;
      throw new TscomposeError('notFound', `Could not find the file ${path} in container ${this.id}`, {cause: error});
    }
  }

  /** A tar archive of what is at `path`, and what that is. The archive has to be read, or given up by the signal. */
  async getArchive(
    options: Abortable & {readonly path: string},
  ): Promise<{readonly stat: PathStat; readonly archive: AsyncIterable<Uint8Array>}> {
    const {abortSignal, path} = options;
    const {description, bytes} = await this.#calls.containerArchive({path: this, query: {path}, signal: abortSignal});
    return {stat: description, archive: bytes};
  }

  /** Its root file system as a tar archive, without what is mounted in it. */
  async export(options: Abortable = {}): Promise<AsyncIterable<Uint8Array>> {
    return (await this.#calls.containerExport({path: this, signal: options.abortSignal})).bytes;
  }

  /** How its root file system differs from its image. */
  async changes(options: Abortable = {}): Promise<readonly ContainerChange[]> {
    return (await this.#calls.containerChanges({path: this, signal: options.abortSignal})) ?? [];
  }

  /** Makes an image of it: its own with a layer of what changed. It is paused meanwhile, unless `pause` is off. */
  commit(options: CommitOptions = {}): Promise<{readonly Id: string}> {
    const {abortSignal, config, changes, ...query} = options;
    return this.#calls.containerCommit({
      query: {...query, container: this.id, changes: typeof changes === 'string' ? [changes] : changes},
      body: config ?? {},
      signal: abortSignal,
    });
  }

  /** Unpacks a tar archive, compressed or not, into the directory `path` of the container. */
  async putArchive(
    archive: AsyncIterable<Uint8Array>,
    options: Abortable & {
      readonly path: string;
      readonly noOverwriteDirNonDir?: boolean | undefined;
      readonly copyUIDGID?: boolean | undefined;
    },
  ): Promise<void> {
    const {abortSignal, ...query} = options;
    await this.#calls.containerPutArchive({path: this, query, body: archive, signal: abortSignal});
  }

  /** Only with feature `sync`: changes files, all of the archive or nothing of it, whether the container runs or not. */
  sync(options: SyncOptions): Promise<SyncResult> {
    const {abortSignal, archive, path, owner} = options;
    return this.#calls.containerSync({path: this, query: {path, owner}, body: archive, signal: abortSignal});
  }

  /** Only with feature `sync`: what was synced so far. */
  synced(options: Abortable = {}): Promise<SyncedFiles> {
    return this.#calls.containerSynced({path: this, signal: options.abortSignal});
  }
}
