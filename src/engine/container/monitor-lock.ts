import {setTimeout as delay} from 'node:timers/promises';
import type {ContainerContext} from './context.ts';
import {type MonitorState, observe} from './state.ts';

/** The lock of a container's monitor, taken because there is none; or the state of the one that lives. */
export type MonitorLock =
  | {readonly kind: 'free'; readonly lock: AsyncDisposable}
  | {readonly kind: 'live'; readonly state: MonitorState};

const longestDelayMs = 32;

/**
 * Waits for what is under way: a monitor that ends until it is gone, one that starts (whoever started it may be dead)
 * until it lives. The caller holds the operation lock, so that no start finds the lock taken by this very question.
 */
export async function takeMonitorLock(context: ContainerContext, id: string): Promise<MonitorLock> {
  const path = context.layout.container(id).lock;
  for (let delayMs = 1; ; delayMs = Math.min(delayMs * 2, longestDelayMs)) {
    const observation = await observe(context, id);
    if (observation.kind === 'live') return {kind: 'live', state: observation.state};
    const lock = await context.helper.tryLock(path);
    if (lock !== undefined) return {kind: 'free', lock};
    await delay(delayMs);
  }
}
