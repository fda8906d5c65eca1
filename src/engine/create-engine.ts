import {hostname} from 'node:os';
import {join} from 'node:path';
import {TscomposeError} from '../base/errors.ts';
import {type Now, readBootId} from './clock.ts';
import {createContainers} from './container/containers.ts';
import type {ContainerContext} from './container/context.ts';
import {cdiDirectories} from './container/devices/cdi/registry.ts';
import {createExecs} from './container/exec.ts';
import {readMachine} from './container/machine.ts';
import {imageUsers, volumeUsers} from './container/users.ts';
import type {Engine, Images, Volumes} from './engine.ts';
import {createEvents} from './events.ts';
import {createHelper} from './helper/coprocess.ts';
import {createImages} from './image/images.ts';
import {createLayout, hashOfRoot, type Layout} from './layout.ts';
import {createProjectLocks} from './locks.ts';
import type {MachineFiles} from './network/machine.ts';
import {createNetworks} from './network/networks.ts';
import {pruneContainers, pruneImages, pruneNetworks, pruneVolumes} from './prune/prune.ts';
import {createSizes} from './prune/sizes.ts';
import {checkFormat, ensureRoot} from './root.ts';
import {createSystem} from './system.ts';
import {createVolumes} from './volume/volumes.ts';

const defaultRoot = '/var/lib/tscompose';

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
  /** Of the process; its effective one where not given. */
  readonly userId?: number | undefined;
  /** Of the program. */
  readonly version: string;
  /** Path of the running Node. */
  readonly nodePath: string;
  readonly now: Now;
}

/** Where the volatile state of an engine is. */
export function runDirectory({root, run}: Pick<EngineOptions, 'root' | 'run'>): string {
  if (run !== undefined && run !== '') return run;
  return (root || defaultRoot) === defaultRoot ? '/run/tscompose' : `/run/tscompose-${hashOfRoot(root ?? '')}`;
}

/** Layers of an image that are unpacked at the same time. */
const unpackConcurrency = 4;

/**
 * The built-in engine over a root. Starts nothing: the helper comes with the first request that needs it. Throws
 * `forbidden` without permission, `unsupported` for the root of a newer version.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const {now, version} = options;
  refuseUnprivileged(options.userId ?? process.geteuid?.() ?? 0);
  const root = options.root || defaultRoot;
  const hash = hashOfRoot(root);
  const layout = createLayout({root, run: runDirectory(options)});
  await ensureRoot(layout);

  const helper = createHelper({
    helperPath: options.helperPath,
    buildDirectory: join(root, 'helper', version),
    // A newer version that changes the root's format waits for us, or was before us.
    rootLock: {path: layout.locks.root, check: async () => void (await checkFormat(layout))},
  });
  const exclusively = async <T>(path: string, run: () => Promise<T>): Promise<T> => {
    await using lock = await helper.lock(path);
    void lock;
    return await run();
  };
  const events = createEvents({layout, now, exclusively});
  const looking = {layout, bootId: readBootId()};
  const store = createImages({
    layout,
    helper,
    events,
    now,
    users: (imageId) => imageUsers(looking, imageId),
    nodePath: options.nodePath,
    architecture: process.arch,
    concurrency: unpackConcurrency,
  });
  const images: Omit<Images, 'prune'> = {
    ...store.images,
    remove: (reference, removal) => exclusively(layout.locks.imageUse, () => store.images.remove(reference, removal)),
  };
  const volumes = guardVolumes(
    layout,
    exclusively,
    createVolumes({
      layout,
      helper,
      events,
      now,
      users: async (name) => (await volumeUsers(looking, name)).map(({id}) => id),
    }),
  );
  const {publishAddress, machineFiles: files} = options;
  const networks = createNetworks({layout, helper, events, now, publishAddress, files});
  let machine: ReturnType<typeof readMachine> | undefined;
  const closing = new AbortController();
  const context: ContainerContext = {
    ...looking,
    helper,
    events,
    now,
    images: store,
    volumes,
    endpoints: networks.endpoints,
    execs: new Map(),
    endings: new Set(),
    closing: closing.signal,
    machine: () => (machine ??= readMachine()),
    cdiDirectories: options.cdiDirectories ?? cdiDirectories,
    hostName: options.hostName ?? hostname(),
    cgroupParent: options.cgroupParent || `tscompose-${hash}`,
  };
  const containers = createContainers(context);
  const sizes = createSizes({...looking, helper});
  const pruning = {now, events, sizes};
  return {
    containers: {...containers, prune: (filters) => pruneContainers(pruning, containers, filters)},
    execs: createExecs(context),
    networks: {...networks, prune: (filters) => pruneNetworks(pruning, networks, filters)},
    volumes: {...volumes, prune: (filters) => pruneVolumes(pruning, volumes, filters)},
    images: {...images, prune: (filters) => pruneImages(pruning, images, filters)},
    system: createSystem({
      ...{version, events, layout, sizes, containers, images, volumes, now},
      architecture: process.arch,
      hostName: context.hostName,
    }),
    locks: createProjectLocks(layout, helper),
    async close() {
      closing.abort();
      await Promise.all(context.endings);
      await helper.close();
    },
  };
}

/** Namespaces, mounts and interfaces are made with the machine's own privileges. */
function refuseUnprivileged(userId: number): void {
  if (userId === 0) return;
  throw new TscomposeError('forbidden', 'the built-in engine needs the privileges of root', {
    hint: 'run it as root (sudo tscompose …), or give --host the address of an engine',
  });
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
