// What the virtual machine runs to see limits of cgroups of version 2.
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {HostConfig} from '../../src/api/types/container.ts';
import {expectText, refusalOf} from './claims.ts';
import {createAlone, guestEngine} from './guest-engine.ts';

const cgroups = '/sys/fs/cgroup';
const engine = await guestEngine('limits');
const {containers} = engine;
const create = (host: HostConfig) => createAlone(engine, ['sleep', '1000'], host);

function read(id: string, file: string, parent = 'limits'): string {
  return readFileSync(join(cgroups, parent, id, file), 'utf8').trim();
}

async function isRefused(host: HostConfig, reason: string): Promise<void> {
  expectText(`the refusal of ${JSON.stringify(host)}`, await refusalOf(create(host)), reason);
}

/** A weight of BFQ, which this kernel has not loaded, comes after the other writes: they are taken back. */
async function updateIsTakenBack(id: string): Promise<void> {
  const before = ['pids.max', 'cpu.weight'].map((file) => read(id, file));
  const answer = await refusalOf(containers.update(id, {PidsLimit: 9, CpuShares: 5000, BlkioWeight: 300}));
  const after = ['pids.max', 'cpu.weight'].map((file) => read(id, file));
  const hasWeight =
    existsSync(join(cgroups, 'limits', id, 'io.weight')) || existsSync(join(cgroups, 'limits', id, 'io.bfq.weight'));
  if (hasWeight) expectText('the answer to a weight', answer, 'taken');
  else expectText('limits after an update that failed', after.join(), before.join());
}

const disk = `/dev/${readdirSync('/sys/block').find((name) => name.startsWith('vd'))}`;
const id = await create({
  CpusetCpus: '0-1',
  BlkioDeviceReadBps: [{Path: disk, Rate: 1 << 20}],
  BlkioDeviceWriteIOps: [{Path: disk, Rate: 0}],
  Memory: 64 << 20,
  CpuShares: 512,
});
await containers.start(id);
expectText('cpuset.cpus', read(id, 'cpuset.cpus'), '0-1');
expectText('io.max', read(id, 'io.max').replace(/^\d+:\d+ /, ''), 'rbps=1048576 wbps=max riops=max wiops=max');
await containers.update(id, {
  CpusetCpus: '1',
  CpuShares: 1024,
  CpuQuota: 20_000,
  Memory: 80 << 20,
  MemorySwap: 90 << 20,
  PidsLimit: 30,
});
expectText('cpuset.cpus', read(id, 'cpuset.cpus'), '1');
expectText('cpu.weight', read(id, 'cpu.weight'), '39');
expectText('cpu.max', read(id, 'cpu.max'), '20000 100000');
expectText('memory.max', read(id, 'memory.max'), String(80 << 20));
expectText('memory.swap.max', read(id, 'memory.swap.max'), String(10 << 20));
expectText('pids.max', read(id, 'pids.max'), '30');
await containers.update(id, {PidsLimit: -1, CpuQuota: -1});
expectText('pids.max', read(id, 'pids.max'), 'max');
expectText('cpu.max', read(id, 'cpu.max'), 'max 100000');
await updateIsTakenBack(id);
await containers.remove(id, {force: true});

const below = await create({CgroupParent: '/given/below', CgroupnsMode: 'host', CpusetCpus: '0', PidsLimit: 20});
await containers.start(below);
expectText('cpuset.cpus', read(below, 'cpuset.cpus', 'given/below'), '0');
expectText('pids.max', read(below, 'pids.max', 'given/below'), '20');
await containers.remove(below, {force: true});

await isRefused(
  {MemorySwappiness: 5},
  'cannot set HostConfig.MemorySwappiness: cgroups of version 2 have no swappiness of their own',
);
await isRefused(
  {OomKillDisable: true},
  'cannot set HostConfig.OomKillDisable: cgroups of version 2 cannot be kept from running out of memory',
);
await isRefused(
  {CpuRealtimeRuntime: 5},
  'cannot set HostConfig.CpuRealtimeRuntime: cgroups of version 2 do not share out real-time',
);
await isRefused({CpusetCpus: '7'}, 'Requested CPUs are not available - requested 7, available: 0-1');
await engine.close();
