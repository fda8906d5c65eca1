import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import type {ContainerUpdateBody} from '../../../src/api/types/update.ts';
import {type Bed, eventually, makeBed} from './bed.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await makeBed();
});
afterAll(async () => {
  await bed.close();
});

/** Directories of a container's cgroup, by the name of a file in it. */
function fileOf(id: string, v1: string, v2: string): string {
  const hierarchies = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, path = '']) => path);
  const places = hierarchies.flatMap((mount) => [v1, v2].map((name) => join(mount, bed.cgroupParent, id, name)));
  const path = places.find(existsSync);
  if (path === undefined) throw new Error(`no hierarchy has ${v1} or ${v2}`);
  return path;
}

const read = (path: string) => readFileSync(path, 'utf8').trim();
const limitsOf = async (id: string) => (await bed.engine.containers.inspect(id)).HostConfig;
const hasV1 = existsSync('/sys/fs/cgroup/memory/memory.limit_in_bytes');

test.runIf(hasV1)('what the kernel does not take is refused whole', async () => {
  // As much as it holds in memory is more than its new limit, with or without swap.
  const words = ['sh', '-c', 'head -c 40000000 /dev/zero > /dev/shm/x; echo ready; exec sleep 1000'];
  const id = await bed.start(words, {HostConfig: {Memory: 100 << 20, MemorySwap: 100 << 20, CpuShares: 200}});
  await eventually(async () => expect(await bed.logs(id)).toBe('ready\n'));
  const files = [
    fileOf(id, 'memory.limit_in_bytes', 'memory.max'),
    fileOf(id, 'cpu.shares', 'cpu.weight'),
    fileOf(id, 'pids.max', 'pids.max'),
  ];
  const before = files.map(read);
  const body: ContainerUpdateBody = {
    CpuShares: 300,
    PidsLimit: 30,
    Memory: 8 << 20,
    MemorySwap: 8 << 20,
    RestartPolicy: {Name: 'always'},
  };
  const recorded = read(bed.layout.container(id).config);
  await expect(bed.engine.containers.update(id, body)).rejects.toMatchObject({
    kind: 'conflict',
    message: expect.stringMatching(
      `^Cannot update container ${id}: cgroup .*/memory\\.[a-z_.]+: device or resource busy$`,
    ),
  });
  expect(files.map(read)).toEqual(before);
  expect(read(bed.layout.container(id).config)).toBe(recorded);
  await bed.engine.containers.remove(id, {force: true});
});

test('what somebody who was killed had prepared is removed by the next update', async () => {
  const id = await bed.start(['sleep', '1000']);
  const {directory} = bed.layout.container(id);
  writeFileSync(join(directory, '.tmp-update-killed'), '{}');
  writeFileSync(join(directory, '.tmp-.tmp-update-killed-too-1'), '{');
  await bed.engine.containers.update(id, {CpuShares: 300});
  expect(readdirSync(directory).filter((name) => name.startsWith('.tmp-'))).toEqual([]);
  await bed.engine.containers.remove(id, {force: true});
});

test('updates of several commands at a time all hold', async () => {
  const id = await bed.start(['sleep', '1000'], {HostConfig: {Memory: 64 << 20}});
  const bodies: readonly ContainerUpdateBody[] = [
    {CpuShares: 300},
    {PidsLimit: 30},
    {CpusetCpus: '0'},
    {Memory: 80 << 20, MemorySwap: 90 << 20},
    {CpuPeriod: 50_000, CpuQuota: 20_000},
    {RestartPolicy: {Name: 'unless-stopped', MaximumRetryCount: 0}},
  ];
  const other = await bed.another();
  await Promise.all(bodies.map((body, index) => (index % 2 === 0 ? bed.engine : other).containers.update(id, body)));
  expect(await limitsOf(id)).toMatchObject(Object.assign({}, ...bodies));
  expect(read(fileOf(id, 'pids.max', 'pids.max'))).toBe('30');
  expect(read(fileOf(id, 'cpuset.cpus', 'cpuset.cpus'))).toBe('0');
  expect(read(fileOf(id, 'cpu.cfs_quota_us', 'cpu.max'))).toMatch(/^20000(?: 50000)?$/);
  await bed.engine.containers.remove(id, {force: true});
});

test('between two runs holds for the next', async () => {
  const id = await bed.start(['sh', '-c', 'exit 1'], {HostConfig: {RestartPolicy: {Name: 'always'}}});
  await eventually(async () => expect((await bed.state(id)).Restarting).toBe(true));
  await bed.engine.containers.update(id, {PidsLimit: 44, RestartPolicy: {Name: 'no'}});
  await eventually(async () => expect((await bed.state(id)).Status).toBe('exited'));
  expect(await limitsOf(id)).toMatchObject({PidsLimit: 44, RestartPolicy: {Name: 'no'}});
  await bed.engine.containers.remove(id);
});

test('an update of one that ends meanwhile is recorded', async () => {
  const ids = await Promise.all(Array.from({length: 6}, () => bed.start(['sleep', '1000'])));
  await Promise.all(
    ids.flatMap((id) => [bed.engine.containers.kill(id, 'KILL'), bed.engine.containers.update(id, {PidsLimit: 21})]),
  );
  for (const id of ids) {
    expect((await limitsOf(id)).PidsLimit).toBe(21);
    await bed.engine.containers.remove(id, {force: true});
  }
});

test.runIf(hasV1)('a container that cannot be killed for want of memory has a warning', async () => {
  const created = await bed.engine.containers.create({Image: 'busybox', HostConfig: {OomKillDisable: true}}, {});
  expect(created.Warnings).toEqual([expect.stringMatching(/^OOM killer is disabled for the container, but no memory/)]);
  await bed.engine.containers.remove(created.Id);
});
