import {describe, expect, it} from 'vitest';
import type {HostConfig} from '../../../src/api/types/container.ts';
import {cgroupPlace} from '../../../src/engine/container/cgroup-place.ts';
import {planCgroups} from '../../../src/engine/container/cgroups.ts';
import {deviceRules} from '../../../src/engine/container/device-rules.ts';
import type {Machine} from '../../../src/engine/container/machine.ts';
import {planLimitChange, planLimits} from '../../../src/engine/container/plan-limits.ts';
import {machineOf, machines, v1Mounts, v2Mount} from './machines.ts';

const disks = new Map([
  ['/dev/sda', '8:0'],
  ['/dev/vda', '254:0'],
]);
const place = {cgroupParent: 'p', id: 'c'};

function plan(machine: Machine, host: HostConfig, rules: readonly string[] | 'every' = deviceRules): string[] {
  const request = {machine, ours: 'p', place: cgroupPlace('p', {id: 'c', hostConfig: host}), host, disks};
  return planCgroups({...request, deviceRules: rules === 'every' ? undefined : rules}).map((operation) => {
    if (operation.kind === 'cgroupWrite') return show(operation);
    return 'path' in operation ? `${operation.kind} ${operation.path}` : operation.kind;
  });
}

function show({path, value, optional}: {readonly path: unknown; readonly value: unknown; readonly optional: unknown}) {
  return `${path} = ${value}${optional ? ' (optional)' : ''}`;
}

/** Only the limits, with their files relative to the mount points' parent. */
function limitsOf(machine: Machine, host: HostConfig): string[] {
  return planLimits(machine, place, host, disks).map((write) => show(write).slice('/sys/fs/cgroup/'.length));
}

const usual: HostConfig = {Memory: 100e6, MemoryReservation: 50e6, NanoCpus: 1.5e9, CpuShares: 512, PidsLimit: 10};
const blocks: HostConfig = {
  BlkioWeight: 300,
  BlkioWeightDevice: [{Path: '/dev/sda', Weight: 1000}],
  BlkioDeviceReadBps: [{Path: '/dev/sda', Rate: 1 << 20}],
  BlkioDeviceReadIOps: [{Path: '/dev/vda', Rate: 100}],
  BlkioDeviceWriteBps: [{Path: '/dev/vda', Rate: 0}],
  BlkioDeviceWriteIOps: [
    {Path: '/dev/sda', Rate: 5},
    {Path: '/dev/vda', Rate: 6},
  ],
};

describe('limits of version 1', () => {
  it('are written to their hierarchies', () => {
    const operations = plan(machineOf(v1Mounts, {own: ['/sys/fs/cgroup/systemd']}), usual);
    expect(operations.filter((line) => line.startsWith('monitorCgroup'))).toEqual([
      'monitorCgroup /sys/fs/cgroup/systemd/p/monitors',
    ]);
    expect(operations.filter((line) => line.startsWith('cgroup '))).toHaveLength(7);
    expect(operations).toEqual(
      expect.arrayContaining([
        '/sys/fs/cgroup/my memory/p/c/memory.limit_in_bytes = 100000000',
        '/sys/fs/cgroup/my memory/p/c/memory.memsw.limit_in_bytes = 200000000 (optional)',
        '/sys/fs/cgroup/my memory/p/c/memory.soft_limit_in_bytes = 50000000',
        '/sys/fs/cgroup/cpu,cpuacct/p/c/cpu.shares = 512',
        '/sys/fs/cgroup/cpu,cpuacct/p/c/cpu.cfs_period_us = 100000',
        '/sys/fs/cgroup/cpu,cpuacct/p/c/cpu.cfs_quota_us = 150000',
        '/sys/fs/cgroup/pids/p/c/pids.max = 10',
        '/sys/fs/cgroup/devices/p/c/devices.deny = a',
        '/sys/fs/cgroup/devices/p/c/devices.allow = c 1:3 rwm',
      ]),
    );
    expect(operations.some((line) => line.startsWith('cgroupDevices'))).toBe(false);
  });

  it('of processors, real-time, swapping and running out of memory', () => {
    expect(
      limitsOf(machines.v1, {
        CpusetCpus: '0-1',
        CpusetMems: '0',
        CpuRealtimePeriod: 1_000_000,
        CpuRealtimeRuntime: 5000,
        MemorySwappiness: 0,
        OomKillDisable: true,
      }),
    ).toEqual([
      'my memory/p/c/memory.swappiness = 0',
      'my memory/p/c/memory.oom_control = 1',
      'cpu,cpuacct/p/c/cpu.rt_period_us = 1000000',
      'cpu,cpuacct/p/c/cpu.rt_runtime_us = 5000',
      'cpuset/p/c/cpuset.cpus = 0-1',
      'cpuset/p/c/cpuset.mems = 0',
    ]);
  });

  it('of input and output', () => {
    expect(limitsOf(machines.v1, blocks)).toEqual([
      'blkio/p/c/blkio.bfq.weight = 300',
      'blkio/p/c/blkio.bfq.weight_device = 8:0 1000',
      'blkio/p/c/blkio.throttle.read_bps_device = 8:0 1048576',
      'blkio/p/c/blkio.throttle.read_iops_device = 254:0 100',
      'blkio/p/c/blkio.throttle.write_bps_device = 254:0 0',
      'blkio/p/c/blkio.throttle.write_iops_device = 8:0 5',
      'blkio/p/c/blkio.throttle.write_iops_device = 254:0 6',
    ]);
  });
});

describe('limits of version 2', () => {
  it('are written to its files, with the controllers switched on above', () => {
    expect(plan(machines.v2, {...usual, MemorySwap: -1})).toEqual([
      'cgroup /sys/fs/cgroup/unified/p/c',
      ...['', '/p'].flatMap((level) =>
        ['cpu', 'cpuset', 'io', 'memory', 'pids'].map(
          (name) => `/sys/fs/cgroup/unified${level}/cgroup.subtree_control = +${name} (optional)`,
        ),
      ),
      '/sys/fs/cgroup/unified/p/c/memory.max = 100000000',
      '/sys/fs/cgroup/unified/p/c/memory.swap.max = max (optional)',
      '/sys/fs/cgroup/unified/p/c/memory.low = 50000000',
      '/sys/fs/cgroup/unified/p/c/cpu.weight = 20',
      '/sys/fs/cgroup/unified/p/c/cpu.max = 150000 100000',
      '/sys/fs/cgroup/unified/p/c/pids.max = 10',
      'cgroupDevices /sys/fs/cgroup/unified/p/c',
    ]);
  });

  it('of processors, input and output', () => {
    const host = {...blocks, CpusetCpus: '1', CpusetMems: '0'};
    expect(limitsOf(machines.v2, host)).toEqual([
      'unified/p/c/cpuset.cpus = 1',
      'unified/p/c/cpuset.mems = 0',
      'unified/p/c/io.weight = default 2930',
      'unified/p/c/io.bfq.weight = default 300 (optional)',
      'unified/p/c/io.weight = 8:0 10000',
      'unified/p/c/io.bfq.weight = 8:0 1000 (optional)',
      'unified/p/c/io.max = 8:0 rbps=1048576',
      'unified/p/c/io.max = 254:0 riops=100',
      'unified/p/c/io.max = 254:0 wbps=max',
      'unified/p/c/io.max = 8:0 wiops=5',
      'unified/p/c/io.max = 254:0 wiops=6',
    ]);
    // Without the cost model the scheduler's weight is the only one there is.
    expect(limitsOf(machines.v2WithoutCost, {BlkioWeight: 300})).toEqual(['unified/p/c/io.bfq.weight = default 300']);
  });

  it('that it does not know are refused by name', () => {
    const refused = [
      [{MemorySwappiness: 0}, 'cannot set HostConfig.MemorySwappiness: cgroups of version 2 have no swappiness'],
      [{OomKillDisable: true}, 'cannot set HostConfig.OomKillDisable: cgroups of version 2 cannot be kept from'],
      [{CpuRealtimePeriod: 1000}, 'cannot set HostConfig.CpuRealtimePeriod: cgroups of version 2 do not share out'],
      [{CpuRealtimeRuntime: 1000}, 'cannot set HostConfig.CpuRealtimeRuntime: cgroups of version 2 do not share out'],
    ] as const satisfies readonly (readonly [HostConfig, string])[];
    for (const [host, message] of refused) expect(() => plan(machines.v2, host)).toThrow(message);
    expect(limitsOf(machines.v2, {MemorySwappiness: -1, OomKillDisable: false, PidsLimit: -1})).toEqual([]);
  });
});

describe('limits in a hybrid', () => {
  it('are version 1’s, and the container is in the version 2 hierarchy all the same', () => {
    const operations = plan(machines.hybrid, {...usual, ...blocks, CpusetCpus: '0'});
    expect(operations).toContain('cgroup /sys/fs/cgroup/unified/p/c');
    expect(operations).toContain('/sys/fs/cgroup/cpuset/p/c/cpuset.cpus = 0');
    expect(operations.filter((line) => line.startsWith('/sys/fs/cgroup/unified/'))).toEqual([]);
  });

  it('are written where each controller is', () => {
    const mounts = v1Mounts.replace(/^.* rw,memory\n/m, '') + v2Mount;
    const machine = machineOf(mounts, {controllers: ['memory']});
    expect(limitsOf(machine, {Memory: 100e6, CpuShares: 512})).toEqual([
      'cpu,cpuacct/p/c/cpu.shares = 512',
      'unified/p/c/memory.max = 100000000',
      'unified/p/c/memory.swap.max = 100000000 (optional)',
    ]);
  });
});

it('limits that the kernel cannot keep are refused by name', () => {
  const without = (controller: string) => machineOf(v1Mounts.replace(`,${controller}\n`, ',gone\n'));
  expect(() => plan(without('memory'), usual)).toThrow(
    'cannot set HostConfig.Memory: the kernel has no cgroup controller "memory"',
  );
  expect(() => plan(without('blkio'), blocks)).toThrow(
    'cannot set HostConfig.BlkioWeight: the kernel has no cgroup controller "io"',
  );
  expect(() => plan(machineOf(v2Mount, {controllers: ['cpu']}), {CpusetMems: '0'})).toThrow(
    'cannot set HostConfig.CpusetMems: the kernel has no cgroup controller "cpuset"',
  );
  expect(() => plan(machineOf(v1Mounts, {files: []}), {CpuRealtimeRuntime: 5})).toThrow(
    'cannot set HostConfig.CpuRealtimeRuntime: the kernel was built without cpu.rt_runtime_us',
  );
  expect(() => plan(without('devices'), {})).toThrow('the kernel has no cgroup controller "devices"');
});

describe('a cgroup parent', () => {
  it('begins at the top of the hierarchies, and leads out of none', () => {
    const parentOf = (own: string) => cgroupPlace('ours', {id: 'c', hostConfig: {CgroupParent: own}}).cgroupParent;
    expect(['', '/a/b/', 'a//b', '../../a', '/a/../b', '/', '/a.slice'].map(parentOf)).toEqual([
      'ours',
      'a/b',
      'a/b',
      'a',
      'b',
      '',
      'a.slice',
    ]);
  });

  it('is where the container is, and its monitor is not', () => {
    const machine = machineOf(v1Mounts + v2Mount, {controllers: ['hugetlb'], own: ['/sys/fs/cgroup/pids']});
    const operations = plan(machine, {CgroupParent: '/a/b', PidsLimit: 5});
    expect(operations).toContain('monitorCgroup /sys/fs/cgroup/pids/p/monitors');
    expect(operations).toContain('cgroup /sys/fs/cgroup/pids/a/b/c');
    expect(operations).toContain('/sys/fs/cgroup/pids/a/b/c/pids.max = 5');
  });

  it('of version 2 gets its controllers from the top', () => {
    const operations = plan(machineOf(v2Mount, {controllers: ['pids']}), {CgroupParent: 'a/b'});
    expect(operations.filter((line) => line.includes('subtree'))).toEqual(
      ['', '/a', '/a/b'].map((level) => `/sys/fs/cgroup/unified${level}/cgroup.subtree_control = +pids (optional)`),
    );
  });
});

describe('a change of limits', () => {
  const change = (machine: Machine, before: HostConfig, after: HostConfig) =>
    planLimitChange(machine, place, {before, after}).map((write) => show(write).replace(/^.*\/p\/c\//, ''));

  it('writes what changes, and nothing else', () => {
    const before = {...usual, ...blocks, CpusetCpus: '0'};
    expect(change(machines.v1, before, {...before, CpusetCpus: '1', PidsLimit: 20})).toEqual([
      'cpuset.cpus = 1',
      'pids.max = 20',
    ]);
    expect(change(machines.v2, before, {...before, NanoCpus: 1e9})).toEqual(['cpu.max = 100000 100000']);
    expect(change(machines.v1, before, before)).toEqual([]);
  });

  it('takes limits away', () => {
    for (const machine of [machines.v1, machines.v2]) {
      expect(change(machine, {PidsLimit: 5}, {PidsLimit: 0})).toEqual(['pids.max = max']);
    }
    expect(change(machines.v1, {CpuQuota: 5000}, {CpuQuota: -1})).toEqual(['cpu.cfs_quota_us = -1']);
    expect(change(machines.v2, {CpuQuota: 5000}, {CpuQuota: -1})).toEqual(['cpu.max = max 100000']);
  });

  it('of version 1 never has memory alone above memory with swap', () => {
    const memory = (Memory: number, MemorySwap: number) => ({Memory, MemorySwap});
    expect(change(machines.v1, memory(100e6, 200e6), memory(300e6, 400e6))).toEqual([
      'memory.memsw.limit_in_bytes = 400000000 (optional)',
      'memory.limit_in_bytes = 300000000',
    ]);
    expect(change(machines.v1, memory(100e6, 200e6), memory(300e6, -1))).toEqual([
      'memory.memsw.limit_in_bytes = -1 (optional)',
      'memory.limit_in_bytes = 300000000',
    ]);
    expect(change(machines.v1, memory(100e6, 200e6), memory(50e6, 60e6))).toEqual([
      'memory.limit_in_bytes = 50000000',
      'memory.memsw.limit_in_bytes = 60000000 (optional)',
    ]);
    expect(change(machines.v1, {}, memory(50e6, 60e6))).toEqual([
      'memory.limit_in_bytes = 50000000',
      'memory.memsw.limit_in_bytes = 60000000 (optional)',
    ]);
    expect(change(machines.v2, memory(100e6, 200e6), memory(150e6, 200e6))).toEqual([
      'memory.max = 150000000',
      'memory.swap.max = 50000000 (optional)',
    ]);
  });

  it('of version 1 never has more real-time than its period', () => {
    const realTime = (CpuRealtimePeriod: number, CpuRealtimeRuntime: number) => ({
      CpuRealtimePeriod,
      CpuRealtimeRuntime,
    });
    expect(change(machines.v1, realTime(100_000, 90_000), realTime(50_000, 10_000))).toEqual([
      'cpu.rt_runtime_us = 10000',
      'cpu.rt_period_us = 50000',
    ]);
    expect(change(machines.v1, realTime(50_000, 10_000), realTime(100_000, 90_000))).toEqual([
      'cpu.rt_period_us = 100000',
      'cpu.rt_runtime_us = 90000',
    ]);
  });
});

describe('limits on devices', () => {
  const limitsOnDevices = (machine: Machine, rules: readonly string[] | 'every') =>
    plan(machine, {}, rules).filter((line) => line.includes('/devices.') || line.startsWith('cgroupDevices'));

  it('are none where every device may be used', () => {
    for (const machine of [machines.v1, machines.v2]) {
      expect(limitsOnDevices(machine, 'every')).toEqual([]);
      expect(limitsOnDevices(machine, deviceRules)).not.toEqual([]);
    }
  });

  it('of both types are two lines of version 1, where a line for both would allow everything', () => {
    expect(limitsOnDevices(machines.v1, ['a 7:* r']).slice(1)).toEqual([
      '/sys/fs/cgroup/devices/p/c/devices.allow = c 7:* r',
      '/sys/fs/cgroup/devices/p/c/devices.allow = b 7:* r',
    ]);
  });
});
