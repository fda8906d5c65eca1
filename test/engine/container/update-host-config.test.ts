import {expect, it, test} from 'vitest';
import type {HostConfig} from '../../../src/api/types/container.ts';
import type {ContainerUpdateBody} from '../../../src/api/types/update.ts';
import {refuseOtherUpdates, updateHostConfig} from '../../../src/engine/container/update-host-config.ts';

const memoryConflict =
  'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time';
const cpuConflict = (changed: string, set: string) =>
  `Conflicting options: ${changed} cannot be updated as ${set} has already been set`;

/** What Docker Engine 28.5 answers, but for the last two, with which it makes a container that cannot start. */
test.each<readonly [HostConfig, ContainerUpdateBody, 'conflict' | 'invalid', string]>([
  [{}, {Memory: 100e6}, 'conflict', memoryConflict],
  [{Memory: 100e6}, {Memory: 300e6}, 'conflict', memoryConflict],
  [{Memory: 100e6, MemorySwap: -1}, {Memory: 300e6}, 'conflict', memoryConflict],
  [{NanoCpus: 5e8}, {CpuQuota: 20_000}, 'conflict', cpuConflict('CPU Quota', 'NanoCPUs')],
  [{NanoCpus: 5e8}, {CpuPeriod: 20_000}, 'conflict', cpuConflict('CPU Period', 'NanoCPUs')],
  [{CpuQuota: 20_000}, {NanoCpus: 5e8}, 'conflict', cpuConflict('Nano CPUs', 'CPU Quota')],
  [{CpuPeriod: 20_000}, {NanoCpus: 5e8}, 'conflict', cpuConflict('Nano CPUs', 'CPU Period')],
  [
    {AutoRemove: true},
    {RestartPolicy: {Name: 'always'}},
    'conflict',
    'Restart policy cannot be updated because AutoRemove is enabled for the container',
  ],
  [{Memory: 100e6}, {MemorySwap: 50e6}, 'invalid', 'Minimum memoryswap limit should be larger than memory limit'],
  [{}, {MemorySwap: 50e6}, 'invalid', 'You should always set the Memory limit when using Memoryswap limit'],
])('%j with %j is refused', (host, body, kind, message) => {
  expect(() => updateHostConfig(host, body)).toThrow(
    expect.objectContaining({kind, message: expect.stringContaining(message)}),
  );
});

test.each<readonly [HostConfig, ContainerUpdateBody, HostConfig]>([
  [{Memory: 100e6}, {Memory: 150e6}, {Memory: 150e6, MemorySwap: 200e6}],
  [{Memory: 100e6}, {MemorySwap: -1}, {Memory: 100e6, MemorySwap: -1}],
  [{}, {Memory: 100e6, MemorySwap: 100e6}, {Memory: 100e6, MemorySwap: 100e6}],
  [{Memory: 100e6}, {MemoryReservation: 200e6}, {Memory: 100e6, MemorySwap: 200e6, MemoryReservation: 200e6}],
  [
    {NanoCpus: 5e8, CpuShares: 5},
    {NanoCpus: 1e9, CpuShares: 0},
    {MemorySwap: 0, NanoCpus: 1e9, CpuShares: 5},
  ],
  [{CpuQuota: 20_000}, {CpuQuota: -1}, {MemorySwap: 0, CpuQuota: -1}],
  [{PidsLimit: 20}, {PidsLimit: -1}, {MemorySwap: 0, PidsLimit: 0}],
  [{PidsLimit: 20}, {PidsLimit: null}, {MemorySwap: 0, PidsLimit: 20}],
  [{CpusetCpus: '0'}, {CpusetCpus: '', CpusetMems: '0'}, {MemorySwap: 0, CpusetCpus: '0', CpusetMems: '0'}],
  [
    {RestartPolicy: {Name: 'on-failure', MaximumRetryCount: 5}},
    {RestartPolicy: {Name: 'always'}},
    {MemorySwap: 0, RestartPolicy: {Name: 'always', MaximumRetryCount: 0}},
  ],
  [
    {RestartPolicy: {Name: 'always'}},
    {RestartPolicy: {Name: '', MaximumRetryCount: 2}},
    {MemorySwap: 0, RestartPolicy: {Name: 'always'}},
  ],
  [
    {AutoRemove: true},
    {RestartPolicy: {Name: 'no'}},
    {AutoRemove: true, MemorySwap: 0, RestartPolicy: {MaximumRetryCount: 0, Name: 'no'}},
  ],
])('%j with %j', (host, body, updated) => {
  expect(updateHostConfig(host, body)).toEqual(updated);
});

it('refuses by name what only a new container can have, and takes what says nothing', () => {
  const whole = {
    Memory: 0,
    CpusetCpus: '',
    Devices: null,
    BlkioDeviceReadBps: [],
    OomKillDisable: false,
    MemorySwappiness: -1,
    RestartPolicy: {Name: ''},
  } as const;
  expect(() => refuseOtherUpdates(whole)).not.toThrow();
  for (const [key, value] of Object.entries({
    OomKillDisable: true,
    Privileged: true,
    BlkioDeviceReadBps: [{}],
    CgroupParent: '/x',
  })) {
    expect(() => refuseOtherUpdates({...whole, [key]: value})).toThrow(`${key} of a container cannot be updated`);
  }
});
