import {setTimeout as delay} from 'node:timers/promises';
import type {ContainerConfig} from '../../api/types/container.ts';
import {hasKind, TscomposeError} from '../../base/errors.ts';
import {callMonitor, isMonitorGone, watchMonitor} from '../helper/control.ts';
import {removeEnded} from './auto-remove.ts';
import {clearDead} from './clear-dead.ts';
import {publishContainerEvent} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import {unlessHeld} from './held.ts';
import {endHungMonitor} from './hung-monitor.ts';
import {stopGraceMs} from './launch-plan.ts';
import {refuseMissing} from './limit-support.ts';
import {takeMonitorLock} from './monitor-lock.ts';
import {withContainer} from './operation.ts';
import {type FoundContainer, findContainer, noSuchContainer} from './reference.ts';
import {parseSignal} from './signal.ts';
import {startOrRemove} from './start.ts';
import {isPaused, type MonitorState, observe} from './state.ts';
import {thaw} from './thaw.ts';

export interface StopOptions {
  /** Absent: as the container says. -1: for ever. */
  readonly timeoutSeconds?: number;
  readonly signal?: string;
}

/**
 * Resolves when the container has ended and what it held is free; with `returnAtEnd` as soon as it has ended, and whoever
 * needs what it held waits for that (operations of this process by the container's operation lock, `close` of the engine).
 * Throws `notModified` when it does not run.
 */
export async function stopContainer(
  context: ContainerContext,
  reference: string,
  {returnAtEnd = false, ...options}: StopOptions & {readonly returnAtEnd?: boolean} = {},
): Promise<void> {
  const freed = stopAndFree(context, reference, options);
  if (!returnAtEnd) return await freed;
  const settled = freed.catch(() => undefined).finally(() => context.endings.delete(settled));
  context.endings.add(settled);
  await Promise.race([freed, ended(context, reference, freed)]);
}

async function stopAndFree(context: ContainerContext, reference: string, options: StopOptions): Promise<void> {
  await withContainer(context, reference, async (found) => {
    if (!(await stopFound(context, found, options))) {
      throw new TscomposeError('notModified', `container ${found.name} is not running`);
    }
    await removeEnded(context, found);
  });
}

/** A monitor tells of the end before it clears up, which takes the kernel several times as long as the process took to end. */
async function ended(context: ContainerContext, reference: string, freed: Promise<void>): Promise<void> {
  const {id} = await findContainer(context.layout, reference);
  const watched = new AbortController();
  freed.catch(() => undefined).finally(() => watched.abort());
  try {
    for await (const {status} of watchMonitor<MonitorState>(context.layout.container(id).control, watched.signal))
      if (status === 'exited') return;
  } catch (error) {
    if (!watched.signal.aborted && !isMonitorGone(error)) throw error;
  }
  await freed;
}

/** Stops and starts it, under one lock; one that does not run is started. */
export async function restartContainer(
  context: ContainerContext,
  reference: string,
  options: StopOptions = {},
): Promise<void> {
  await withContainer(context, reference, async (found) => {
    if (await removeEnded(context, found)) throw noSuchContainer(reference);
    // Before it is stopped: from here it may not come up again.
    refuseMissing(await context.machine(), found.record.hostConfig);
    await stopFound(context, found, options);
    await startOrRemove(context, found);
    await publishContainerEvent(context, found.record, found.name, 'restart');
  });
}

/** The caller holds the operation lock. False when it did not run. */
async function stopFound(context: ContainerContext, found: FoundContainer, options: StopOptions): Promise<boolean> {
  for (let ran = false; ; ) {
    const monitor = await takeMonitorLock(context, found.id);
    if (monitor.kind === 'free') {
      await using lock = monitor.lock;
      void lock;
      const lost = await clearDead(context, found);
      return ran || lost !== undefined;
    }
    ran = true;
    await askToStop(context, found, monitor.state, options);
  }
}

/**
 * Kills it, and waits until nothing of it is left. The caller holds the operation lock, and is about to remove it: no event
 * tells of a stop.
 */
export async function killFound(context: ContainerContext, found: FoundContainer): Promise<void> {
  const {control} = context.layout.container(found.id);
  try {
    await callMonitor(control, {kind: 'kill', signal: parseSignal('SIGKILL')});
    await unlessHeld(context, found, async (signal) => {
      for await (const state of watchMonitor<MonitorState>(control, signal)) void state;
    });
  } catch (error) {
    // It does not run: it is between two runs, or about to end, which a stop waits for.
    if (!hasKind(error, 'conflict') && !isMonitorGone(error)) throw error;
  }
  await stopFound(context, found, {signal: 'SIGKILL', timeoutSeconds: 0});
}

/** Resolves when the monitor has cleared up, or is gone. Throws `timeout` where the kernel keeps the container. */
async function askToStop(
  context: ContainerContext,
  found: FoundContainer,
  state: MonitorState,
  {timeoutSeconds, signal}: StopOptions,
): Promise<void> {
  const answered = new AbortController();
  const watchdog = endHungMonitor(context, found, state, answered.signal);
  try {
    const request = {
      kind: 'stopContainer',
      signal: signal ? parseSignal(signal) : '',
      graceMs: timeoutSeconds === undefined ? '' : stopGraceMs(timeoutSeconds),
    } as const;
    const {control} = context.layout.container(found.id);
    await unlessHeld(context, found, (over) =>
      callMonitor(control, request, {timeoutMs: Number.POSITIVE_INFINITY, signal: over}),
    );
  } catch (error) {
    if (!isMonitorGone(error)) throw error;
    // It ended by itself at this moment, or is being killed.
    await delay(5);
  } finally {
    answered.abort();
    await watchdog;
  }
}

/** Needs no lock, so that it also reaches a container that another process is waiting for to stop. Throws `conflict` when it does not run. */
export async function killContainer(context: ContainerContext, reference: string, signal = 'SIGKILL'): Promise<void> {
  const found = await findContainer(context.layout, reference);
  const parsed = parseSignal(signal);
  const paths = context.layout.container(found.id);
  const notRunning = () =>
    new TscomposeError(
      'conflict',
      `cannot kill container: ${reference.replace(/^\//, '')}: container ${found.id} is not running`,
    );
  const observation = await observe(context, found.id);
  if (observation.kind !== 'live') throw notRunning();
  try {
    await callMonitor(paths.control, {kind: 'kill', signal: parsed});
  } catch (error) {
    if (isMonitorGone(error)) throw notRunning();
    throw error;
  }
  if (isPaused(observation) && wakes(found.record.config, parsed)) await thaw(context, found.id);
}

/** Docker's rule: whatever may end a paused container wakes it up; where it names a stop signal, only that does. */
function wakes({StopSignal}: ContainerConfig, signal: string): boolean {
  return !StopSignal || parseSignal(StopSignal) === signal;
}
