import {membersOf, type Run} from '../members.ts';
import {type CgroupUsage, ticksPerSecond} from './cgroup-usage.ts';
import {readKernelFile} from './read.ts';

const nanosecondsPerTick = 1e9 / ticksPerSecond;
const pageSize = 4096;

/**
 * What the processes of a container without a cgroup use: their processor time and their own memory, without the cache of
 * files. What a process has used that nobody waited for is forgotten with it; of blocks nothing is known.
 */
export function readProcessUsage(run: Run, machineMemory: number): CgroupUsage {
  const members = membersOf(run);
  const sum = (of: (member: (typeof members)[number]) => number) => members.reduce((total, one) => total + of(one), 0);
  const user = sum(({userTicks}) => userTicks) * nanosecondsPerTick;
  const system = sum(({systemTicks}) => systemTicks) * nanosecondsPerTick;
  return {
    cpu: {
      cpu_usage: {total_usage: user + system, usage_in_kernelmode: system, usage_in_usermode: user},
      throttling_data: {periods: 0, throttled_periods: 0, throttled_time: 0},
    },
    memory: {usage: sum(({pid}) => ownMemory(pid)), stats: {}, limit: machineMemory},
    pids: {current: sum(({threads}) => threads)},
    serviceBytes: [],
    serviced: [],
  };
}

/** Resident pages that are shared with no file: the second field of statm less the third (proc_pid_statm(5)). */
function ownMemory(pid: number): number {
  const [, resident = 0, shared = 0] = readKernelFile(`/proc/${pid}/statm`).split(' ').map(Number);
  return Math.max(resident - shared, 0) * pageSize;
}
