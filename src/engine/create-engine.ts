import {hostname} from 'node:os';
import {join} from 'node:path';
import {createBuilds} from './build/builds.ts';
import type {HostEnvironment} from './build/fetch/git-environment.ts';
import type {FetchLimits} from './build/fetch/limits.ts';
import {type Now, readBootId} from './clock.ts';
import {connectContainer, disconnectContainer} from './container/connect.ts';
import {createContainers} from './container/containers.ts';
import type {ContainerContext} from './container/context.ts';
import {cdiDirectories} from './container/devices/cdi/registry.ts';
import {createExecs} from './container/exec.ts';
import {readMachine} from './container/machine.ts';
import {imageUsers, volumeUsers} from './container/users.ts';
import type {Engine, Images, Volumes} from './engine.ts';
import {createEvents} from './events.ts';
import {createHelper} from './helper/coprocess.ts';
import type {ImageContext} from './image/context.ts';
import {createImages} from './image/images.ts';
import {importFromWeb} from './image/import.ts';
import {createLayout, hashOfRoot, type Layout} from './layout.ts';
import {createProjectLocks} from './locks.ts';
import type {MachineFiles} from './network/machine.ts';
import {createNetworks} from './network/networks.ts';
import {pruneContainers, pruneImages, pruneNetworks, pruneVolumes} from './prune/prune.ts';
import {createSizes} from './prune/sizes.ts';
import type {RegistryOptions} from './registry/registries.ts';
import {createRegistry} from './registry/registry.ts';
import {checkFormat, ensureRoot} from './root.ts';
import {defaultRoot, defaultRun, type UserPlace} from './rootless/place.ts';
import {createRootless, type Rootless} from './rootless/rootless.ts';
import {createSystem} from './system.ts';
import {createVolumeUses} from './volume/uses.ts';
import {createVolumes} from './volume/volumes.ts';
import {createWeb} from './web.ts';

export interface EngineOptions {
  /** Where everything is kept (`--root`, TSCOMPOSE_ROOT). */
  readonly root?: string | undefined;
  /** Volatile state (TSCOMPOSE_RUN). */
  readonly run?: string | undefined;
  /** Name of the cgroup directory in each hierarchy (TSCOMPOSE_CGROUP_PARENT). */
  readonly cgroupParent?: string | undefined;
  /** The helper's program (TSCOMPOSE_HELPER). */
  readonly helperPath?: string | undefined;
  /** Where ports are published that name no address: `all`, `loopback`, or an address. */
  readonly publishAddress?: string | undefined;
  /** Settings of the network namespace that the helper is in: the machine's, where not given. */
  readonly machineFiles?: MachineFiles | undefined;
  /** Where CDI files describe devices: /etc/cdi and /var/run/cdi, where not given. */
  readonly cdiDirectories?: readonly string[] | undefined;
  /** The machine's name, for containers in its network. */
  readonly hostName?: string | undefined;
  /** Of the process; its effective one where not given. Another than root's: the engine runs without root. */
  readonly userId?: number | undefined;
  /** HOME, XDG_DATA_HOME and XDG_RUNTIME_DIR: where an ordinary user's engine keeps everything. */
  readonly userDirectories?: Omit<UserPlace, 'userId'> | undefined;
  /** New containers run without the limits that the machine cannot keep (--allow-missing-limits, TSCOMPOSE_ALLOW_MISSING_LIMITS). */
  readonly allowMissingLimits?: boolean | undefined;
  /** How registries are reached: without it as if nothing were configured. */
  readonly registries?: Omit<RegistryOptions, 'userAgent' | 'now'> | undefined;
  /** Of the process: builds hand some of it to git (`src/engine/build/fetch/git-environment.ts`). */
  readonly environment?: HostEnvironment | undefined;
  /** How much builds fetch at most, where it is not as much as always. */
  readonly fetchLimits?: FetchLimits | undefined;
  /** Of the program. */
  readonly version: string;
  /** Path of the running Node. */
  readonly nodePath: string;
  readonly now: Now;
}

/** Where the volatile state of an engine is. */
export function runDirectory(options: Pick<EngineOptions, 'root' | 'run' | 'userId' | 'userDirectories'>): string {
  const place = placeOf(options);
  const root = options.root || defaultRoot(place);
  return options.run || defaultRun(place, root, hashOfRoot(root));
}

const noRegistrySettings = {
  settings: {paths: [], isRequired: false},
  certificateDirectories: [],
  authorityFiles: [],
  proxy: {},
};

/** Layers of an image that are unpacked at the same time. */
const unpackConcurrency = 4;

/**
 * The built-in engine over a root. Starts nothing: the helper comes with the first request that needs it. Throws
 * `forbidden` without permission, `unsupported` for the root of a newer version.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const {now, version} = options;
  const place = placeOf(options);
  const root = options.root || defaultRoot(place);
  const hash = hashOfRoot(root);
  const layout = createLayout({root, run: runDirectory(options)});
  await ensureRoot(layout);
  const looking = {layout, bootId: readBootId()};
  const rootless = place.userId === 0 ? undefined : createRootless({...looking, userId: place.userId});

  const helper = createHelper({
    helperPath: options.helperPath,
    buildDirectory: join(root, 'helper', version),
    keeper: rootless?.keeper,
    // A newer version that changes the root's format waits for us, or was before us.
    rootLock: {path: layout.locks.root, check: async () => void (await checkFormat(layout))},
  });
  // Nothing leads back from the user's network namespace to the machine's.
  const outsideHelper = rootless
    ? createHelper({
        helperPath: options.helperPath,
        buildDirectory: join(root, 'helper', version),
        keeper: rootless.keeper,
        outsideNetwork: true,
      })
    : undefined;
  const exclusively = async <T>(path: string, run: () => Promise<T>): Promise<T> => {
    await using lock = await helper.lock(path);
    void lock;
    return await run();
  };
  const events = createEvents({layout, now, exclusively});
  const imageContext: ImageContext = {
    layout,
    helper,
    events,
    now,
    users: (imageId) => imageUsers(looking, imageId),
    nodePath: options.nodePath,
    architecture: process.arch,
    concurrency: unpackConcurrency,
  };
  const store = createImages(imageContext);
  const registries = {...noRegistrySettings, ...options.registries, userAgent: `tscompose/${version}`, now};
  const registry = createRegistry({images: imageContext, session: () => store.session(), registries});
  const web = createWeb(registries);
  const images: Omit<Images, 'prune'> = {
    ...store.images,
    importFrom: (url, ...rest) => importFromWeb(imageContext, web, url, ...rest),
    remove: (reference, removal) => exclusively(layout.locks.imageUse, () => store.images.remove(reference, removal)),
  };
  const uses = createVolumeUses({layout, helper});
  const volumes = guardVolumes(
    layout,
    exclusively,
    createVolumes({
      layout,
      helper,
      events,
      now,
      uses,
      users: async (name) => (await volumeUsers(looking, name)).map(({id}) => id),
    }),
  );
  const {publishAddress} = options;
  const files = options.machineFiles ?? rootless?.files;
  const networks = createNetworks({
    layout,
    helper,
    events,
    now,
    publishAddress,
    files,
    warn: rootless?.warn,
  });
  let machine: ReturnType<typeof readMachine> | undefined;
  const closing = new AbortController();
  const context: ContainerContext = {
    ...looking,
    helper,
    outsideHelper,
    events,
    now,
    images: store,
    volumes: {...volumes, ...uses},
    endpoints: networks.endpoints,
    execs: new Map(),
    endings: new Set(),
    allowMissingLimits: options.allowMissingLimits,
    closing: closing.signal,
    machine: () => (machine ??= readMachineFor(rootless)),
    cdiDirectories: options.cdiDirectories ?? cdiDirectories,
    hostName: options.hostName ?? hostname(),
    cgroupParent: options.cgroupParent || `tscompose-${hash}`,
  };
  const containers = createContainers(context);
  const sizes = createSizes({...looking, helper});
  const pruning = {now, events, sizes};
  const builds = createBuilds({
    containers: context,
    images: imageContext,
    pull: (image, signal) => registry.pull(image, signal),
    push: registry.push,
    reach: registry.reach,
    web,
    environment: options.environment,
    limits: options.fetchLimits,
  });
  return {
    containers: {...containers, prune: (filters) => pruneContainers(pruning, containers, filters)},
    execs: createExecs(context),
    networks: {
      ...networks,
      connect: (network, {Container, EndpointConfig}) =>
        connectContainer(context, {network, container: Container ?? '', settings: EndpointConfig ?? {}}),
      disconnect: (network, {Container, Force}) =>
        disconnectContainer(context, {network, container: Container ?? '', force: Force ?? false}),
      prune: (filters) => pruneNetworks(pruning, networks, filters),
    },
    volumes: {...volumes, prune: (filters) => pruneVolumes(pruning, volumes, filters)},
    registry,
    images: {...images, prune: (filters) => pruneImages(pruning, {...images, tidy: store.tidy}, filters)},
    builds,
    hosting: {
      async open(hostingOptions) {
        const {createHosting} = await import('./hosting/hosting.ts');
        const removeName = async (reference: string) => void (await images.remove(reference, {force: true}));
        const {connections} = registry;
        return createHosting({...imageContext, removeName, connections}, hostingOptions);
      },
    },
    system: createSystem({
      ...{version, events, layout, sizes, containers, images, volumes, builds, now},
      architecture: process.arch,
      hostName: context.hostName,
    }),
    locks: createProjectLocks(layout, helper),
    async close() {
      closing.abort();
      await Promise.all([...context.endings, registry.close(), web.close()]);
      await Promise.all([helper.close(), outsideHelper?.close()]);
    },
  };
}

function placeOf({userId, userDirectories}: Pick<EngineOptions, 'userId' | 'userDirectories'>): UserPlace {
  return {
    userId: userId ?? process.geteuid?.() ?? 0,
    ...(userDirectories ?? {home: undefined, dataHome: undefined, runtimeDirectory: undefined}),
  };
}

async function readMachineFor(rootless: Rootless | undefined): ReturnType<typeof readMachine> {
  return readMachine(await rootless?.machine());
}

/** A volume goes only while no container is being made: one that will use it is not seen yet. */
function guardVolumes(
  layout: Layout,
  exclusively: <T>(path: string, run: () => Promise<T>) => Promise<T>,
  volumes: Omit<Volumes, 'prune'>,
): Omit<Volumes, 'prune'> {
  return {
    ...volumes,
    remove: (name, removal) => exclusively(layout.locks.volumeUse, () => volumes.remove(name, removal)),
  };
}
