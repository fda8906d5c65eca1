import {rm} from 'node:fs/promises';
import {hasKind} from '../../base/errors.ts';
import {writeRecord} from '../record-store.ts';
import {cgroupPlace} from './cgroup-place.ts';
import {clearCgroups} from './cgroups.ts';
import {publishContainerEvent} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import {takeMonitorLock} from './monitor-lock.ts';
import type {FoundContainer} from './reference.ts';
import {startFound} from './start.ts';
import {lossOf, type MonitorState, readUnlessDamaged, unknownEnd} from './state.ts';

/**
 * Deals with a container whose monitor was killed, whoever noticed it: writes its end down, clears what it left, and
 * starts it again when its restart policy says so. Does nothing when another process is at it.
 */
export async function settleLost(context: ContainerContext, found: FoundContainer): Promise<void> {
  const lock = await context.helper
    .tryLock(context.layout.container(found.id).operationLock)
    .catch((error: unknown) => {
      if (hasKind(error, 'notFound')) return undefined;
      throw error;
    });
  if (lock === undefined) return;
  await using held = lock;
  void held;
  const exit = await takeLost(context, found);
  if (exit === undefined) return;
  if (!restartsAfter(found, exit)) return;
  // What keeps it from starting is told by the state that was just written; whoever noticed the loss asked for something else.
  await startFound(context, found).catch(() => undefined);
}

async function takeLost(context: ContainerContext, found: FoundContainer): Promise<MonitorState | undefined> {
  const monitor = await takeMonitorLock(context, found.id);
  if (monitor.kind === 'live') return undefined;
  await using lock = monitor.lock;
  void lock;
  return await clearDead(context, found);
}

/**
 * Clears what a monitor left that was killed, and writes down how the run ended; answers that, or nothing where the
 * monitor had done so. The caller holds the operation lock and the monitor's: so there is none.
 */
export async function clearDead(context: ContainerContext, found: FoundContainer): Promise<MonitorState | undefined> {
  const paths = context.layout.container(found.id);
  const left = await readUnlessDamaged(paths.state, () => unknownEnd(found.id, paths.state));
  if (left === undefined) return undefined;
  // Its cgroups first: nothing of the container may live when its end is written down.
  await clearCgroups((await context.machine()).cgroups, cgroupPlace(context.cgroupParent, found.record));
  await context.endpoints.release(found.record);
  const ended = left.status === 'exited' ? left : lossOf(left, context.now);
  await writeRecord(paths.exit, ended);
  await rm(paths.run, {recursive: true, force: true});
  if (ended === left) return undefined;
  await publishContainerEvent(context, found.record, found.name, 'die', {exitCode: String(ended.exitCode)});
  return ended;
}

function restartsAfter({record}: FoundContainer, exit: MonitorState): boolean {
  const {Name = 'no', MaximumRetryCount = 0} = record.hostConfig.RestartPolicy ?? {};
  if (exit.stoppedByUser) return false;
  if (Name === 'on-failure') return MaximumRetryCount === 0 || exit.restartCount < MaximumRetryCount;
  return Name === 'always' || Name === 'unless-stopped';
}
