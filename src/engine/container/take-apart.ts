import {rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {hasKind} from '../../base/errors.ts';
import {validateContainer} from '../generated/record-validators.js';
import type {Layout} from '../layout.ts';
import {readRecord, readText, temporaryPrefix} from '../record-store.ts';
import {cgroupPlace} from './cgroup-place.ts';
import {clearCgroups, removeCgroupParents} from './cgroups.ts';
import {publishContainerEvent} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import {freeName} from './names.ts';
import {type ContainerRecord, readContainerIds} from './record.ts';
import type {FoundContainer} from './reference.ts';

/**
 * A mark in a container's directory: whoever finishes its removal takes the volumes along that were made for it alone.
 * It is also there while a container is being made.
 */
export const ownsVolumesMark = 'owns-volumes';

/** Where a container's directory is while it is being made or removed. */
export function unfinishedDirectory(layout: Layout, id: string): string {
  return join(layout.containers, temporaryPrefix + id);
}

/** What its directory is called until its operation lock is held: there is nothing in it but that. */
export const barePrefix = `${temporaryPrefix}bare-`;

export function bareDirectory(layout: Layout, id: string): string {
  return join(layout.containers, barePrefix + id);
}

/** The directory moves away first: from then on the container does not exist, and what is left of it is rubbish that anybody may finish off. */
export async function takeApart(
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
  await giveBack(context, id);
  // The last that is told of it, after its volumes: whoever waits for it finds nothing more.
  await publishContainerEvent(context, record, name, 'destroy');
  await removeDirectory(context, id);
}

/** What a killed process left of it. The caller holds the operation lock in it. */
export async function finishRemoval(context: ContainerContext, id: string): Promise<void> {
  await giveBack(context, id);
  await removeDirectory(context, id);
}

/** The directory goes last: while it is there, whoever finds it does all of this again. */
async function giveBack(context: ContainerContext, id: string): Promise<void> {
  const directory = unfinishedDirectory(context.layout, id);
  await rm(context.layout.container(id).run, {recursive: true, force: true});
  if ((await readText(join(directory, ownsVolumesMark))) !== undefined)
    await removeOwnVolumes(context, join(directory, 'config.json'));
  await clearParents(context);
}

async function removeDirectory(context: ContainerContext, id: string): Promise<void> {
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

/** With the last container the cgroups above all of them go. Somebody who is just starting one keeps them. */
async function clearParents(context: ContainerContext): Promise<void> {
  if ((await readContainerIds(context.layout)).length > 0) return;
  const lock = await context.helper.tryLock(context.layout.locks.cgroups);
  if (lock === undefined) return;
  await using held = lock;
  void held;
  await removeCgroupParents((await context.machine()).cgroups, context.cgroupParent);
}
