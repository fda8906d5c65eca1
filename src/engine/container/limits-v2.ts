import {given, type LimitWrite} from './limit-write.ts';
import {cpuPeriod, type Limits, type Rate} from './limits.ts';

/** What is written into the files of version 2 (kernel documentation, admin-guide/cgroup-v2). `hasIoCost`: the kernel has `io.weight`. */
export function limitsV2(limits: Limits, hasIoCost: boolean): readonly LimitWrite[] {
  const {quota, period} = limits;
  return [
    ...memoryWrites(limits),
    ...given('cpu', 'cpu.weight', limits.shares === undefined ? undefined : weightOfShares(limits.shares)),
    ...given(
      'cpu',
      'cpu.max',
      quota === undefined && period === undefined
        ? undefined
        : `${quota === undefined || quota < 0 ? 'max' : quota} ${period ?? cpuPeriod}`,
    ),
    ...given('cpuset', 'cpuset.cpus', limits.cpus),
    ...given('cpuset', 'cpuset.mems', limits.mems),
    ...given('pids', 'pids.max', limits.pids),
    ...weightWrites(limits, hasIoCost),
    ...rateWrites(limits),
  ];
}

function memoryWrites({memory, memoryAndSwap, reservation}: Limits): readonly LimitWrite[] {
  const swap =
    memory === undefined || memoryAndSwap === undefined
      ? []
      : given('memory', 'memory.swap.max', memoryAndSwap < 0 ? 'max' : memoryAndSwap - memory);
  return [
    ...given('memory', 'memory.max', memory),
    // Swap is not accounted on every kernel (swapaccount=0).
    ...swap.map((write): LimitWrite => ({...write, optional: true})),
    ...given('memory', 'memory.low', reservation),
  ];
}

/** [2, 262144] to [1, 10000], as systemd and runc turn shares into weights. */
function weightOfShares(shares: number): number {
  return Math.floor(1 + ((shares - 2) * 9999) / 262_142);
}

/** [10, 1000] to [1, 10000], as runc turns the weights of version 1 into those of the cost model. */
function weightOfBlkio(weight: number): number {
  return Math.floor(1 + ((weight - 10) * 9999) / 990);
}

/** Two things in the kernel may share out input and output, the cost model and the scheduler BFQ: whichever serves a disk. */
function weightWrites({weight, deviceWeights}: Limits, hasIoCost: boolean): readonly LimitWrite[] {
  const all = [...(weight === undefined ? [] : [{device: 'default', value: weight}]), ...deviceWeights];
  return all.flatMap(({device, value}) => {
    const [bfq] = given('io', 'io.bfq.weight', `${device} ${value}`);
    const cost = given('io', 'io.weight', `${device} ${weightOfBlkio(value)}`);
    return bfq === undefined ? [] : hasIoCost ? [...cost, {...bfq, optional: true as const}] : [bfq];
  });
}

const rateKeys = {
  readBps: 'rbps',
  readIops: 'riops',
  writeBps: 'wbps',
  writeIops: 'wiops',
} as const satisfies {readonly [K in Rate]: string};

function rateWrites({rates}: Limits): readonly LimitWrite[] {
  return Object.entries(rateKeys).flatMap(([rate, key]) =>
    rates[rate as Rate].flatMap(({device, value}) =>
      given('io', 'io.max', `${device} ${key}=${value === 0 ? 'max' : value}`),
    ),
  );
}
