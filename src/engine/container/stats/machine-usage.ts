import {ticksPerSecond} from './cgroup-usage.ts';
import {readKernelFile} from './read.ts';

export interface MachineUsage {
  /** Nanoseconds that all processors together have counted, idle or not: the wall clock times their number. */
  readonly system_cpu_usage: number;
  readonly online_cpus: number;
}

/** The sums of /proc/stat (proc_stat(5)). */
export function readMachineUsage(text = readKernelFile('/proc/stat')): MachineUsage {
  const [total = ''] = text.split('\n', 1);
  // User, nice, system, idle, iowait, irq, softirq, steal; guest time is in user time already. What the hypervisor took
  // away belongs to the clock: without it, containers of a crowded machine seem to use more than they do.
  const counted = total.trim().split(/\s+/).slice(1, 9);
  const ticks = counted.reduce((sum, field) => sum + Number(field), 0);
  return {
    system_cpu_usage: (ticks * 1e9) / ticksPerSecond,
    online_cpus: text.match(/^cpu\d+ /gm)?.length ?? 0,
  };
}

/** Bytes of memory (proc_meminfo(5)). */
export function readMachineMemory(text = readKernelFile('/proc/meminfo')): number {
  return Number(/^MemTotal:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}
