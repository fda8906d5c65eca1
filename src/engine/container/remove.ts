import {rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {hasKind, TscomposeError} from '../../base/errors.ts';
import {validateContainer} from '../generated/record-validators.js';
import type {Layout} from '../layout.ts';
import {readRecord, readText, temporaryPrefix} from '../record-store.ts';
import {cgroupPlace} from './cgroup-place.ts';
import {clearCgroups, removeCgroupParents} from './cgroups.ts';
import {publishContainerEvent} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import {clearDead} from './lost.ts';
import {takeMonitorLock} from './monitor-lock.ts';
import {freeName, freeNames} from './names.ts';
import {withContainer} from './operation.ts';
import {type ContainerRecord, readContainerIds, readNames} from './record.ts';
import type {FoundContainer} from './reference.ts';
import {stopFound} from './stop.ts';

/**
 * A mark in a container's directory: whoever finishes its removal takes the volumes along that were made for it alone.
 * It is also there while a container is being made.
 */
export const ownsVolumesMark = 'owns-volumes';

/** Where a container's directory is while it is being made or removed. */
export function unfinishedDirectory(layout: Layout, id: string): string {
  return join(layout.containers, temporaryPrefix + id);
}

/** Throws `conflict` for a running container, unless `force`. `volumes`: also those that were made for it alone. */
export async function removeContainer(
  context: ContainerContext,
  reference: string,
  {force = false, volumes = false}: {readonly force?: boolean; readonly volumes?: boolean} = {},
): Promise<void> {
  await withContainer(context, reference, async (found) => {
    if (force) await stopFound(context, found, {signal: 'SIGKILL', timeoutSeconds: 0});
    else await refuseRunning(context, found, reference);
    await takeApart(context, found, volumes);
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

/** The directory moves away first: from then on the container does not exist, and what is left of it is rubbish that anybody may finish off. */
async function takeApart(
  context: ContainerContext,
  {id, name, record}: FoundContainer,
  volumes: boolean,
): Promise<void> {
  const {directory} = context.layout.container(id);
  await context.endpoints.release(record);
  await clearCgroups((await context.machine()).cgroups, cgroupPlace(context.cgroupParent, record));
  const mark = join(directory, ownsVolumesMark);
  if (volumes) await writeFile(mark, '');
  else await rm(mark, {force: true});
  await rename(directory, unfinishedDirectory(context.layout, id));
  await freeName(context.layout, name, id);
  await publishContainerEvent(context, record, name, 'destroy');
  await finishRemoval(context, id);
}

/** The directory goes last: while it is there, whoever finds it does all of this again. The caller holds the operation lock in it. */
async function finishRemoval(context: ContainerContext, id: string): Promise<void> {
  const directory = unfinishedDirectory(context.layout, id);
  await rm(context.layout.container(id).run, {recursive: true, force: true});
  if ((await readText(join(directory, ownsVolumesMark))) !== undefined)
    await removeOwnVolumes(context, join(directory, 'config.json'));
  await clearParents(context);
  await context.helper.request({kind: 'removeTree', root: context.layout.containers, path: temporaryPrefix + id});
}

async function removeOwnVolumes(context: ContainerContext, config: string): Promise<void> {
  const record = await readRecord<ContainerRecord>(config, validateContainer);
  for (const mount of record?.mounts ?? []) {
    if (mount.kind !== 'volume' || !mount.anonymous) continue;
    // It may never have been made, or another container may use it by its name.
    await context.volumes.remove(mount.name).catch((error: unknown) => {
      if (!hasKind(error, 'notFound', 'conflict')) throw error;
    });
  }
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
    if (entry.startsWith(temporaryPrefix)) await removeUnfinished(context, entry.slice(temporaryPrefix.length));
  }
}

/** With the last container the cgroups above all of them go. Somebody who is just starting one keeps them. */
async function clearParents(context: ContainerContext): Promise<void> {
  if ((await readContainerIds(context.layout)).length > 0) return;
  const lock = await context.helper.tryLock(context.layout.locks.cgroups);
  if (lock === undefined) return;
  await using held = lock;
  void held;
  await removeCgroupParents((await context.machine()).cgroups, context.cgroupParent);
}
