import {expect, test} from 'vitest';
import type {ContainerStats, CpuStats} from '../../src/api/types/stats.ts';
import {usageOf} from '../../src/report/container-usage.ts';

const interfaceOf = (rx: number, tx: number) => ({
  ...{rx_bytes: rx, rx_packets: 0, rx_errors: 0, rx_dropped: 0},
  ...{tx_bytes: tx, tx_packets: 0, tx_errors: 0, tx_dropped: 0},
});

function cpu(own: number, machine: number): CpuStats {
  return {
    cpu_usage: {total_usage: own, usage_in_kernelmode: 0, usage_in_usermode: 0},
    system_cpu_usage: machine,
    online_cpus: 4,
    throttling_data: {periods: 0, throttled_periods: 0, throttled_time: 0},
  };
}

function sample(parts: Partial<ContainerStats>): ContainerStats {
  return {
    memory_stats: {usage: 1000, limit: 4000},
    pids_stats: {current: 3},
    blkio_stats: {io_service_bytes_recursive: null},
    cpu_stats: cpu(0, 0),
    ...parts,
  } as ContainerStats;
}

test('processor time is the share of the machine that was used between two samples', () => {
  const before = sample({cpu_stats: cpu(1e9, 100e9)});
  const now = sample({cpu_stats: cpu(2e9, 108e9)});
  expect(usageOf(now, before)?.cpuPercent).toBe(50);
  expect(usageOf(now, undefined)?.cpuPercent).toBeUndefined();
  // It was started again: it has used less than before.
  expect(usageOf(before, now)?.cpuPercent).toBe(0);
  const {system_cpu_usage: _, ...unmeasured} = cpu(0, 0);
  expect(usageOf(now, sample({cpu_stats: unmeasured}))?.cpuPercent).toBeUndefined();
});

test.each([
  ['cgroup v1', {total_inactive_file: 300, inactive_file: 1}, 700],
  ['cgroup v2', {inactive_file: 300}, 700],
  ['more to drop than there is', {inactive_file: 1001}, 1000],
  ['nothing known', {}, 1000],
])('memory that the kernel may drop does not count: %s', (_name, stats, memory) => {
  expect(usageOf(sample({memory_stats: {usage: 1000, limit: 4000, stats}}), undefined)?.memory).toBe(memory);
});

test('network and disk are added up', () => {
  const blocks = (op: string, value: number) => ({major: 8, minor: 0, op, value});
  const usage = usageOf(
    sample({
      networks: {eth0: interfaceOf(1, 10), eth1: interfaceOf(2, 20)},
      blkio_stats: {
        ...sample({}).blkio_stats,
        io_service_bytes_recursive: [blocks('Read', 5), blocks('Write', 50), blocks('read', 6), blocks('Sync', 7)],
      },
    }),
    undefined,
  );
  expect(usage).toMatchObject({received: 3, sent: 30, read: 11, written: 50, processes: 3, memoryLimit: 4000});
});

test('a container that does not run uses nothing that could be told', () => {
  expect(usageOf(sample({memory_stats: {}}), undefined)).toBeUndefined();
});
