import {readdirSync} from 'node:fs';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import type {HostConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {CgroupHierarchies} from './cgroup-hierarchies.ts';
import type {Controller} from './limit-write.ts';
import type {Machine} from './machine.ts';
import {readKernelFile} from './stats/read.ts';

/** Which limits the running kernel can keep. */
export interface LimitSupport {
  /** Controllers of the version 2 hierarchy. */
  readonly controllers: ReadonlySet<string>;
  /** Names of the files at the top of the hierarchies: what the kernel was built without has none. */
  readonly files: ReadonlySet<string>;
  /** Processors and memory nodes of the machine, as lists (`0-3`). */
  readonly cpus: string;
  readonly mems: string;
  readonly processors: number;
}

export function readLimitSupport({v1, v2}: CgroupHierarchies): LimitSupport {
  const cpuset = v1.find(({controllers}) => controllers.includes('cpuset'))?.mount;
  const list = (name: string) =>
    cpuset !== undefined
      ? readKernelFile(join(cpuset, `cpuset.${name}`)).trim()
      : v2 === undefined
        ? ''
        : readKernelFile(join(v2.mount, `cpuset.${name}.effective`)).trim();
  return {
    controllers: new Set(v2 && (readKernelFile(join(v2.mount, 'cgroup.controllers')).match(/\S+/g) ?? [])),
    files: new Set([...v1, ...(v2 ? [v2] : [])].flatMap(({mount}) => namesIn(mount))),
    cpus: list('cpus'),
    mems: list('mems'),
    processors: availableParallelism(),
  };
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    // A mount that is hidden from us: what is asked for from there is refused.
    return [];
  }
}

/** Where a controller is: in a version 1 hierarchy, else in the common one of version 2. */
export interface ControllerPlace {
  readonly version: 1 | 2;
  readonly mount: string;
}

export function findController(
  {cgroups: {v1, v2}, limits}: {readonly cgroups: CgroupHierarchies; readonly limits: LimitSupport},
  controller: Controller,
): ControllerPlace | undefined {
  const name = controller === 'io' ? 'blkio' : controller;
  const mount = v1.find(({controllers}) => controllers.includes(name))?.mount;
  if (mount !== undefined) return {version: 1, mount};
  return v2 !== undefined && limits.controllers.has(controller) ? {version: 2, mount: v2.mount} : undefined;
}

interface Need {
  readonly controller: Controller;
  /** A file at the top of the version 1 hierarchy that is there where the kernel can do it. */
  readonly fileV1?: string;
  /** Why version 2 cannot. */
  readonly notV2?: string;
}

const rate: Need = {controller: 'io', fileV1: 'blkio.throttle.read_bps_device'};
const weight: Need = {controller: 'io', fileV1: 'blkio.bfq.io_service_bytes'};
const realTime: Need = {
  controller: 'cpu',
  fileV1: 'cpu.rt_runtime_us',
  notV2: 'cgroups of version 2 do not share out real-time',
};

/** What each member of a host configuration needs of the kernel. */
const needs = {
  Memory: {controller: 'memory'},
  MemoryReservation: {controller: 'memory'},
  MemorySwappiness: {
    controller: 'memory',
    fileV1: 'memory.swappiness',
    notV2: 'cgroups of version 2 have no swappiness of their own',
  },
  OomKillDisable: {
    controller: 'memory',
    fileV1: 'memory.oom_control',
    notV2: 'cgroups of version 2 cannot be kept from running out of memory',
  },
  NanoCpus: {controller: 'cpu'},
  CpuShares: {controller: 'cpu'},
  CpuPeriod: {controller: 'cpu'},
  CpuQuota: {controller: 'cpu'},
  CpuRealtimePeriod: realTime,
  CpuRealtimeRuntime: realTime,
  CpusetCpus: {controller: 'cpuset'},
  CpusetMems: {controller: 'cpuset'},
  PidsLimit: {controller: 'pids'},
  BlkioWeight: weight,
  BlkioWeightDevice: weight,
  BlkioDeviceReadBps: rate,
  BlkioDeviceReadIOps: rate,
  BlkioDeviceWriteBps: rate,
  BlkioDeviceWriteIOps: rate,
} as const satisfies Partial<Record<keyof HostConfig, Need>>;

type LimitMachine = Pick<Machine, 'cgroups' | 'limits' | 'rootless'>;

/**
 * Refuses by name a limit that the kernel cannot keep: nothing would hold the container to it. Throws `unsupported`, unless
 * the container may do without.
 */
export function refuseMissing(machine: LimitMachine, host: HostConfig): void {
  if (host.TscomposeAllowMissingLimits) return;
  const [missing] = missingLimits(machine, host);
  if (missing === undefined) return;
  const {message, hint} = missing;
  throw new TscomposeError('unsupported', `cannot set ${message}`, {
    hint: `${hint}; or let the container run without it: --allow-missing-limits`,
  });
}

/** The limits that are asked for and that nothing would keep the container to, each with the reason. */
export function missingLimits(
  machine: LimitMachine,
  host: HostConfig,
): readonly {readonly message: string; readonly hint: string}[] {
  const missing: {readonly message: string; readonly hint: string}[] = [];
  for (const [member, need] of Object.entries(needs) as readonly [keyof typeof needs, Need][]) {
    if (!asksFor(member, host)) continue;
    const place = findController(machine, need.controller);
    const reason =
      place === undefined
        ? machine.rootless
          ? `this user was given no cgroup controller "${need.controller}"`
          : `the kernel has no cgroup controller "${need.controller}"`
        : place.version === 2
          ? need.notV2
          : need.fileV1 === undefined || machine.limits.files.has(need.fileV1)
            ? undefined
            : `the kernel was built without ${need.fileV1}`;
    if (reason === undefined) continue;
    missing.push({
      message: `HostConfig.${member}: ${reason}`,
      hint:
        place !== undefined
          ? 'remove the limit'
          : machine.rootless
            ? 'run "tscompose doctor" to see how to get one, or remove the limit'
            : `mount the "${need.controller}" controller, or remove the limit`,
    });
  }
  return missing;
}

function asksFor(member: keyof typeof needs, host: HostConfig): boolean {
  const value = host[member];
  // 0 is a swappiness, and -1 the kernel's own; of processes and memory it is no limit.
  if (member === 'MemorySwappiness') return typeof value === 'number' && value !== -1;
  if (member === 'PidsLimit' || member === 'MemoryReservation') return typeof value === 'number' && value > 0;
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}
