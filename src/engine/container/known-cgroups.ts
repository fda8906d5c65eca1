import {existsSync} from 'node:fs';
import {mkdir, readdir, readlink, rm, symlink} from 'node:fs/promises';
import {join} from 'node:path';
import {sha256Hex} from '../../base/canonical-json.ts';
import type {Layout} from '../layout.ts';
import type {CgroupHierarchies} from './cgroup-hierarchies.ts';
import {cgroupPlace, pathOf} from './cgroup-place.ts';
import {clearCgroups} from './cgroups.ts';
import type {ContainerContext} from './context.ts';
import {readLimitSupport} from './limit-support.ts';
import type {Machine} from './machine.ts';
import type {ContainerRecord} from './record.ts';

/*
 * Each session and each service of a user is given another part of the hierarchy, or none, and a command in one of them deals with
 * what was started in another. So whoever starts a container of a user leaves a link to the part that it is put into.
 */

const none: CgroupHierarchies = {v1: [], v2: undefined};

/** To be called before a container is put into the machine's cgroups. */
export async function noteCgroups(layout: Layout, {rootless, cgroups: {v2}}: Machine): Promise<void> {
  if (!rootless || v2 === undefined) return;
  await mkdir(layout.cgroups, {recursive: true});
  try {
    await symlink(v2.mount, join(layout.cgroups, sha256Hex(v2.mount).slice(0, 32)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** There is no container any more. The caller sees to it that none is being started. */
export async function forgetCgroups(layout: Layout): Promise<void> {
  await rm(layout.cgroups, {recursive: true, force: true});
}

/** Everywhere where containers of this root may have cgroups; where new ones get theirs comes first. */
export async function knownCgroups(
  context: Pick<ContainerContext, 'layout' | 'machine'>,
): Promise<readonly CgroupHierarchies[]> {
  const {rootless, cgroups} = await context.machine();
  if (!rootless) return [cgroups];
  const names = await readdir(context.layout.cgroups).catch(() => []);
  const links = await Promise.all(
    names.map((name) => readlink(join(context.layout.cgroups, name)).catch(() => undefined)),
  );
  const others = links.filter((mount) => mount !== undefined && mount !== cgroups.v2?.mount);
  return [cgroups, ...others.map((mount) => ({v1: [], v2: {mount: mount ?? ''}}))];
}

/** Where a container is that runs: a user's may have no cgroup at all. */
export async function cgroupsOf(
  context: Pick<ContainerContext, 'layout' | 'machine' | 'cgroupParent'>,
  record: Pick<ContainerRecord, 'id' | 'hostConfig'>,
): Promise<CgroupHierarchies> {
  const {rootless, cgroups} = await context.machine();
  if (!rootless) return cgroups;
  const path = pathOf(cgroupPlace(context.cgroupParent, record));
  const known = await knownCgroups(context);
  return known.find(({v2}) => v2 !== undefined && existsSync(join(v2.mount, path))) ?? none;
}

/** The machine as it is for a container that runs: with the limits that its own cgroups can keep. */
export async function machineOf(context: ContainerContext, record: ContainerRecord): Promise<Machine> {
  const machine = await context.machine();
  if (!machine.rootless) return machine;
  const cgroups = await cgroupsOf(context, record);
  return {...machine, cgroups, limits: readLimitSupport(cgroups)};
}

/** Kills what is left in a container's cgroups and removes them, wherever they are. */
export async function clearCgroupsOf(context: ContainerContext, record: ContainerRecord): Promise<void> {
  const place = cgroupPlace(context.cgroupParent, record);
  for (const cgroups of await knownCgroups(context)) await clearCgroups(cgroups, place);
}
