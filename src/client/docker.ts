import type {CallInput, Calls} from '../api/endpoint.ts';
import {type Endpoints, endpoints} from '../api/endpoints.ts';
import {formatRegistryAuth} from '../api/registry-auth.ts';
import type {BuildBody, BuildEvent, BuildProgress} from '../api/types/build.ts';
import type {ContainerCreateBody, ContainerSummary} from '../api/types/container.ts';
import type {AuthAnswer, AuthConfig, ImageProgress, ImageSearchResult, ImageSummary} from '../api/types/image.ts';
import type {NetworkCreateBody, NetworkInspect} from '../api/types/network.ts';
import type {BuildsPruned, ContainersPruned, ImagesPruned, NetworksPruned, VolumesPruned} from '../api/types/prune.ts';
import type {DiskUsage, EngineEvent, Filters, SystemInfo, VersionInfo} from '../api/types/system.ts';
import type {VolumeCreateBody, VolumeInspect, VolumeList} from '../api/types/volume.ts';
import {TscomposeError} from '../base/errors.ts';
import {createCalls} from './call.ts';
import {type Abortable, Container} from './container.ts';
import {Exec} from './exec.ts';
import type {EngineAddressOptions} from './host.ts';
import {addressOfOptions} from './host.ts';
import {Image} from './image.ts';
import {lazyHttpTransport} from './lazy-http-transport.ts';
import {Network} from './network.ts';
import {followProgress} from './progress.ts';
import {registryAuth} from './registry-auth.ts';
import type {Feature, Transport} from './transport.ts';
import {Volume} from './volume.ts';

/** Where the engine is: an address in dockerode's terms, or a ready transport. */
export type DockerOptions = EngineAddressOptions | {readonly transport: Transport};

export interface ImportOptions extends Abortable {
  readonly repo?: string | undefined;
  readonly tag?: string | undefined;
  readonly message?: string | undefined;
  /** Dockerfile instructions: `CMD ["sh"]`. */
  readonly changes?: readonly string[] | undefined;
  readonly platform?: string | undefined;
}

type Pruning = Abortable & {readonly filters?: Filters | undefined};

/**
 * An engine: the built-in one or a Docker Engine, in dockerode's shape. Every method answers a promise; errors are
 * `EngineError`s with a kind and a status code; options take an `abortSignal`.
 */
export class Docker {
  readonly #transport: Transport;
  readonly #calls: Calls<Endpoints>;

  constructor(options: DockerOptions = {}) {
    this.#transport = 'transport' in options ? options.transport : lazyHttpTransport(addressOfOptions(options));
    this.#calls = createCalls(endpoints, this.#transport);
  }

  /** By id, a prefix of it, or name, also with the leading `/` that names have in lists. */
  getContainer(id: string): Container {
    return new Container(id.replace(/^\//, ''), this.#calls, this.#transport);
  }

  getExec(id: string): Exec {
    return new Exec(id, this.#calls, this.#transport);
  }

  getImage(name: string): Image {
    return new Image(name, this.#calls);
  }

  getNetwork(id: string): Network {
    return new Network(id, this.#calls);
  }

  getVolume(name: string): Volume {
    return new Volume(name, this.#calls);
  }

  /** Newest first; only running ones unless `all`. A limit implies `all`. */
  listContainers(
    options: Abortable & {
      readonly all?: boolean | undefined;
      readonly limit?: number | undefined;
      readonly filters?: Filters | undefined;
    } = {},
  ): Promise<readonly ContainerSummary[]> {
    const {abortSignal, ...query} = options;
    return this.#calls.containerList({query, signal: abortSignal});
  }

  async createContainer(
    options: ContainerCreateBody &
      Abortable & {readonly name?: string | undefined; readonly platform?: string | undefined},
  ): Promise<Container> {
    const {abortSignal, name, platform, ...body} = options;
    const created = await this.#calls.containerCreate({query: {name, platform}, body, signal: abortSignal});
    return new Container(created.Id, this.#calls, this.#transport, created.Warnings ?? []);
  }

  listNetworks(options: Abortable & {readonly filters?: Filters | undefined} = {}): Promise<readonly NetworkInspect[]> {
    return this.#calls.networkList({query: {filters: options.filters}, signal: options.abortSignal});
  }

  async createNetwork(options: NetworkCreateBody & Abortable): Promise<Network> {
    const {abortSignal, ...body} = options;
    const created = await this.#calls.networkCreate({body, signal: abortSignal});
    return new Network(created.Id, this.#calls, created.Warning);
  }

  listVolumes(options: Abortable & {readonly filters?: Filters | undefined} = {}): Promise<VolumeList> {
    return this.#calls.volumeList({query: {filters: options.filters}, signal: options.abortSignal});
  }

  /** The same name again answers the existing volume. */
  createVolume(options: VolumeCreateBody & Abortable = {}): Promise<VolumeInspect> {
    const {abortSignal, ...body} = options;
    return this.#calls.volumeCreate({body, signal: abortSignal});
  }

  /** `manifests`: each with what its name's index leads to. */
  listImages(
    options: Abortable & {
      readonly all?: boolean | undefined;
      readonly filters?: Filters | undefined;
      readonly manifests?: boolean | undefined;
    } = {},
  ): Promise<readonly ImageSummary[]> {
    const {all, filters, manifests} = options;
    return this.#calls.imageList({query: {all, filters, manifests}, signal: options.abortSignal});
  }

  /**
   * Reads an archive of images, or (feature `files`) a file or directory on the engine's machine. The work is done while
   * the answered lines are read; a failure is thrown from them.
   */
  async loadImage(
    source: AsyncIterable<Uint8Array> | {readonly path: string},
    options: Abortable & {readonly quiet?: boolean | undefined; readonly platform?: string | undefined} = {},
  ): Promise<AsyncIterable<ImageProgress>> {
    const {abortSignal, quiet, platform} = options;
    // A file's read stream has a `path` too.
    if (Symbol.asyncIterator in source)
      return this.#calls.imageLoad({query: {quiet, platform}, body: source, signal: abortSignal});
    if (!(await this.#transport.features()).has('files')) {
      throw new TscomposeError(
        'unsupported',
        `cannot load "${source.path}" by its path: this engine reads archives only`,
      );
    }
    return this.#calls.imageLoad({query: {quiet, platform, path: source.path}, body: nothing(), signal: abortSignal});
  }

  /** Images as one archive that `loadImage` reads, also an OCI layout. A name without a tag stands for every tag of it. */
  async getImages(
    names: readonly string[],
    options: Abortable & {readonly platform?: string | undefined} = {},
  ): Promise<AsyncIterable<Uint8Array>> {
    const {abortSignal, platform} = options;
    return (await this.#calls.imageSave({query: {names, platform}, signal: abortSignal})).bytes;
  }

  /** Builds an image of an archive with its context. The work is done while the answered lines are read. */
  buildImage(
    archive: AsyncIterable<Uint8Array>,
    options: Abortable &
      CallInput<Endpoints['imageBuild']>['query'] & {
        /** Credentials for images that are pulled, by registry. */
        readonly registryconfig?: Readonly<Record<string, AuthConfig>> | undefined;
      } = {},
  ): Promise<AsyncIterable<BuildProgress>> {
    const {abortSignal, registryconfig, ...query} = options;
    const headers = registryconfig === undefined ? {} : {registryConfig: formatRegistryAuth(registryconfig)};
    return this.#calls.imageBuild({query, headers, body: archive, signal: abortSignal});
  }

  /** Builds from files of this machine (feature `files`). The work is done while the answered lines are read. */
  async build(body: BuildBody, options: Abortable = {}): Promise<AsyncIterable<BuildEvent>> {
    if (!(await this.#transport.features()).has('files')) {
      throw new TscomposeError('unsupported', 'cannot build: this engine does not see the files of this machine', {
        hint: "build with the built-in engine, or with the engine's own tools",
      });
    }
    return this.#calls.build({body, signal: options.abortSignal});
  }

  /**
   * Makes an image of one layer from the tar of a root file system, also from one that the engine fetches from a web server. Read
   * the answered lines to the end.
   */
  importImage(
    source: AsyncIterable<Uint8Array> | {readonly url: string},
    options: ImportOptions = {},
  ): Promise<AsyncIterable<ImageProgress>> {
    const {abortSignal: signal, ...query} = options;
    if ('url' in source)
      return this.#calls.imageCreate({query: {...query, fromSrc: source.url}, body: nothing(), signal});
    return this.#calls.imageCreate({query: {...query, fromSrc: '-'}, body: source, signal});
  }

  /**
   * Pulls an image (`redis:7`, `redis@sha256:…`); of a name without a tag every tag. The work is done while the answered lines
   * are read; a failure is thrown from them. `allPlatforms` (feature `platforms`): all that an index leads to.
   */
  async pull(
    repoTag: string,
    options: Abortable & {
      readonly authconfig?: AuthConfig | undefined;
      readonly platform?: string | undefined;
      readonly allPlatforms?: boolean | undefined;
    } = {},
  ): Promise<AsyncIterable<ImageProgress>> {
    const {platform, allPlatforms} = options;
    if (allPlatforms === true && !(await this.#transport.features()).has('platforms')) {
      throw new TscomposeError('unsupported', 'this engine pulls one platform of an image');
    }
    return await this.#calls.imageCreate({
      query: {...splitTag(repoTag), platform, allPlatforms},
      headers: registryAuth(options.authconfig),
      body: nothing(),
      signal: options.abortSignal,
    });
  }

  /** What registries have by a name: Docker Hub, or the registry that the term starts with. */
  searchImages(
    options: Abortable & {
      readonly term: string;
      readonly limit?: number | undefined;
      readonly filters?: Filters | undefined;
      readonly authconfig?: AuthConfig | undefined;
    },
  ): Promise<readonly ImageSearchResult[]> {
    const {abortSignal, authconfig, ...query} = options;
    return this.#calls.imageSearch({query, headers: registryAuth(authconfig), signal: abortSignal});
  }

  /** Asks a registry whether it accepts credentials. Throws `unauthorized`. */
  checkAuth(options: AuthConfig & Abortable): Promise<AuthAnswer> {
    const {abortSignal, ...body} = options;
    return this.#calls.systemAuth({body, signal: abortSignal});
  }

  /** Reads a progress stream to its end, and answers all of its lines. Throws the error the stream carries. */
  followProgress<T>(lines: AsyncIterable<T>, onProgress?: (line: T) => void): Promise<readonly T[]> {
    return followProgress(lines, onProgress);
  }

  /** Replays from `since` (unix seconds with fraction), then follows. Resolves once the engine has subscribed us. */
  getEvents(
    options: Abortable & {
      readonly since?: number | undefined;
      readonly until?: number | undefined;
      readonly filters?: Filters | undefined;
    } = {},
  ): Promise<AsyncIterable<EngineEvent>> {
    const {abortSignal, ...query} = options;
    return this.#calls.systemEvents({query, signal: abortSignal});
  }

  /** Removes stopped containers. Filters: `until`, `label`, `label!`. */
  pruneContainers(options: Pruning = {}): Promise<ContainersPruned> {
    return this.#calls.containerPrune({query: {filters: options.filters}, signal: options.abortSignal});
  }

  /** Removes what steps of builds resulted in: with `all` everything, else what is part of no image. */
  pruneBuilder(
    options: Abortable & NonNullable<CallInput<Endpoints['buildPrune']>['query']> = {},
  ): Promise<BuildsPruned> {
    const {abortSignal, ...query} = options;
    return this.#calls.buildPrune({query, signal: abortSignal});
  }

  /** What a cache mount of builds holds, as an archive: by the id that its steps give it, or its name. */
  async exportBuildMount(id: string, options: Abortable = {}): Promise<AsyncIterable<Uint8Array>> {
    return (await this.#calls.buildMountExport({query: {id}, signal: options.abortSignal})).bytes;
  }

  /** Makes a cache mount of builds of an archive; what it held is gone. */
  async importBuildMount(id: string, archive: AsyncIterable<Uint8Array>, options: Abortable = {}): Promise<void> {
    await this.#calls.buildMountImport({query: {id}, body: archive, signal: options.abortSignal});
  }

  /** Removes anonymous volumes that no container uses; with filter `all` named ones too. */
  pruneVolumes(options: Pruning = {}): Promise<VolumesPruned> {
    return this.#calls.volumePrune({query: {filters: options.filters}, signal: options.abortSignal});
  }

  /** Removes networks that no container is attached to. */
  pruneNetworks(options: Pruning = {}): Promise<NetworksPruned> {
    return this.#calls.networkPrune({query: {filters: options.filters}, signal: options.abortSignal});
  }

  /** Removes images without a name that no container uses; with filter `dangling` false any that none uses. */
  pruneImages(options: Pruning = {}): Promise<ImagesPruned> {
    return this.#calls.imagePrune({query: {filters: options.filters}, signal: options.abortSignal});
  }

  /** What the engine and its machine are. */
  info(options: Abortable = {}): Promise<SystemInfo> {
    return this.#calls.systemInfo({signal: options.abortSignal});
  }

  /** What takes up space, in bytes; `type` names kinds (`container`, `image`, `volume`, `build-cache`). */
  df(options: Abortable & {readonly type?: readonly string[] | undefined} = {}): Promise<DiskUsage> {
    return this.#calls.systemDf({query: {type: options.type}, signal: options.abortSignal});
  }

  version(options: Abortable = {}): Promise<VersionInfo> {
    return this.#calls.systemVersion({signal: options.abortSignal});
  }

  /** Answers `OK`. */
  ping(options: Abortable = {}): Promise<string> {
    return this.#calls.systemPing({signal: options.abortSignal});
  }

  /** What the engine offers beyond Docker's API. */
  features(): Promise<ReadonlySet<Feature>> {
    return this.#transport.features();
  }

  /**
   * With feature `locks`: a lock on a project, shared by all processes that use the same engine and free as soon as its
   * holder ends. Undefined for an engine without locks: there a name conflict means to observe again.
   */
  async lockProject(
    project: string,
    options: {readonly signal?: AbortSignal; readonly onWait?: () => void} = {},
  ): Promise<AsyncDisposable | undefined> {
    return this.#transport.lock?.(project, options);
  }

  /** Closes connections; the engine and its containers go on. */
  close(): Promise<void> {
    return this.#transport.close();
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** The tag or digest in a parameter of its own, as the API has it. */
function splitTag(name: string): {readonly fromImage: string; readonly tag?: string} {
  const at = name.indexOf('@');
  if (at >= 0) return {fromImage: name.slice(0, at).replace(/:[^:/]*$/, ''), tag: name.slice(at + 1)};
  const colon = name.lastIndexOf(':');
  if (colon <= name.lastIndexOf('/')) return {fromImage: name};
  return {fromImage: name.slice(0, colon), tag: name.slice(colon + 1)};
}
