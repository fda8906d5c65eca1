import {given, type LimitWrite} from './limit-write.ts';
import type {Limits, Rate} from './limits.ts';

/** What is written into the files of version 1 (kernel documentation, admin-guide/cgroup-v1). `present`: the limits that hold now. */
export function limitsV1(limits: Limits, present?: Limits): readonly LimitWrite[] {
  return [
    ...memoryWrites(limits, present),
    ...processorWrites(limits, present),
    ...given('cpuset', 'cpuset.cpus', limits.cpus),
    ...given('cpuset', 'cpuset.mems', limits.mems),
    ...given('pids', 'pids.max', limits.pids),
    ...blockWrites(limits),
  ];
}

function memoryWrites(limits: Limits, present: Limits | undefined): readonly LimitWrite[] {
  const {memory, memoryAndSwap} = limits;
  const own = given('memory', 'memory.limit_in_bytes', memory);
  // Swap is not accounted on every kernel (swapaccount=0).
  const both = given('memory', 'memory.memsw.limit_in_bytes', memoryAndSwap).map(
    (write): LimitWrite => ({...write, optional: true}),
  );
  // The kernel refuses, also for a moment, to limit memory alone higher than memory with swap.
  const growsFirst =
    present?.memory !== undefined &&
    memoryAndSwap !== undefined &&
    (memoryAndSwap < 0 || memoryAndSwap >= present.memory);
  return [
    ...(growsFirst ? [...both, ...own] : [...own, ...both]),
    ...given('memory', 'memory.soft_limit_in_bytes', limits.reservation),
    ...given('memory', 'memory.swappiness', limits.swappiness),
    ...given('memory', 'memory.oom_control', limits.oomKillDisable ? 1 : undefined),
  ];
}

function processorWrites(limits: Limits, present: Limits | undefined): readonly LimitWrite[] {
  const {realTimePeriod, realTimeRuntime} = limits;
  const period = given('cpu', 'cpu.rt_period_us', realTimePeriod);
  const runtime = given('cpu', 'cpu.rt_runtime_us', realTimeRuntime);
  // The runtime is never longer than the period. A new cgroup has none.
  const shrinksFirst = realTimePeriod !== undefined && (present?.realTimeRuntime ?? 0) > realTimePeriod;
  return [
    ...given('cpu', 'cpu.shares', limits.shares),
    ...given('cpu', 'cpu.cfs_period_us', limits.period),
    ...given('cpu', 'cpu.cfs_quota_us', limits.quota),
    ...(shrinksFirst ? [...runtime, ...period] : [...period, ...runtime]),
  ];
}

const rateFiles = {
  readBps: 'blkio.throttle.read_bps_device',
  readIops: 'blkio.throttle.read_iops_device',
  writeBps: 'blkio.throttle.write_bps_device',
  writeIops: 'blkio.throttle.write_iops_device',
} as const satisfies {readonly [K in Rate]: string};

/** Since the scheduler CFQ is gone, weights are BFQ's. */
function blockWrites({weight, deviceWeights, rates}: Limits): readonly LimitWrite[] {
  return [
    ...given('io', 'blkio.bfq.weight', weight),
    ...deviceWeights.flatMap(({device, value}) => given('io', 'blkio.bfq.weight_device', `${device} ${value}`)),
    ...Object.entries(rateFiles).flatMap(([rate, file]) =>
      // Zero is no limit.
      rates[rate as Rate].flatMap(({device, value}) => given('io', file, `${device} ${value}`)),
    ),
  ];
}
