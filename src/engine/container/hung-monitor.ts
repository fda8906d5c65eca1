import {setTimeout as delay} from 'node:timers/promises';
import {hasKind} from '../../base/errors.ts';
import {callMonitor, isMonitorGone} from '../helper/control.ts';
import type {ContainerContext} from './context.ts';
import type {FoundContainer} from './reference.ts';
import {isMonitorProcess, type MonitorState} from './state.ts';

/** A monitor answers at once, whatever its container and the disk do: one that takes this long hangs, or was stopped. */
const answerMs = 10_000;
/** The same for one that was just woken. */
const wakeMs = 2000;
const againMs = 1000;

/** One that ends takes no questions any more; it gives up on whatever hangs before that (GIVE_UP_NS in ending.c). */
const endingMs = 20_000;

/**
 * For as long as something is waited for that only a container's monitor can do: looks whether it answers. One that does not is
 * woken (somebody may have stopped it, as with `kill -STOP`), and killed where that does not help: then its container is lost,
 * which is known how to deal with. Resolves at the signal, or when there is no monitor any more.
 */
export async function endHungMonitor(
  {layout}: Pick<ContainerContext, 'layout'>,
  {id}: Pick<FoundContainer, 'id'>,
  {monitor = 0}: MonitorState,
  signal: AbortSignal,
): Promise<void> {
  const {control} = layout.container(id);
  const isFine = async (timeoutMs: number) => {
    const answer = await askHello(control, timeoutMs, signal);
    if (answer === 'ending') await delay(timeoutMs === wakeMs ? wakeMs : endingMs, undefined, {signal});
    return answer === 'yes' || !(await isMonitorProcess(monitor));
  };
  try {
    while (await isMonitorProcess(monitor)) {
      await delay(againMs, undefined, {signal});
      if (await isFine(answerMs)) continue;
      signalMonitor(monitor, 'SIGCONT');
      if (!(await isFine(wakeMs))) signalMonitor(monitor, 'SIGKILL');
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function askHello(control: string, timeoutMs: number, signal: AbortSignal): Promise<'yes' | 'no' | 'ending'> {
  try {
    await callMonitor(control, {kind: 'monitorHello'}, {timeoutMs, signal});
    return 'yes';
  } catch (error) {
    if (isMonitorGone(error)) return 'ending';
    if (hasKind(error, 'timeout')) return 'no';
    throw error;
  }
}

function signalMonitor(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
