import {linkSync} from 'node:fs';
import {join} from 'node:path';
import {hasKind, toTscomposeError} from '../../base/errors.ts';
import {rename, rm, writeFile} from '../at-once.ts';
import {validateContainer} from '../generated/record-validators.js';
import type {Layout} from '../layout.ts';
import {readRecord, readText, temporaryPrefix} from '../record-store.ts';
import {removeCgroupParents} from './cgroups.ts';
import {publishRemoval} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import {clearCgroupsOf, forgetCgroups, knownCgroups} from './known-cgroups.ts';
import {freeNameAndOthers} from './names.ts';
import {type ContainerRecord, readContainerIds} from './record.ts';
import type {FoundContainer} from './reference.ts';
import {readUnlessDamaged} from './state.ts';

/**
 * A mark in a container's directory: whoever finishes its removal takes the volumes along that were made for it alone.
 * It is also there while a container is being made.
 */
export const ownsVolumesMark = 'owns-volumes';

/** Another one: it was whole once, and whoever finishes its removal tells of it. Holds the name that it had. */
const removedMark = 'removed';

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
  await clearCgroupsOf(context, record);
  if (volumes) markVolumes(directory);
  else await rm(join(directory, ownsVolumesMark), {force: true});
  await markRemoved(directory, name);
  const unfinished = unfinishedDirectory(context.layout, id);
  await rename(directory, unfinished);
  await freeNameAndOthers(context.layout, {id, name, directory: unfinished});
  await giveBack(context, id);
  // The last that is told of it, after its volumes: whoever waits for it finds nothing more.
  await publishRemoval(context, {record, name, ...(await lastEnd(unfinished))});
  await removeDirectory(context, id);
}

/** A link needs nothing of a disk that may be full: to remove something is just what that needs. */
function markVolumes(directory: string): void {
  try {
    linkSync(join(directory, 'config.json'), join(directory, ownsVolumesMark));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Without room for it the removal is only told of by who begins it. */
async function markRemoved(directory: string, name: string): Promise<void> {
  try {
    await writeFile(join(directory, removedMark), name);
  } catch (error) {
    if (!hasKind(toTscomposeError(error), 'exhausted')) throw error;
  }
}

/**
 * What a killed process left of it. The caller holds the operation lock in it. Where that process was killed just after it
 * had told of the removal, it is told twice: better than never, as somebody may wait for it.
 */
export async function finishRemoval(context: ContainerContext, id: string): Promise<void> {
  const directory = unfinishedDirectory(context.layout, id);
  const name = await readText(join(directory, removedMark));
  const record =
    name === undefined
      ? undefined
      : await readRecord<ContainerRecord>(join(directory, 'config.json'), validateContainer);
  await giveBack(context, id);
  if (record !== undefined)
    await publishRemoval(context, {record, name: name || record.name, ...(await lastEnd(directory))});
  await removeDirectory(context, id);
}

/** Of a container whose directory is about to go. */
async function lastEnd(directory: string): Promise<{readonly exitCode?: number}> {
  const end = await readUnlessDamaged(join(directory, 'exit.json'), () => undefined);
  return end === undefined ? {} : {exitCode: end.exitCode};
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
  for (const cgroups of await knownCgroups(context)) await removeCgroupParents(cgroups, context.cgroupParent);
  await forgetCgroups(context.layout);
}
