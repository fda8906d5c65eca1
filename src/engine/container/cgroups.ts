import {readdir, readFile, rmdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {HostConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {MonitorOperation} from '../helper/operations.ts';
import type {DeviceNumbers} from './block-devices.ts';
import type {CgroupHierarchies} from './cgroup-hierarchies.ts';
import type {CgroupPlace} from './cgroup-place.ts';
import {compileDeviceProgram, v1Lines} from './device-program.ts';
import type {Controller} from './limit-write.ts';
import type {Machine} from './machine.ts';
import {type CgroupWrite, planLimits} from './plan-limits.ts';

/** Name of the cgroup of all monitors: out of the command's own, so that the end of a session leaves them alone. */
const monitors = 'monitors';

interface CgroupRequest {
  readonly machine: Machine;
  /** Of everything of this root, where the monitors are. */
  readonly ours: string;
  readonly place: CgroupPlace;
  readonly host: HostConfig;
  /** The block devices that limits name. */
  readonly disks: DeviceNumbers;
  /** What it may do with devices; undefined: everything with all of them. */
  readonly deviceRules: readonly string[] | undefined;
}

/** The operations that put a container into cgroups of its own, with its limits and device rules. Throws `unsupported`. */
export function planCgroups(request: CgroupRequest): readonly MonitorOperation[] {
  const {machine, ours, place, host, disks} = request;
  const {v1, v2} = machine.cgroups;
  // Without them nothing would keep a container from the machine's devices, or to its limits.
  if (v1.length === 0 && v2 === undefined) {
    // A user's containers are kept by the user's own rights; limits that are asked for are refused before.
    if (machine.rootless) return [];
    throw new TscomposeError('unsupported', 'cannot confine containers: no cgroup hierarchy is mounted', {
      hint: 'mount one: mount -t cgroup2 cgroup2 /sys/fs/cgroup',
    });
  }
  const operations: MonitorOperation[] = [];
  const hierarchies = [...v1.map(({mount}) => ({mount, version: 1})), ...(v2 ? [{mount: v2.mount, version: 2}] : [])];
  for (const {mount, version} of hierarchies) {
    // A move waits for all processors (RCU), and from the top there is nobody's cgroup to move out of.
    if (machine.ownCgroups.has(mount)) {
      operations.push({kind: 'monitorCgroup', path: join(mount, ours, monitors), version});
    }
    operations.push({kind: 'cgroup', path: join(mount, place.cgroupParent, place.id), version});
  }
  return [
    ...operations,
    ...switchOnControllers(machine, place),
    ...planLimits(machine, place, host, disks),
    ...planDevices(request),
  ];
}

/** In version 2 a controller is there only where the cgroup above gives it, each from the top. */
function switchOnControllers({cgroups: {v2}, limits}: Machine, {cgroupParent}: CgroupPlace): readonly CgroupWrite[] {
  if (v2 === undefined) return [];
  const names = cgroupParent.split('/').filter((name) => name !== '');
  const levels = [v2.mount, ...names.map((_name, index) => join(v2.mount, ...names.slice(0, index + 1)))];
  const wanted = v2Controllers.filter((controller) => limits.controllers.has(controller));
  return levels.flatMap((level) =>
    // One write a controller: a cgroup that has processes itself refuses some. What is needed is noticed at its file.
    wanted.map(
      (controller): CgroupWrite => ({
        kind: 'cgroupWrite',
        path: join(level, 'cgroup.subtree_control'),
        value: `+${controller}`,
        optional: true,
      }),
    ),
  );
}

const v2Controllers = ['cpu', 'cpuset', 'io', 'memory', 'pids'] as const satisfies readonly Controller[];

/** By the version 1 controller, else by a program in version 2. */
function planDevices({machine, place: {cgroupParent, id}, deviceRules}: CgroupRequest): readonly MonitorOperation[] {
  const {v1, v2} = machine.cgroups;
  // A new cgroup allows what the one above allows: everything, where nothing is denied.
  if (deviceRules === undefined) return [];
  const mount = v1.find(({controllers}) => controllers.includes('devices'))?.mount;
  if (mount !== undefined) {
    const own = join(mount, cgroupParent, id);
    const write = (file: string, value: string): CgroupWrite => ({
      kind: 'cgroupWrite',
      path: join(own, file),
      value,
      optional: false,
    });
    return [write('devices.deny', 'a'), ...deviceRules.flatMap(v1Lines).map((rule) => write('devices.allow', rule))];
  }
  // A user has no more devices than the user's own, and may attach no program.
  if (machine.rootless) return [];
  if (v2 !== undefined)
    return [
      {kind: 'cgroupDevices', path: join(v2.mount, cgroupParent, id), program: compileDeviceProgram(deviceRules)},
    ];
  throw new TscomposeError('unsupported', 'cannot confine containers: the kernel has no cgroup controller "devices"', {
    hint: 'mount the "devices" controller, or cgroup2',
  });
}

function directoriesOf({v1, v2}: CgroupHierarchies, ...names: readonly string[]): readonly string[] {
  return [...v1.map(({mount}) => mount), ...(v2 ? [v2.mount] : [])].map((mount) => join(mount, ...names));
}

/** Kills what a lost monitor left in a container's cgroups and removes them. */
export async function clearCgroups(hierarchies: CgroupHierarchies, {cgroupParent, id}: CgroupPlace): Promise<void> {
  await Promise.all(directoriesOf(hierarchies, cgroupParent, id).map(removeCgroup));
}

/** Removes the cgroups above the containers', once there is no container any more. */
export async function removeCgroupParents(hierarchies: CgroupHierarchies, cgroupParent: string): Promise<void> {
  await Promise.all(
    directoriesOf(hierarchies, cgroupParent).map(async (parent) => {
      if (await hasOthers(parent)) {
        await rmdir(join(parent, monitors)).catch(() => {});
        return;
      }
      await removeWhenLeft(join(parent, monitors));
      await removeWhenLeft(parent);
    }),
  );
}

/** Containers of another root that is kept below the same parent, or what somebody else made there: they are not waited for. */
async function hasOthers(parent: string): Promise<boolean> {
  const entries = await readdir(parent, {withFileTypes: true}).catch(() => []);
  return entries.some((entry) => entry.isDirectory() && entry.name !== monitors);
}

/**
 * A process that ends frees its locks before it leaves its cgroup: the last monitor may be there for another moment, a long
 * one where processors are few and busy. So may what a monitor leaves that was killed.
 */
async function removeWhenLeft(directory: string): Promise<void> {
  for (let delayMs = 1; delayMs < 4000; delayMs *= 2) {
    try {
      await rmdir(directory);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') return;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }
}

async function removeCgroup(directory: string): Promise<void> {
  for (let delayMs = 1; delayMs < 2000; delayMs *= 2) {
    if (await removeWithNested(directory)) return;
    await killAll(directory);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}

/** With the cgroups that a container made in its own, where it may write to them. False while there are processes in them. */
async function removeWithNested(directory: string): Promise<boolean> {
  const remove = async () => {
    try {
      await rmdir(directory);
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== 'EBUSY';
    }
  };
  if (await remove()) return true;
  for (const nested of await nestedIn(directory)) await removeWithNested(nested);
  return await remove();
}

async function nestedIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, {withFileTypes: true}).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({name}) => join(directory, name));
}

/** cgroup.kill where the kernel has it (v2, 5.14), which reaches nested ones too; else one by one. */
async function killAll(directory: string): Promise<void> {
  try {
    await writeFile(join(directory, 'cgroup.kill'), '1', {flag: 'r+'});
    return;
  } catch {
    // A v1 hierarchy: there nobody dies who is frozen, and a container may have frozen some of its own.
    await writeFile(join(directory, 'freezer.state'), 'THAWED', {flag: 'r+'}).catch(() => undefined);
  }
  const processes = await readFile(join(directory, 'cgroup.procs'), 'utf8').catch(() => '');
  for (const line of processes.split('\n')) {
    if (!/^\d+$/.test(line) || line === '0') continue;
    try {
      process.kill(Number(line), 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  for (const nested of await nestedIn(directory)) await killAll(nested);
}
