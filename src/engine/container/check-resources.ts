import type {HostConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import {checkCpuset} from './cpuset.ts';
import {findController, missingLimits, refuseMissing} from './limit-support.ts';
import type {Machine} from './machine.ts';

/** Docker's least: less than this no process starts in. */
const leastMemory = 6 * 1024 * 1024;

const outOfMemory =
  'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.';

/**
 * Checks limits against each other and against what the machine can keep; answers what is only to be told. Of an update,
 * members are as the body has them: what is absent stays as it is. Throws `invalid` or `unsupported`.
 */
export function checkResources(
  machine: Machine,
  host: HostConfig,
  {update = false}: {readonly update?: boolean} = {},
): readonly string[] {
  checkTypes(host);
  checkMemory(host, update);
  checkProcessors(host, machine);
  checkBlockIo(host);
  refuseMissing(machine, host);
  const without = missingLimits(machine, host).map(({message}) => `the container runs without ${message}`);
  // What they may be is only known where there are cpusets.
  if (findController(machine, 'cpuset')) checkCpuset(host, machine.limits);
  return [...without, ...(host.OomKillDisable && !host.Memory ? [outOfMemory] : [])];
}

function invalid(message: string): TscomposeError {
  return new TscomposeError('invalid', message);
}

const numbers = [
  'BlkioWeight',
  'CpuPeriod',
  'CpuQuota',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'CpuShares',
  'Memory',
  'MemoryReservation',
  'MemorySwap',
  'MemorySwappiness',
  'NanoCpus',
  'PidsLimit',
] as const satisfies readonly (keyof HostConfig)[];

const texts = ['CpusetCpus', 'CpusetMems'] as const satisfies readonly (keyof HostConfig)[];

/** A body may say anything: what a record takes in from it is what every later start has to live with. */
function checkTypes(host: HostConfig): void {
  for (const key of numbers)
    if (!Number.isInteger(host[key] ?? 0)) throw invalid(`${key}: not an integer: ${JSON.stringify(host[key])}`);
  for (const key of texts)
    if (typeof (host[key] ?? '') !== 'string') throw invalid(`${key}: not a text: ${JSON.stringify(host[key])}`);
}

function checkMemory(host: HostConfig, update: boolean): void {
  const {Memory = 0, MemorySwap = 0, MemoryReservation = 0, MemorySwappiness: swappiness} = host;
  if (Memory !== 0 && Memory < leastMemory) throw invalid('Minimum memory limit allowed is 6MB');
  if (!update) checkSwap(host);
  else if (Memory > 0 && MemorySwap > 0) checkSwap(host);
  if (MemoryReservation > 0 && MemoryReservation < leastMemory)
    throw invalid('Minimum memory reservation allowed is 6MB');
  if (Memory > 0 && MemoryReservation > Memory)
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage');
  if (typeof swappiness === 'number' && (swappiness < -1 || swappiness > 100))
    throw invalid(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
}

/** Of a whole set of limits: what a start could not write. Throws `invalid`. */
export function checkSwap({Memory = 0, MemorySwap = 0}: HostConfig): void {
  if (Memory > 0 && MemorySwap > 0 && MemorySwap < Memory)
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage');
  if (Memory === 0 && MemorySwap > 0)
    throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage');
}

function checkProcessors(host: HostConfig, {limits: {processors}}: Machine): void {
  const {NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0, CpuShares = 0} = host;
  const {CpuRealtimePeriod = 0, CpuRealtimeRuntime = 0} = host;
  if (NanoCpus > 0 && CpuPeriod > 0) throw invalid('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  if (NanoCpus > 0 && CpuQuota > 0) throw invalid('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  if (NanoCpus < 0 || NanoCpus > processors * 1e9) {
    const most = processors.toFixed(2);
    throw invalid(`range of CPUs is from 0.01 to ${most}, as there are only ${processors} CPUs available`);
  }
  if (CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000))
    throw invalid('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  if (CpuQuota > 0 && CpuQuota < 1000) throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  if (CpuShares < 0) throw invalid(`invalid CPU shares (${CpuShares}): value must be a positive integer`);
  if (CpuRealtimePeriod < 0 || CpuRealtimeRuntime < 0)
    throw invalid('cpu real-time period and runtime cannot be negative');
  if (CpuRealtimePeriod > 0 && CpuRealtimeRuntime > CpuRealtimePeriod)
    throw invalid('cpu real-time runtime cannot be higher than cpu real-time period');
}

function checkBlockIo(host: HostConfig): void {
  const isWeight = (weight: number) => Number.isInteger(weight) && weight >= 10 && weight <= 1000;
  if (host.BlkioWeight && !isWeight(host.BlkioWeight)) throw invalid('Range of blkio weight is from 10 to 1000');
  for (const {Path, Weight} of host.BlkioWeightDevice ?? [])
    if (!isWeight(Weight)) throw invalid(`invalid weight for device ${Path}: the range is from 10 to 1000`);
  const rates = [
    host.BlkioDeviceReadBps,
    host.BlkioDeviceReadIOps,
    host.BlkioDeviceWriteBps,
    host.BlkioDeviceWriteIOps,
  ];
  for (const {Path, Rate} of rates.flatMap((list) => list ?? []))
    if (!Number.isSafeInteger(Rate) || Rate < 0) throw invalid(`invalid rate for device ${Path}: ${Rate}`);
}
