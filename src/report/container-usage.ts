import type {ContainerStats} from '../api/types/stats.ts';

/** What a container uses, from one sample or the difference of two. Bytes unless said otherwise. */
export interface ContainerUsage {
  /** Of one processor: 200 are two of them. Undefined for the first sample: processor time is told as a difference. */
  readonly cpuPercent: number | undefined;
  readonly memory: number;
  /** Its own limit, else the machine's memory. */
  readonly memoryLimit: number;
  readonly received: number;
  readonly sent: number;
  readonly read: number;
  readonly written: number;
  readonly processes: number;
}

/** As Docker's command line computes it. Undefined for a container that does not run. */
export function usageOf(now: ContainerStats, before: ContainerStats | undefined): ContainerUsage | undefined {
  const {usage, limit = 0, stats = {}} = now.memory_stats;
  if (usage === undefined) return undefined;
  const interfaces = Object.values(now.networks ?? {});
  return {
    cpuPercent: cpuPercentOf(now, before),
    memory: withoutReclaimable(usage, stats),
    memoryLimit: limit,
    received: sum(interfaces.map(({rx_bytes}) => rx_bytes)),
    sent: sum(interfaces.map(({tx_bytes}) => tx_bytes)),
    read: blockBytes(now, 'read'),
    written: blockBytes(now, 'write'),
    processes: now.pids_stats.current ?? 0,
  };
}

function cpuPercentOf({cpu_stats: now}: ContainerStats, before: ContainerStats | undefined): number | undefined {
  const earlier = before?.cpu_stats;
  // Nothing was measured before it ran.
  if (earlier?.system_cpu_usage === undefined) return undefined;
  const machine = (now.system_cpu_usage ?? 0) - earlier.system_cpu_usage;
  const own = now.cpu_usage.total_usage - earlier.cpu_usage.total_usage;
  return machine > 0 && own > 0 ? (own / machine) * (now.online_cpus ?? 1) * 100 : 0;
}

/** What the kernel could drop at any time is no use of memory. */
function withoutReclaimable(usage: number, stats: Readonly<Record<string, number>>): number {
  const reclaimable = stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0;
  return reclaimable < usage ? usage - reclaimable : usage;
}

/** `Read` on cgroup v1, `read` on v2. */
function blockBytes({blkio_stats}: ContainerStats, wanted: 'read' | 'write'): number {
  const entries = blkio_stats.io_service_bytes_recursive ?? [];
  return sum(entries.filter(({op}) => op.toLowerCase() === wanted).map(({value}) => value));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
