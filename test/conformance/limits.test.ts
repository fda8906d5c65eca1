import {readFileSync, rmdirSync} from 'node:fs';
import {expect, it} from 'vitest';
import type {ContainerInspect, HostConfig} from '../../src/api/types/container.ts';
import {parseHierarchies} from '../../src/engine/container/cgroup-hierarchies.ts';
import {textOf} from './output.ts';
import {describeTargets, type Target} from './targets.ts';

const cgroups = parseHierarchies(readFileSync('/proc/self/mountinfo', 'utf8'));
const hasV1 = cgroups.v1.some(({controllers}) => controllers.includes('cpuset'));
const processors = readFileSync('/sys/devices/system/cpu/online', 'utf8').trim();
const disk = readFileSync('/proc/partitions', 'utf8').match(
  /^\s*\d+\s+\d+\s+\d+\s+((?:[svx]d|nvme\d+n)[a-z0-9]*)$/m,
)?.[1];

/** What the container's own cgroups say, one line a file. */
async function readCgroups(target: Target, host: HostConfig, line: string): Promise<string> {
  const container = await target.run({Cmd: ['sh', '-c', line], HostConfig: {CgroupnsMode: 'private', ...host}});
  expect(await container.wait()).toEqual({StatusCode: 0});
  return (await textOf(await container.logs())).trim();
}

async function inspectCreated(target: Target, host: HostConfig): Promise<ContainerInspect['HostConfig']> {
  return (await (await target.create({HostConfig: host})).inspect()).HostConfig;
}

describeTargets('limits', (target) => {
  it('that are not asked for are told as Docker tells them', async () => {
    expect(await inspectCreated(target, {})).toMatchObject({
      BlkioWeight: 0,
      BlkioWeightDevice: null,
      BlkioDeviceReadBps: null,
      BlkioDeviceReadIOps: null,
      BlkioDeviceWriteBps: null,
      BlkioDeviceWriteIOps: null,
      CgroupParent: '',
      CpuRealtimePeriod: 0,
      CpuRealtimeRuntime: 0,
      CpusetCpus: '',
      CpusetMems: '',
      MemorySwappiness: null,
      PidsLimit: null,
    });
    expect(await inspectCreated(target, {MemorySwappiness: -1, PidsLimit: -1})).toMatchObject({
      MemorySwappiness: null,
      PidsLimit: null,
    });
  });

  it('bind to processors and memory nodes', async () => {
    const host = {CpusetCpus: '0', CpusetMems: '0'};
    expect(await inspectCreated(target, host)).toMatchObject(host);
    const line = 'grep -E "^(Cpus|Mems)_allowed_list" /proc/self/status';
    expect(await readCgroups(target, host, line)).toBe('Cpus_allowed_list:\t0\nMems_allowed_list:\t0');
  });

  it('of processors that are not there are refused', async () => {
    await expect(target.create({HostConfig: {CpusetCpus: '0-8000'}})).rejects.toMatchObject({
      kind: 'invalid',
      message: `Requested CPUs are not available - requested 0-8000, available: ${processors}`,
    });
    await expect(target.create({HostConfig: {CpusetMems: 'x'}})).rejects.toMatchObject({
      kind: 'invalid',
      message: 'Invalid value x for cpuset mems: invalid format: x',
    });
  });

  it.runIf(disk !== undefined)('of input and output hold for a disk', async () => {
    const host: HostConfig = {
      BlkioDeviceReadBps: [{Path: `/dev/${disk}`, Rate: 1 << 20}],
      BlkioDeviceWriteIOps: [{Path: `/dev/${disk}`, Rate: 100}],
    };
    expect(await inspectCreated(target, host)).toMatchObject(host);
    const line = `cat /sys/fs/cgroup/blkio/blkio.throttle.read_bps_device /sys/fs/cgroup/blkio/blkio.throttle.write_iops_device 2>/dev/null || cat /sys/fs/cgroup/io.max`;
    expect(await readCgroups(target, host, line)).toMatch(
      /^\d+:\d+ (?:1048576\n\d+:\d+ 100|rbps=1048576 .*wiops=100)$/,
    );
  });

  it('of a device that is not there are noticed at the start', async () => {
    const container = await target.create({HostConfig: {BlkioDeviceReadBps: [{Path: '/dev/nowhere', Rate: 1}]}});
    await expect(container.start()).rejects.toThrow('stat /dev/nowhere: no such file or directory');
    expect((await container.inspect()).State.Status).toBe('created');
  });

  it.runIf(hasV1)('of version 1: swappiness, and no killing for want of memory', async () => {
    const host: HostConfig = {Memory: 64 << 20, MemorySwappiness: 33, OomKillDisable: true};
    expect(await inspectCreated(target, host)).toMatchObject(host);
    const line = 'cd /sys/fs/cgroup/memory; cat memory.swappiness; grep oom_kill_disable memory.oom_control';
    expect(await readCgroups(target, host, line)).toBe('33\noom_kill_disable 1');
  });
});

describeTargets('cgroups', (target) => {
  it('are below the parent that was asked for', async () => {
    const parent = `/${target.name('parent')}/below`;
    const container = await target.run({HostConfig: {CgroupParent: parent, CgroupnsMode: 'host'}});
    try {
      expect((await container.inspect()).HostConfig).toMatchObject({CgroupParent: parent, CgroupnsMode: 'host'});
      const {pid} = await pidOf(container);
      const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
      expect(lines.filter((line) => !line.endsWith(`:${parent}/${container.id}`))).toEqual([]);
      await container.remove({force: true});
    } finally {
      removeParents(parent);
    }
  });

  it('begin at the container’s own in its own namespace, and at the machine’s in that', async () => {
    const line = 'readlink /proc/self/ns/cgroup; head -n 1 /proc/self/cgroup';
    const machine = (await readCgroups(target, {CgroupnsMode: 'host'}, line)).split('\n');
    const own = (await readCgroups(target, {CgroupnsMode: 'private'}, line)).split('\n');
    expect(own[0]).not.toBe(machine[0]);
    expect(own[1]).toMatch(/:\/$/);
    expect(machine[1]).toMatch(/:\/.*[0-9a-f]{64}$/);
    await expect(target.create({HostConfig: {CgroupnsMode: 'other'}})).rejects.toMatchObject({
      kind: 'invalid',
      message: 'invalid cgroup namespace mode: other',
    });
  });

  it('of the machine’s namespace are the container’s own all the same, and cannot be written to', async () => {
    const lines = [
      'd=/sys/fs/cgroup/pids; test -d $d || d=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)',
      'cat $d/pids.max; echo 5 > $d/pids.max',
    ];
    const script = `{ ${lines.join('; ')}; } 2>&1; true`;
    expect(await readCgroups(target, {CgroupnsMode: 'host', PidsLimit: 77}, script)).toMatch(
      /^77\n.*Read-only file system$/,
    );
  });
});

async function pidOf(container: {inspect(): Promise<ContainerInspect>}): Promise<{readonly pid: number}> {
  return {pid: (await container.inspect()).State.Pid};
}

/** Neither engine removes a parent that it may have found there. */
function removeParents(parent: string): void {
  const mounts = [...cgroups.v1, ...(cgroups.v2 ? [cgroups.v2] : [])].map(({mount}) => mount);
  for (const mount of mounts)
    for (const path of [parent, parent.slice(0, parent.lastIndexOf('/'))]) rmdirSync(mount + path);
}
