import {hasKind} from '../../base/errors.ts';
import type {Helper} from '../helper/coprocess.ts';
import type {Layout} from '../layout.ts';

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
