import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {readCgroupUsage} from '../../../../src/engine/container/stats/cgroup-usage.ts';
import {readMachineMemory, readMachineUsage} from '../../../../src/engine/container/stats/machine-usage.ts';
import {readNetworkUsage} from '../../../../src/engine/container/stats/network-usage.ts';
import {eventually} from '../../../support/host.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsc-usage-'));
});
afterEach(() => rmSync(directory, {recursive: true}));

function write(mount: string, files: Readonly<Record<string, string>>): string {
  const own = join(directory, mount, 'parent', 'box');
  mkdirSync(own, {recursive: true});
  for (const [name, text] of Object.entries(files)) writeFileSync(join(own, name), text);
  return join(directory, mount);
}

const machineMemory = 8 * 2 ** 30;
const path = 'parent/box';

describe('what cgroups count', () => {
  const v2Files = {
    'cpu.stat': 'usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 7\nnr_throttled 3\nthrottled_usec 20\n',
    'memory.current': '4096000\n',
    'memory.max': 'max\n',
    'memory.stat': 'anon 100\ninactive_file 4096\n',
    'memory.events': 'low 0\nhigh 0\nmax 2\noom 1\noom_kill 1\n',
    'pids.current': '3\n',
    'pids.max': '50\n',
    'io.stat':
      '8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n254:16 rbytes=1 wbytes=2 rios=1 wios=1 dbytes=0 dios=0\n',
  };

  it('is read from the common hierarchy (v2)', () => {
    const mount = write('unified', v2Files);
    expect(readCgroupUsage({hierarchies: {v1: [], v2: {mount}}, path, machineMemory})).toEqual({
      cpu: {
        cpu_usage: {total_usage: 1_500_000, usage_in_kernelmode: 500_000, usage_in_usermode: 1_000_000},
        throttling_data: {periods: 7, throttled_periods: 3, throttled_time: 20_000},
      },
      memory: {usage: 4_096_000, stats: {anon: 100, inactive_file: 4096}, failcnt: 1, limit: machineMemory},
      pids: {current: 3, limit: 50},
      serviceBytes: [
        {major: 8, minor: 0, op: 'read', value: 4096},
        {major: 8, minor: 0, op: 'write', value: 8192},
        {major: 254, minor: 16, op: 'read', value: 1},
        {major: 254, minor: 16, op: 'write', value: 2},
      ],
      serviced: [],
    });
  });

  it('is read from hierarchies of their own (v1)', () => {
    const cpu = write('cpu,cpuacct', {
      'cpuacct.usage': '3000000\n',
      'cpuacct.usage_percpu': '1000000 2000000 \n',
      'cpuacct.stat': 'user 4\nsystem 2\n',
      'cpu.stat': 'nr_periods 7\nnr_throttled 3\nthrottled_time 9\n',
    });
    const memory = write('memory', {
      'memory.usage_in_bytes': '5000\n',
      'memory.max_usage_in_bytes': '6000\n',
      'memory.limit_in_bytes': '9223372036854771712\n',
      'memory.failcnt': '0\n',
      'memory.stat': 'cache 1\ntotal_inactive_file 2\n',
    });
    const pids = write('pids', {'pids.current': '1\n', 'pids.max': 'max\n'});
    const blkio = write('blkio', {
      'blkio.throttle.io_service_bytes_recursive': '8:0 Read 1\n8:0 Write 2\n8:0 Total 3\nTotal 3\n',
      'blkio.bfq.io_serviced_recursive': '8:0 Read 5\nTotal 5\n',
    });
    const v1 = [
      {mount: cpu, controllers: ['cpu', 'cpuacct']},
      {mount: memory, controllers: ['memory']},
      {mount: pids, controllers: ['pids']},
      {mount: blkio, controllers: ['blkio']},
    ];
    expect(readCgroupUsage({hierarchies: {v1, v2: undefined}, path, machineMemory})).toEqual({
      cpu: {
        cpu_usage: {
          total_usage: 3_000_000,
          percpu_usage: [1_000_000, 2_000_000],
          usage_in_kernelmode: 20_000_000,
          usage_in_usermode: 40_000_000,
        },
        throttling_data: {periods: 7, throttled_periods: 3, throttled_time: 9},
      },
      memory: {usage: 5000, max_usage: 6000, stats: {cache: 1, total_inactive_file: 2}, limit: machineMemory},
      pids: {current: 1},
      serviceBytes: [
        {major: 8, minor: 0, op: 'Read', value: 1},
        {major: 8, minor: 0, op: 'Write', value: 2},
        {major: 8, minor: 0, op: 'Total', value: 3},
      ],
      serviced: [{major: 8, minor: 0, op: 'Read', value: 5}],
    });
  });

  it('is read from where each controller is (hybrid)', () => {
    const pids = write('pids', {'pids.current': '9\n', 'pids.max': '10\n'});
    const unified = write('unified', v2Files);
    const hierarchies = {v1: [{mount: pids, controllers: ['pids']}], v2: {mount: unified}};
    const usage = readCgroupUsage({hierarchies, path, machineMemory});
    expect(usage.pids).toEqual({current: 9, limit: 10});
    expect(usage.cpu.cpu_usage.total_usage).toBe(1_500_000);
    expect(usage.memory.usage).toBe(4_096_000);
  });

  it('is nothing once the container has ended', () => {
    const usage = readCgroupUsage({hierarchies: {v1: [], v2: {mount: directory}}, path, machineMemory});
    expect(usage).toMatchObject({cpu: {cpu_usage: {total_usage: 0}}, memory: {usage: 0}, pids: {}, serviceBytes: []});
  });
});

describe('what the machine counts', () => {
  it('is the wall clock times the processors, with stolen and without guest time', () => {
    const text =
      'cpu  100 10 20 1000 30 1 2 50 7 3\ncpu0 50 5 10 500 15 0 1 25 3 1\ncpu1 50 5 10 500 15 1 1 25 4 2\nintr 1\n';
    expect(readMachineUsage(text)).toEqual({system_cpu_usage: 1213 * 1e7, online_cpus: 2});
  });

  it('goes as fast as the clock', async () => {
    // Measured again where this process stopped between the clock and what is held against it.
    await eventually(async () => {
      const [before, at] = [readMachineUsage(), performance.now()];
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const after = readMachineUsage();
      const counted = (after.system_cpu_usage - before.system_cpu_usage) / after.online_cpus / 1e6;
      const passed = performance.now() - at;
      expect(counted / passed).toBeGreaterThan(0.9);
      expect(counted / passed).toBeLessThan(1.1);
    });
  });

  it('is its memory', () => {
    expect(readMachineMemory('MemTotal:       16384 kB\nMemFree: 1 kB\n')).toBe(16384 * 1024);
  });
});

describe('what interfaces count', () => {
  it('is read without the loopback', () => {
    const text = [
      'Inter-|   Receive                                                |  Transmit',
      ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
      '    lo: 5 5 0 0 0 0 0 0 5 5 0 0 0 0 0 0',
      '  eth0:1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0',
      '',
    ].join('\n');
    expect(readNetworkUsage(1, text)).toEqual({
      eth0: {
        rx_bytes: 1000,
        rx_packets: 10,
        rx_errors: 1,
        rx_dropped: 2,
        tx_bytes: 2000,
        tx_packets: 20,
        tx_errors: 3,
        tx_dropped: 4,
      },
    });
  });
});
