import {mkdir} from '../at-once.ts';
import {encodeOperations} from '../helper/operations.ts';
import {clearDead} from './clear-dead.ts';
import type {ContainerContext} from './context.ts';
import {takeMonitorLock} from './monitor-lock.ts';
import type {FoundContainer} from './reference.ts';
import {planStoppedRoot, type StoppedRootUse} from './root-plan.ts';
import {checkBinds, resolveImages} from './start.ts';
import {type MonitorState, observe} from './state.ts';
import {useVolumes} from './use-volumes.ts';

/** Where the helper finds a container's files: those of a process, or what it mounts for itself. */
export interface SyncPlace {
  readonly pid: number;
  readonly monitor: number;
  /** Encoded setup operations; empty: the process's. */
  readonly operations: Uint8Array;
}

const nothing = new Uint8Array();

/**
 * Runs `work` where the container's files are: in its own mount namespace while it runs, else over the same directories,
 * mounted for this alone. The caller holds the operation lock, so nobody but the container's monitor starts it meanwhile:
 * where that happened, it is told as `ended`.
 */
export async function withSyncPlace<T extends {readonly ended?: boolean}>(
  context: ContainerContext,
  found: FoundContainer,
  work: (place: SyncPlace) => Promise<T>,
  use: StoppedRootUse = 'sync',
): Promise<T | (T & {readonly ended: true})> {
  const monitor = await takeMonitorLock(context, found.id);
  if (monitor.kind === 'live') {
    const {state} = monitor;
    if (state.status !== 'restarting')
      return work({pid: state.pid ?? 0, monitor: state.monitor ?? 0, operations: nothing});
    const reply = await inStoppedPlace(context, found, {work, use});
    return (await isSameWait(context, found, state)) ? reply : {...reply, ended: true};
  }
  await using lock = monitor.lock;
  void lock;
  await clearDead(context, found);
  return await inStoppedPlace(context, found, {work, use});
}

async function inStoppedPlace<T>(
  context: ContainerContext,
  {id, record}: FoundContainer,
  {work, use}: {readonly work: (place: SyncPlace) => Promise<T>; readonly use: StoppedRootUse},
): Promise<T> {
  await using volumes = await useVolumes(context, record);
  const [image, images] = await Promise.all([
    context.images.root(record.image),
    resolveImages(context, record),
    checkBinds(record),
  ]);
  const {rootless} = await context.machine();
  const paths = context.layout.container(id);
  await mkdir(paths.workBeside, {recursive: true, mode: 0o700});
  const operations = planStoppedRoot(
    {paths, record, image, volumes: volumes.directories, images},
    {use, rootless: rootless !== undefined},
  );
  return await work({pid: 0, monitor: 0, operations: encodeOperations(operations)});
}

/** Between two runs the monitor may begin the next one at any time. */
async function isSameWait(context: ContainerContext, {id}: FoundContainer, before: MonitorState): Promise<boolean> {
  const now = await observe(context, id);
  return now.kind === 'live' && now.state.status === 'restarting' && now.state.restartCount === before.restartCount;
}
