import {setTimeout as delay} from 'node:timers/promises';
import {hasKind} from '../../base/errors.ts';
import {whenMonitorEnds} from '../helper/control.ts';
import {clearDead} from './clear-dead.ts';
import type {ContainerContext} from './context.ts';
import {takeMonitorLock} from './monitor-lock.ts';
import {withContainer} from './operation.ts';
import type {FoundContainer} from './reference.ts';
import {observe} from './state.ts';
import {takeApart} from './take-apart.ts';

/** It goes with its end, anonymous volumes included (decision 17). */
export function removesItself({record}: Pick<FoundContainer, 'record'>): boolean {
  return record.hostConfig.AutoRemove === true;
}

/** Removes a container that removes itself, where it has ended. The caller holds the operation lock. True: it is gone. */
export async function removeEnded(context: ContainerContext, found: FoundContainer): Promise<boolean> {
  if (!removesItself(found)) return false;
  const monitor = await takeMonitorLock(context, found.id);
  if (monitor.kind === 'live') return false;
  await using lock = monitor.lock;
  void lock;
  await clearDead(context, found);
  if ((await observe(context, found.id)).kind !== 'exited') return false;
  await takeApart(context, found, true);
  return true;
}

/** The same for whoever holds nothing; false also where another process is at it. */
export async function noticeEnded(context: ContainerContext, found: FoundContainer): Promise<boolean> {
  try {
    const lock = await context.helper.tryLock(context.layout.container(found.id).operationLock);
    if (lock === undefined) return false;
    await using held = lock;
    void held;
    return await removeEnded(context, found);
  } catch (error) {
    // Its directory is gone.
    if (hasKind(error, 'notFound')) return true;
    throw error;
  }
}

/** Waits for its turn: for who waits for the removal, and must not do so in vain. False: it runs. */
export async function removeOnceEnded(
  context: ContainerContext,
  {id}: FoundContainer,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return await withContainer(context, id, (found) => removeEnded(context, found), {signal});
  } catch (error) {
    if (hasKind(error, 'notFound')) return true;
    throw error;
  }
}

/** For as long as this engine is open, which it does not keep open: removes the container at its end. */
export function removeAtEnd(context: ContainerContext, found: FoundContainer): void {
  if (removesItself(found)) void followToEnd(context, found);
}

/** Between looks at a container that runs, though its monitor could not be watched. */
export const againMs = 200;

async function followToEnd(context: ContainerContext, found: FoundContainer): Promise<void> {
  const {closing} = context;
  for (;;) {
    await whenMonitorEnds(context.layout.container(found.id).control, closing);
    if (closing.aborted) return;
    // What keeps it from being removed is told to who looks at it next.
    const removal = removeOnceEnded(context, found, closing).catch(() => true);
    context.endings.add(removal);
    const isOver = await removal;
    context.endings.delete(removal);
    if (isOver) return;
    // Started again, or too busy to be connected to.
    await delay(againMs, undefined, {signal: closing, ref: false}).catch(() => {});
  }
}
