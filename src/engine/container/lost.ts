import {hasKind} from '../../base/errors.ts';
import {clearDead} from './clear-dead.ts';
import type {ContainerContext} from './context.ts';
import {takeMonitorLock} from './monitor-lock.ts';
import type {FoundContainer} from './reference.ts';
import {startFound} from './start.ts';
import type {MonitorState} from './state.ts';

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

function restartsAfter({record}: FoundContainer, exit: MonitorState): boolean {
  const {Name = 'no', MaximumRetryCount = 0} = record.hostConfig.RestartPolicy ?? {};
  if (exit.stoppedByUser) return false;
  if (Name === 'on-failure') return MaximumRetryCount === 0 || exit.restartCount < MaximumRetryCount;
  return Name === 'always' || Name === 'unless-stopped';
}
