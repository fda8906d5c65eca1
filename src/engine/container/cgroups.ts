import {readdir, readFile, rmdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {HostConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {MonitorOperation} from '../helper/operations.ts';
import type {CgroupHierarchies} from './cgroup-hierarchies.ts';
import {compileDeviceProgram, v1Lines} from './device-program.ts';
import type {Machine} from './machine.ts';

/** Name of the cgroup of all monitors: out of the command's own, so that the end of a session leaves them alone. */
const monitors = 'monitors';

/** CFS period that CPU counts are turned into, in microseconds: Docker's. */
const cpuPeriod = 100_000;

interface Place {
  readonly cgroupParent: string;
  readonly id: string;
}

/** The operations that put a container into cgroups of its own, with its limits and device rules; undefined: all devices. */
export function planCgroups(
  machine: Machine,
  {cgroupParent, id}: Place,
  host: HostConfig,
  deviceRules: readonly string[] | undefined,
): readonly MonitorOperation[] {
  const {v1, v2} = machine.cgroups;
  // Without them nothing would keep a container from the machine's devices, or to its limits.
  if (v1.length === 0 && v2 === undefined) {
    throw new TscomposeError('unsupported', 'cannot confine containers: no cgroup hierarchy is mounted', {
      hint: 'mount one: mount -t cgroup2 cgroup2 /sys/fs/cgroup',
    });
  }
  const operations: MonitorOperation[] = [];
  const hierarchies = [...v1.map(({mount}) => ({mount, version: 1})), ...(v2 ? [{mount: v2.mount, version: 2}] : [])];
  for (const {mount, version} of hierarchies) {
    // A move waits for all processors (RCU), and from the top there is nobody's cgroup to move out of.
    if (machine.ownCgroups.has(mount)) {
      operations.push({kind: 'monitorCgroup', path: join(mount, cgroupParent, monitors), version});
    }
    operations.push({kind: 'cgroup', path: join(mount, cgroupParent, id), version});
  }
  if (v1.length > 0) operations.push(...planV1(machine, {cgroupParent, id}, host, deviceRules));
  else if (v2) operations.push(...planV2(v2.mount, {cgroupParent, id}, host, deviceRules));
  return operations;
}

function planV1(
  {cgroups}: Machine,
  {cgroupParent, id}: Place,
  host: HostConfig,
  deviceRules: readonly string[] | undefined,
): readonly MonitorOperation[] {
  const writes: MonitorOperation[] = [];
  const own = (controller: string) => {
    const mount = cgroups.v1.find(({controllers}) => controllers.includes(controller))?.mount;
    return mount === undefined ? undefined : join(mount, cgroupParent, id);
  };
  const write = (controller: string, file: string, value: string | number, optional = false) => {
    const directory = own(controller);
    if (directory !== undefined)
      writes.push({kind: 'cgroupWrite', path: join(directory, file), value: String(value), optional});
    else if (!optional) throw missing(controller, file);
  };
  const limits = resolveLimits(host);
  if (limits.memory !== undefined) write('memory', 'memory.limit_in_bytes', limits.memory);
  // Swap is not accounted on every kernel (swapaccount=0).
  if (limits.memoryAndSwap !== undefined) write('memory', 'memory.memsw.limit_in_bytes', limits.memoryAndSwap, true);
  if (limits.reservation !== undefined) write('memory', 'memory.soft_limit_in_bytes', limits.reservation);
  if (limits.shares !== undefined) write('cpu', 'cpu.shares', limits.shares);
  if (limits.period !== undefined) write('cpu', 'cpu.cfs_period_us', limits.period);
  if (limits.quota !== undefined) write('cpu', 'cpu.cfs_quota_us', limits.quota);
  if (limits.pids !== undefined) write('pids', 'pids.max', limits.pids);
  // A new cgroup allows what the one above allows: everything, where nothing is denied.
  if (deviceRules === undefined) return writes;
  write('devices', 'devices.deny', 'a');
  for (const rule of deviceRules.flatMap(v1Lines)) write('devices', 'devices.allow', rule);
  return writes;
}

function planV2(
  mount: string,
  {cgroupParent, id}: Place,
  host: HostConfig,
  deviceRules: readonly string[] | undefined,
): readonly MonitorOperation[] {
  const parent = join(mount, cgroupParent);
  const own = join(parent, id);
  const writes: MonitorOperation[] = [];
  const write = (file: string, value: string | number, optional = false) =>
    writes.push({kind: 'cgroupWrite', path: join(own, file), value: String(value), optional});
  // One write a controller: a missing one refuses the whole line. What is needed and missing is noticed at its file.
  for (const level of [mount, parent]) {
    for (const controller of ['cpu', 'memory', 'pids']) {
      writes.push({
        kind: 'cgroupWrite',
        path: join(level, 'cgroup.subtree_control'),
        value: `+${controller}`,
        optional: true,
      });
    }
  }
  const limits = resolveLimits(host);
  if (limits.memory !== undefined) write('memory.max', limits.memory);
  if (limits.memoryAndSwap !== undefined && limits.memory !== undefined) {
    write('memory.swap.max', limits.memoryAndSwap === -1 ? 'max' : limits.memoryAndSwap - limits.memory, true);
  }
  if (limits.reservation !== undefined) write('memory.low', limits.reservation);
  if (limits.shares !== undefined) write('cpu.weight', weightOfShares(limits.shares));
  if (limits.quota !== undefined || limits.period !== undefined) {
    write(
      'cpu.max',
      `${limits.quota === undefined || limits.quota < 0 ? 'max' : limits.quota} ${limits.period ?? cpuPeriod}`,
    );
  }
  if (limits.pids !== undefined) write('pids.max', limits.pids);
  if (deviceRules !== undefined)
    writes.push({kind: 'cgroupDevices', path: own, program: compileDeviceProgram(deviceRules)});
  return writes;
}

function missing(controller: string, file: string): TscomposeError {
  return new TscomposeError('unsupported', `cannot set ${file}: the kernel has no cgroup controller "${controller}"`, {
    hint: `mount the "${controller}" controller, or remove the limit`,
  });
}

interface Limits {
  readonly memory: number | undefined;
  /** -1: unlimited. */
  readonly memoryAndSwap: number | undefined;
  readonly reservation: number | undefined;
  readonly shares: number | undefined;
  readonly period: number | undefined;
  readonly quota: number | undefined;
  readonly pids: number | undefined;
}

/** Zero is no limit; as much swap as memory where only memory is limited, as Docker has it. */
function resolveLimits(host: HostConfig): Limits {
  const positive = (value: number | null | undefined) => (value && value > 0 ? value : undefined);
  const memory = positive(host.Memory);
  const swap = host.MemorySwap ?? 0;
  const nanoCpus = positive(host.NanoCpus);
  return {
    memory,
    memoryAndSwap: memory === undefined ? undefined : swap === 0 ? memory * 2 : swap,
    reservation: positive(host.MemoryReservation),
    // The kernel takes 2 to 262144.
    shares: host.CpuShares ? Math.min(Math.max(host.CpuShares, 2), 262_144) : undefined,
    period: nanoCpus === undefined ? positive(host.CpuPeriod) : cpuPeriod,
    quota:
      nanoCpus === undefined ? host.CpuQuota || undefined : Math.max(Math.floor((nanoCpus * cpuPeriod) / 1e9), 1000),
    pids: positive(host.PidsLimit),
  };
}

/** [2, 262144] to [1, 10000], as systemd and runc turn shares into weights. */
function weightOfShares(shares: number): number {
  return Math.floor(1 + ((shares - 2) * 9999) / 262_142);
}

function directoriesOf({v1, v2}: CgroupHierarchies, ...names: readonly string[]): readonly string[] {
  return [...v1.map(({mount}) => mount), ...(v2 ? [v2.mount] : [])].map((mount) => join(mount, ...names));
}

/** Kills what a lost monitor left in a container's cgroups and removes them. */
export async function clearCgroups(hierarchies: CgroupHierarchies, {cgroupParent, id}: Place): Promise<void> {
  await Promise.all(directoriesOf(hierarchies, cgroupParent, id).map(removeCgroup));
}

/** Removes the cgroups above the containers', once there is no container any more. */
export async function removeCgroupParents(hierarchies: CgroupHierarchies, cgroupParent: string): Promise<void> {
  await Promise.all(
    directoriesOf(hierarchies, cgroupParent).map(async (parent) => {
      if (await hasOthers(parent)) return;
      await removeWhenLeft(join(parent, monitors));
      await removeWhenLeft(parent);
    }),
  );
}

/** Containers of another root that is kept below the same parent. */
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
    try {
      await rmdir(directory);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') return;
      await killAll(directory);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }
}

/** cgroup.kill where the kernel has it (v2, 5.14), else one by one. */
async function killAll(directory: string): Promise<void> {
  try {
    await writeFile(join(directory, 'cgroup.kill'), '1', {flag: 'r+'});
    return;
  } catch {
    // A v1 hierarchy.
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
}
