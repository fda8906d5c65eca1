import type {BlockIoEntry, CpuStats, MemoryStats} from '../../../api/types/stats.ts';
import type {CgroupHierarchies} from '../cgroup-hierarchies.ts';
import {readKernelFile, readNumber, readPairs} from './read.ts';

/** What the cgroups of a container have counted. */
export interface CgroupUsage {
  readonly cpu: Pick<CpuStats, 'cpu_usage' | 'throttling_data'>;
  readonly memory: MemoryStats;
  readonly pids: {readonly current?: number; readonly limit?: number};
  readonly serviceBytes: readonly BlockIoEntry[];
  readonly serviced: readonly BlockIoEntry[];
}

/** User ticks a second, as every architecture of Linux counts them for programs (USER_HZ). */
export const ticksPerSecond = 100;
const nanosecondsPerTick = 1e9 / ticksPerSecond;

interface Place {
  readonly hierarchies: CgroupHierarchies;
  /** Of the container, below each mount point. */
  readonly path: string;
  /** Memory of the machine, bytes: the limit of a container without one. */
  readonly machineMemory: number;
}

/**
 * Reads each controller where it is: in a hierarchy of its own (v1, hybrid), else in the common one (v2). Kernel
 * documentation: admin-guide/cgroup-v1 and admin-guide/cgroup-v2.
 */
export function readCgroupUsage({hierarchies: {v1, v2}, path, machineMemory}: Place): CgroupUsage {
  const own = (controller: string) => {
    const mount = v1.find(({controllers}) => controllers.includes(controller))?.mount;
    return mount === undefined ? undefined : `${mount}/${path}`;
  };
  const common = v2 === undefined ? undefined : `${v2.mount}/${path}`;
  const [accounting, memory, blocks] = [own('cpuacct'), own('memory'), own('blkio')];
  return {
    cpu: accounting === undefined ? readCpuV2(common) : readCpuV1(accounting, own('cpu')),
    memory: memory === undefined ? readMemoryV2(common, machineMemory) : readMemoryV1(memory, machineMemory),
    pids: readPids(own('pids') ?? common),
    serviceBytes: blocks === undefined ? readIoV2(common) : readIoV1(blocks, 'io_service_bytes'),
    serviced: blocks === undefined ? [] : readIoV1(blocks, 'io_serviced'),
  };
}

function readCpuV1(accounting: string, cpu: string | undefined): CgroupUsage['cpu'] {
  const modes = readPairs(`${accounting}/cpuacct.stat`);
  const throttling = cpu === undefined ? {} : readPairs(`${cpu}/cpu.stat`);
  return {
    cpu_usage: {
      total_usage: readNumber(`${accounting}/cpuacct.usage`) ?? 0,
      percpu_usage: readKernelFile(`${accounting}/cpuacct.usage_percpu`).trim().split(/\s+/).map(Number),
      usage_in_kernelmode: (modes['system'] ?? 0) * nanosecondsPerTick,
      usage_in_usermode: (modes['user'] ?? 0) * nanosecondsPerTick,
    },
    throttling_data: {
      periods: throttling['nr_periods'] ?? 0,
      throttled_periods: throttling['nr_throttled'] ?? 0,
      throttled_time: throttling['throttled_time'] ?? 0,
    },
  };
}

function readCpuV2(directory: string | undefined): CgroupUsage['cpu'] {
  // In microseconds.
  const stat = directory === undefined ? {} : readPairs(`${directory}/cpu.stat`);
  return {
    cpu_usage: {
      total_usage: (stat['usage_usec'] ?? 0) * 1000,
      usage_in_kernelmode: (stat['system_usec'] ?? 0) * 1000,
      usage_in_usermode: (stat['user_usec'] ?? 0) * 1000,
    },
    throttling_data: {
      periods: stat['nr_periods'] ?? 0,
      throttled_periods: stat['nr_throttled'] ?? 0,
      throttled_time: (stat['throttled_usec'] ?? 0) * 1000,
    },
  };
}

function readMemoryV1(directory: string, machineMemory: number): MemoryStats {
  const failures = readNumber(`${directory}/memory.failcnt`) ?? 0;
  return {
    usage: readNumber(`${directory}/memory.usage_in_bytes`) ?? 0,
    max_usage: readNumber(`${directory}/memory.max_usage_in_bytes`) ?? 0,
    stats: readPairs(`${directory}/memory.stat`),
    ...(failures > 0 && {failcnt: failures}),
    // No limit is a huge one here.
    limit: Math.min(readNumber(`${directory}/memory.limit_in_bytes`) ?? machineMemory, machineMemory),
  };
}

function readMemoryV2(directory: string | undefined, machineMemory: number): MemoryStats {
  if (directory === undefined) return {limit: machineMemory};
  const failures = readPairs(`${directory}/memory.events`)['oom'] ?? 0;
  return {
    usage: readNumber(`${directory}/memory.current`) ?? 0,
    stats: readPairs(`${directory}/memory.stat`),
    ...(failures > 0 && {failcnt: failures}),
    limit: Math.min(readNumber(`${directory}/memory.max`) ?? machineMemory, machineMemory),
  };
}

function readPids(directory: string | undefined): CgroupUsage['pids'] {
  if (directory === undefined) return {};
  const current = readNumber(`${directory}/pids.current`);
  const limit = readNumber(`${directory}/pids.max`);
  return {...(current !== undefined && {current}), ...(limit !== undefined && {limit})};
}

/** `8:0 Read 4096` a line. A kernel without throttling counts in the files of the BFQ scheduler, for its disks. */
function readIoV1(directory: string, what: string): readonly BlockIoEntry[] {
  const text =
    readKernelFile(`${directory}/blkio.throttle.${what}_recursive`) ||
    readKernelFile(`${directory}/blkio.bfq.${what}_recursive`);
  return text.split('\n').flatMap((line): BlockIoEntry[] => {
    const [, major, minor, op, value] = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line) ?? [];
    return op === undefined ? [] : [{major: Number(major), minor: Number(minor), op, value: Number(value)}];
  });
}

/** `8:0 rbytes=4096 wbytes=0 rios=1 …` a line. */
function readIoV2(directory: string | undefined): readonly BlockIoEntry[] {
  if (directory === undefined) return [];
  return readKernelFile(`${directory}/io.stat`)
    .split('\n')
    .flatMap((line): BlockIoEntry[] => {
      const [, major, minor, read, write] = /^(\d+):(\d+) rbytes=(\d+) wbytes=(\d+)/.exec(line) ?? [];
      if (write === undefined) return [];
      const device = {major: Number(major), minor: Number(minor)};
      return [
        {...device, op: 'read', value: Number(read)},
        {...device, op: 'write', value: Number(write)},
      ];
    });
}
