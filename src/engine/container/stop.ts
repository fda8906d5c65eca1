import {TscomposeError} from '../../base/errors.ts';
import {callMonitor, isMonitorGone} from '../helper/control.ts';
import {publishContainerEvent} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import {stopGraceMs} from './launch-plan.ts';
import {clearDead} from './lost.ts';
import {withContainer} from './operation.ts';
import type {FoundContainer} from './reference.ts';
import {findContainer} from './reference.ts';
import {parseSignal} from './signal.ts';
import {startFound} from './start.ts';
import {observe} from './state.ts';

export interface StopOptions {
  /** Absent: as the container says. -1: for ever. */
  readonly timeoutSeconds?: number;
  readonly signal?: string;
}

/** Resolves when the container has ended and what it held is free. Throws `notModified` when it does not run. */
export async function stopContainer(
  context: ContainerContext,
  reference: string,
  options: StopOptions = {},
): Promise<void> {
  await withContainer(context, reference, async (found) => {
    if (!(await stopFound(context, found, options))) {
      throw new TscomposeError('notModified', `container ${found.name} is not running`);
    }
  });
}

/** Stops and starts it, under one lock; one that does not run is started. */
export async function restartContainer(
  context: ContainerContext,
  reference: string,
  options: StopOptions = {},
): Promise<void> {
  await withContainer(context, reference, async (found) => {
    await stopFound(context, found, options);
    await startFound(context, found);
    await publishContainerEvent(context, found.record, found.name, 'restart');
  });
}

/** The caller holds the operation lock. False when it did not run. */
export async function stopFound(
  context: ContainerContext,
  found: FoundContainer,
  {timeoutSeconds, signal}: StopOptions,
): Promise<boolean> {
  const paths = context.layout.container(found.id);
  const ended = async () => {
    // Waits for the monitor's last step, and takes it where the monitor could not.
    await using monitor = await context.helper.lock(paths.lock);
    void monitor;
    await clearDead(context, found);
  };
  const observation = await observe(context, found.id);
  if (observation.kind !== 'live') {
    await ended();
    return observation.kind === 'lost';
  }
  try {
    await callMonitor(paths.control, {
      kind: 'stopContainer',
      signal: signal ? parseSignal(signal) : '',
      graceMs: timeoutSeconds === undefined ? '' : stopGraceMs(timeoutSeconds),
    });
  } catch (error) {
    // It ended by itself at this moment, or was killed.
    if (!isMonitorGone(error)) throw error;
  }
  await ended();
  return true;
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
  if ((await observe(context, found.id)).kind !== 'live') throw notRunning();
  try {
    await callMonitor(paths.control, {kind: 'kill', signal: parsed});
  } catch (error) {
    if (isMonitorGone(error)) throw notRunning();
    throw error;
  }
}
