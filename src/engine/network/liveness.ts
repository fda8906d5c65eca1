import {existsSync} from 'node:fs';
import {setTimeout as delay} from 'node:timers/promises';
import {hasKind} from '../../base/errors.ts';
import {monotonicMilliseconds} from '../clock.ts';
import {readUnlessDamaged} from '../container/state.ts';
import type {Helper} from '../helper/coprocess.ts';
import type {Layout} from '../layout.ts';
import {type Endpoint, readEndpoint} from './leases.ts';

/** A monitor clears up within milliseconds; one that hangs is not waited for. */
const clearingMs = 5000;
const longestDelayMs = 32;

/**
 * Whether a container goes on holding its addresses and ports. One that has ended is waited for: its monitor tells of the
 * end before it clears up, and needs no lock of ours for that.
 */
export async function isHeld(
  {helper, layout}: {readonly helper: Pick<Helper, 'tryLock'>; readonly layout: Layout},
  networkId: string,
  {container, joining}: Endpoint,
): Promise<boolean> {
  // Of one that is being connected only whoever does it answers for, with the operation lock in hand.
  if (joining === true) return !(await isFree(helper, layout.container(container).operationLock));
  const deadline = monotonicMilliseconds() + clearingMs;
  for (let delayMs = 1; ; delayMs = Math.min(delayMs * 2, longestDelayMs)) {
    if (!(await isContainerAlive(helper, layout, container))) return false;
    if (!(await hasEnded(layout, container)) || monotonicMilliseconds() > deadline) return true;
    await delay(delayMs);
    if (readEndpoint(layout, networkId, container) === undefined) return false;
  }
}

/** Also true of one that is being started again, until it runs. */
async function hasEnded(layout: Layout, containerId: string): Promise<boolean> {
  const paths = layout.container(containerId);
  const state = await readUnlessDamaged(paths.state, () => undefined);
  return state === undefined ? existsSync(paths.exit) : state.status === 'exited';
}

/**
 * True while a container runs, or while someone starts, stops or removes it: then what it holds is its own. A monitor
 * holds its container's lock for life, and whoever starts one holds the operation lock until it does.
 */
export async function isContainerAlive(
  helper: Pick<Helper, 'tryLock'>,
  layout: Layout,
  containerId: string,
): Promise<boolean> {
  const paths = layout.container(containerId);
  try {
    // In this order: a monitor that is being started must not find its lock taken by this very question.
    const operation = await helper.tryLock(paths.operationLock);
    if (!operation) return true;
    await using heldOperation = operation;
    void heldOperation;
    const monitor = await helper.tryLock(paths.lock);
    await monitor?.[Symbol.asyncDispose]();
    return monitor === undefined;
  } catch (error) {
    // The container's directory is gone.
    if (hasKind(error, 'notFound')) return false;
    throw error;
  }
}

async function isFree(helper: Pick<Helper, 'tryLock'>, path: string): Promise<boolean> {
  try {
    const lock = await helper.tryLock(path);
    await lock?.[Symbol.asyncDispose]();
    return lock !== undefined;
  } catch (error) {
    if (hasKind(error, 'notFound')) return true;
    throw error;
  }
}
