import {setTimeout as delay} from 'node:timers/promises';
import {TscomposeError} from '../../base/errors.ts';
import {monotonicMilliseconds} from '../clock.ts';
import type {ContainerContext} from './context.ts';
import {endHungMonitor} from './hung-monitor.ts';
import {type MonitorState, observe} from './state.ts';

/** The lock of a container's monitor, taken because there is none; or the state of the one that lives. */
export type MonitorLock =
  | {readonly kind: 'free'; readonly lock: AsyncDisposable}
  | {readonly kind: 'live'; readonly state: MonitorState};

const longestDelayMs = 32;
/** Much longer than a start needs until its monitor can be seen. */
const longestUnseenMs = 30_000;

/**
 * Waits for what is under way: a monitor that ends until it is gone, one that starts (whoever started it may be dead)
 * until it lives. The caller holds the operation lock, so that no start finds the lock taken by this very question. Throws
 * `conflict` for a monitor that nobody can talk to, as somebody removed its files.
 */
export async function takeMonitorLock(
  context: Pick<ContainerContext, 'layout' | 'bootId' | 'helper'>,
  id: string,
  unseenMs = longestUnseenMs,
): Promise<MonitorLock> {
  const waited = new AbortController();
  let watchdog: Promise<void> | undefined;
  try {
    return await waitForLock(context, id, unseenMs, (state) => {
      watchdog ??= endHungMonitor(context, {id}, state, waited.signal);
    });
  } finally {
    waited.abort();
    await watchdog;
  }
}

/** `onEnding`: called while the monitor clears up, and cannot be asked any more how far it is. */
async function waitForLock(
  context: Pick<ContainerContext, 'layout' | 'bootId' | 'helper'>,
  id: string,
  unseenMs: number,
  onEnding: (state: MonitorState) => void,
): Promise<MonitorLock> {
  const {lock: path, run} = context.layout.container(id);
  const deadline = monotonicMilliseconds() + unseenMs;
  for (let delayMs = 1; ; delayMs = Math.min(delayMs * 2, longestDelayMs)) {
    const observation = await observe(context, id);
    if (observation.kind === 'live') return {kind: 'live', state: observation.state};
    const lock = await context.helper.tryLock(path);
    if (lock !== undefined) return {kind: 'free', lock};
    if (observation.kind === 'created' && monotonicMilliseconds() > deadline) {
      throw new TscomposeError('conflict', `the monitor of container ${id} lives, but its files in ${run} are gone`, {
        hint: `end it, and its container with it: fuser -k ${path}`,
      });
    }
    if (observation.kind === 'exited') onEnding(observation.state);
    await delay(delayMs);
  }
}
