import {existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {exitCodes} from '../../src/base/errors.ts';
import {parseHierarchies} from '../../src/engine/container/cgroup-hierarchies.ts';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {layOut, runningOn} from './attributes/stack.ts';

const hierarchies = parseHierarchies(readFileSync('/proc/self/mountinfo', 'utf8'));
const mounts = [...hierarchies.v1, ...(hierarchies.v2 ? [hierarchies.v2] : [])].map(({mount}) => mount);
const mountOf = (name: string) => hierarchies.v1.find(({controllers}) => controllers.includes(name))?.mount;
const [memory, cpu] = [mountOf('memory'), mountOf('cpu')];
const hasRealTime = cpu !== undefined && existsSync(join(cpu, 'cpu.rt_runtime_us'));

async function up(host: TestHost, says: object) {
  await loadImages(host, ['busybox']);
  layOut(host, {
    services: {web: {image: 'busybox', command: ['sleep', '600'], init: true, network_mode: 'none', ...says}},
  });
  return await host.tscompose(['up', '-d']);
}

async function downLeavesNothing(host: TestHost): Promise<void> {
  const {code, stderr} = await host.tscompose(['down', '-v', '-t', '1']);
  expect({code, stderr: code === 0 ? '' : stderr}).toEqual({code: 0, stderr: ''});
}

/** What the kernel cannot do is refused when the container would be made. */
async function expectRefused(says: object, member: string): Promise<void> {
  await using host = await makeHost();
  const {code, stderr} = await up(host, says);
  expect(code).toBe(exitCodes.invalidStack);
  expect(stderr).toContain(`cannot set HostConfig.${member}: `);
  await downLeavesNothing(host);
  expect(host.leftovers()).toEqual([]);
}

/** Makes a cgroup, and that above it, in the hierarchy; both may give real-time. */
function makeWithRealTime(mount: string, path: string): void {
  for (const place of [path.slice(0, path.lastIndexOf('/')), path]) {
    mkdirSync(join(mount, place), {recursive: true});
    writeFileSync(join(mount, place, 'cpu.rt_runtime_us'), '20000');
  }
}

/** A parent that the stack file names stays when the container goes, and with it what is above; a monitor may still be there. */
async function removeParents(path: string): Promise<void> {
  const above = path.slice(0, path.lastIndexOf('/'));
  for (const directory of mounts.flatMap((mount) =>
    [path, `${above}/monitors`, above].map((name) => join(mount, name)),
  )) {
    await eventually(() => {
      if (existsSync(directory)) rmdirSync(directory);
    });
  }
}

test('cgroup_parent: the container is below it, and has what it gives', async () => {
  await using host = await makeHost();
  const parent = `${host.cgroupParent}/given`;
  if (hasRealTime) makeWithRealTime(cpu, parent);
  const realTime = hasRealTime ? {cpu_rt_period: 500_000, cpu_rt_runtime: '5ms'} : {};
  const {code, stderr} = await up(host, {cgroup_parent: `/${parent}`, cgroup: 'host', ...realTime});
  try {
    expect({code, stderr: code === 0 ? '' : stderr}).toEqual({code: 0, stderr: ''});
    const {print, inspect} = runningOn(host);
    const {Id, HostConfig} = await inspect('attributes-web-1');
    expect(HostConfig).toMatchObject({CgroupParent: `/${parent}`, CgroupnsMode: 'host'});
    const places = (await print('web', 'cat /proc/self/cgroup')).split('\n').map((line) => line.split(':')[2]);
    expect(new Set(places)).toEqual(new Set([`/${parent}/${Id}`]));
    if (hasRealTime) {
      const own = join(cpu, parent, Id);
      expect(readFileSync(join(own, 'cpu.rt_period_us'), 'utf8').trim()).toBe('500000');
      expect(readFileSync(join(own, 'cpu.rt_runtime_us'), 'utf8').trim()).toBe('5000');
    }
    await downLeavesNothing(host);
  } finally {
    await removeParents(parent);
  }
  expect(host.leftovers()).toEqual([]);
});

test.runIf(hasRealTime)('cpu_rt_runtime: without any above it is refused with a way out', async () => {
  await using host = await makeHost();
  const {code, stderr} = await up(host, {cpu_rt_runtime: 5000});
  expect(code).not.toBe(exitCodes.success);
  expect(stderr).toContain('/cpu.rt_runtime_us: invalid argument');
  expect(stderr).toContain('name it in "cgroup_parent"');
  await downLeavesNothing(host);
  expect(host.leftovers()).toEqual([]);
});

test.runIf(memory !== undefined)('mem_swappiness, oom_kill_disable', async () => {
  await using host = await makeHost();
  const {code, stderr} = await up(host, {mem_swappiness: 33, oom_kill_disable: true, mem_limit: '64m'});
  expect({code, stderr: code === 0 ? '' : stderr}).toEqual({code: 0, stderr: ''});
  const {print} = runningOn(host);
  const line = 'cd /sys/fs/cgroup/memory; cat memory.swappiness; grep oom_kill_disable memory.oom_control';
  expect(await print('web', line)).toBe('33\noom_kill_disable 1');
  await downLeavesNothing(host);
  expect(host.leftovers()).toEqual([]);
});

const notOfV2 = [
  ...(memory === undefined
    ? ([
        [{mem_swappiness: 33}, 'MemorySwappiness'],
        [{oom_kill_disable: true}, 'OomKillDisable'],
      ] as const)
    : []),
  ...(hasRealTime
    ? []
    : ([
        [{cpu_rt_period: 500_000}, 'CpuRealtimePeriod'],
        [{cpu_rt_runtime: 5000}, 'CpuRealtimeRuntime'],
      ] as const)),
];

test.runIf(notOfV2.length > 0).each(notOfV2)('%j is refused by name where the kernel cannot', async (says, member) => {
  await expectRefused(says, member);
});
