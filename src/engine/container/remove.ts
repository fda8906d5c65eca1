import {join} from 'node:path';
import {hasKind, TscomposeError} from '../../base/errors.ts';
import {rm, rmdir} from '../at-once.ts';
import {temporaryPrefix} from '../record-store.ts';
import {removesItself} from './auto-remove.ts';
import {clearDead} from './clear-dead.ts';
import type {ContainerContext} from './context.ts';
import {takeMonitorLock} from './monitor-lock.ts';
import {freeName, freeNames} from './names.ts';
import {withContainer} from './operation.ts';
import {readContainerIds, readNames} from './record.ts';
import type {FoundContainer} from './reference.ts';
import {killFound} from './stop.ts';
import {barePrefix, finishRemoval, takeApart, unfinishedDirectory} from './take-apart.ts';

/** Throws `conflict` for a running container, unless `force`. `volumes`: also those that were made for it alone. */
export async function removeContainer(
  context: ContainerContext,
  reference: string,
  {force = false, volumes = false}: {readonly force?: boolean; readonly volumes?: boolean} = {},
): Promise<void> {
  await withContainer(context, reference, async (found) => {
    if (force) await killFound(context, found);
    else await refuseRunning(context, found, reference);
    await takeApart(context, found, volumes || removesItself(found));
  });
}

async function refuseRunning(context: ContainerContext, found: FoundContainer, reference: string): Promise<void> {
  const monitor = await takeMonitorLock(context, found.id);
  if (monitor.kind === 'live') {
    const reason =
      monitor.state.paused === true
        ? 'container is paused and must be unpaused first'
        : 'container is running: stop the container before removing or force remove';
    throw new TscomposeError('conflict', `cannot remove container "${reference}": ${reason}`);
  }
  await using lock = monitor.lock;
  void lock;
  await clearDead(context, found);
}

/**
 * Finishes off a container whose maker or remover was killed, and frees its name. False while that process lives, or when
 * the container is whole after all.
 */
export async function removeUnfinished(context: ContainerContext, id: string, name?: string): Promise<boolean> {
  const directory = unfinishedDirectory(context.layout, id);
  let lock: AsyncDisposable | undefined;
  try {
    lock = await context.helper.tryLock(join(directory, 'operation.lock'));
  } catch (error) {
    if (!hasKind(error, 'notFound')) throw error;
    // Neither half-made nor half-removed: whole by now, or gone and only the name is left.
    if ((await readContainerIds(context.layout)).includes(id)) return false;
    if (name !== undefined) await freeName(context.layout, name, id);
    return true;
  }
  if (lock === undefined) return false;
  await using held = lock;
  void held;
  await freeNames(context.layout, id);
  await finishRemoval(context, id);
  return true;
}

/** Takes back a container whose making failed. The caller holds the operation lock. */
export async function discard(context: ContainerContext, id: string): Promise<void> {
  await freeNames(context.layout, id);
  await finishRemoval(context, id);
}

/** What killed processes left among the containers of this root. */
export async function sweepUnfinished(context: ContainerContext): Promise<void> {
  for (const entry of await readNames(context.layout.containers)) {
    if (entry.startsWith(barePrefix)) await removeBare(context, join(context.layout.containers, entry));
    else if (entry.startsWith(temporaryPrefix)) await removeUnfinished(context, entry.slice(temporaryPrefix.length));
  }
}

/** Its maker, if that lives, begins anew, or has taken the lock again meanwhile: then the directory is not empty and stays. */
async function removeBare({helper}: ContainerContext, directory: string): Promise<void> {
  const path = join(directory, 'operation.lock');
  try {
    await using lock = await helper.tryLock(path);
    if (lock === undefined) return;
    await rm(path);
    await rmdir(directory);
  } catch (error) {
    const {code = ''} = error as NodeJS.ErrnoException;
    if (!hasKind(error, 'notFound') && !['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(code)) throw error;
  }
}
