import {rm} from 'node:fs/promises';
import {hasKind} from '../../base/errors.ts';
import {clearCgroups} from './cgroups.ts';
import {publishContainerEvent} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import type {FoundContainer} from './reference.ts';
import {startFound} from './start.ts';
import {type MonitorState, observe, recordLoss} from './state.ts';

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
  // The kernel frees a dead monitor's lock only once the process is gone.
  await using monitor = await context.helper.lock(context.layout.container(found.id).lock);
  void monitor;
  const observation = await observe(context, found.id);
  return observation.kind === 'lost' ? await clearLost(context, found, observation.state) : undefined;
}

/** The caller holds the operation lock and the monitor's. */
export async function clearLost(
  context: ContainerContext,
  found: FoundContainer,
  lost: MonitorState,
): Promise<MonitorState> {
  const paths = context.layout.container(found.id);
  // Its cgroups first: nothing of the container may live when its end is written down.
  await clearCgroups((await context.machine()).cgroups, {cgroupParent: context.cgroupParent, id: found.id});
  await context.endpoints.release(found.record);
  const exit = await recordLoss(context, lost);
  await rm(paths.run, {recursive: true, force: true});
  await publishContainerEvent(context, found.record, found.name, 'die', {exitCode: String(exit.exitCode)});
  return exit;
}

function restartsAfter({record}: FoundContainer, exit: MonitorState): boolean {
  const {Name = 'no', MaximumRetryCount = 0} = record.hostConfig.RestartPolicy ?? {};
  if (exit.stoppedByUser) return false;
  if (Name === 'on-failure') return MaximumRetryCount === 0 || exit.restartCount < MaximumRetryCount;
  return Name === 'always' || Name === 'unless-stopped';
}
