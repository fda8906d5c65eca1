import {describe, expect, it, test} from 'vitest';
import type {HostConfig} from '../../../src/api/types/container.ts';
import {checkResources} from '../../../src/engine/container/check-resources.ts';
import {parseList} from '../../../src/engine/container/cpuset.ts';
import {machines} from './machines.ts';

/** What Docker Engine 28.5 answers to the same on a machine with these processors. */
test.each<readonly [HostConfig, string]>([
  [{CpusetCpus: '0-7'}, 'Requested CPUs are not available - requested 0-7, available: 0-3,6'],
  [{CpusetCpus: '5'}, 'Requested CPUs are not available - requested 5, available: 0-3,6'],
  [{CpusetCpus: 'x'}, 'Invalid value x for cpuset cpus: invalid format: x'],
  [{CpusetCpus: '1-0'}, 'Invalid value 1-0 for cpuset cpus: invalid format: 1-0'],
  [{CpusetCpus: ' 0'}, 'Invalid value  0 for cpuset cpus: invalid format:  0'],
  [{CpusetCpus: '0,,1'}, 'Invalid value 0,,1 for cpuset cpus: invalid format: 0,,1'],
  [{CpusetCpus: '9999'}, 'Invalid value 9999 for cpuset cpus: value of out range, maximum is 8192'],
  [{CpusetMems: '3'}, 'Requested memory nodes are not available - requested 3, available: 0'],
  [{CpusetMems: 'x'}, 'Invalid value x for cpuset mems: invalid format: x'],
  [{MemorySwappiness: 101}, 'Invalid value: 101, valid memory swappiness range is 0-100'],
  [{MemorySwappiness: -2}, 'Invalid value: -2, valid memory swappiness range is 0-100'],
  [{BlkioWeight: 5}, 'Range of blkio weight is from 10 to 1000'],
  [{BlkioWeight: 1001}, 'Range of blkio weight is from 10 to 1000'],
  [{BlkioWeightDevice: [{Path: '/dev/sda', Weight: 5}]}, 'invalid weight for device /dev/sda: the range is from 10 to'],
  [{BlkioDeviceReadBps: [{Path: '/dev/sda', Rate: -1}]}, 'invalid rate for device /dev/sda: -1'],
  [{BlkioDeviceWriteIOps: [{Path: '/dev/sda', Rate: 1.5}]}, 'invalid rate for device /dev/sda: 1.5'],
  [{CpuRealtimePeriod: 1000, CpuRealtimeRuntime: 2000}, 'cpu real-time runtime cannot be higher than cpu real-time'],
  [{CpuRealtimePeriod: -5}, 'cpu real-time period and runtime cannot be negative'],
  [{NanoCpus: 6e9}, 'range of CPUs is from 0.01 to 5.00, as there are only 5 CPUs available'],
  [{NanoCpus: -1}, 'range of CPUs is from 0.01 to 5.00, as there are only 5 CPUs available'],
  [{NanoCpus: 1e9, CpuPeriod: 1000}, 'Conflicting options: Nano CPUs and CPU Period cannot both be set'],
  [{NanoCpus: 1e9, CpuQuota: 1000}, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'],
  [{CpuShares: -1}, 'invalid CPU shares (-1): value must be a positive integer'],
  [{CpuQuota: 500}, 'CPU cfs quota can not be less than 1ms (i.e. 1000)'],
  [{CpuPeriod: 500}, 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)'],
  [{Memory: 1000}, 'Minimum memory limit allowed is 6MB'],
  [{Memory: -5}, 'Minimum memory limit allowed is 6MB'],
  [{Memory: 10e6, MemorySwap: 9e6}, 'Minimum memoryswap limit should be larger than memory limit, see usage'],
  [{MemorySwap: 9e6}, 'You should always set the Memory limit when using Memoryswap limit, see usage'],
  [{MemoryReservation: 1}, 'Minimum memory reservation allowed is 6MB'],
  [{Memory: 10e6, MemoryReservation: 20e6}, 'Minimum memory limit can not be less than memory reservation limit'],
  // Bodies of clients that have no types of their own.
  [{Memory: '64m' as unknown as number}, 'Memory: not an integer: "64m"'],
  [{CpuShares: 1.5}, 'CpuShares: not an integer: 1.5'],
  [{PidsLimit: '9' as unknown as number}, 'PidsLimit: not an integer: "9"'],
  [{CpusetCpus: 0 as unknown as string}, 'CpusetCpus: not a text: 0'],
])('%j is refused', (host, message) => {
  expect(() => checkResources(machines.v1, host)).toThrow(message);
});

describe('limits', () => {
  it('that are right are taken', () => {
    const host: HostConfig = {
      CpusetCpus: '0-2,6',
      CpusetMems: '00',
      MemorySwappiness: 0,
      Memory: 10e6,
      MemorySwap: -1,
      OomKillDisable: true,
      BlkioWeight: 10,
      BlkioWeightDevice: [{Path: '/dev/sda', Weight: 1000}],
      BlkioDeviceReadBps: [{Path: '/dev/sda', Rate: 0}],
      NanoCpus: 5e9,
      CpuRealtimePeriod: 1000,
      CpuRealtimeRuntime: 1000,
      PidsLimit: -1,
    };
    expect(checkResources(machines.v1, host)).toEqual([]);
    expect(checkResources(machines.hybrid, {...host, Memory: 0, MemorySwap: 0})).toEqual([
      expect.stringContaining('OOM killer is disabled for the container, but no memory limit is set'),
    ]);
  });

  it('of an update may speak of swap alone', () => {
    expect(checkResources(machines.v2, {MemorySwap: 9e6}, {update: true})).toEqual([]);
    expect(() => checkResources(machines.v2, {Memory: 10e6, MemorySwap: 9e6}, {update: true})).toThrow(
      'Minimum memoryswap limit should be larger than memory limit',
    );
  });

  it('that the machine cannot keep are refused before what they say is looked at', () => {
    expect(() => checkResources(machines.v2, {OomKillDisable: true})).toThrow('cannot set HostConfig.OomKillDisable');
  });
});

test('lists of processors', () => {
  expect(parseList('0-2,4,7-7')).toEqual([
    {first: 0, last: 2},
    {first: 4, last: 4},
    {first: 7, last: 7},
  ]);
  expect(parseList('')).toEqual([]);
  for (const wrong of ['-1', '1-', '+1', '0,1,', '1-2-3', '0x1']) expect(parseList(wrong)).toBeUndefined();
});
