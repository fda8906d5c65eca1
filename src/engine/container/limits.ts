import type {HostConfig, ThrottleDevice} from '../../api/types/container.ts';
import type {DeviceNumbers} from './block-devices.ts';

/** CFS period that CPU counts are turned into, in microseconds: Docker's. */
export const cpuPeriod = 100_000;

/** What of the members of a host configuration is to be written into cgroups; absent: as the kernel has it. */
export interface Limits {
  readonly memory: number | undefined;
  /** -1: unlimited. */
  readonly memoryAndSwap: number | undefined;
  readonly reservation: number | undefined;
  readonly swappiness: number | undefined;
  readonly oomKillDisable: boolean;
  readonly shares: number | undefined;
  readonly period: number | undefined;
  /** -1: unlimited. */
  readonly quota: number | undefined;
  readonly realTimePeriod: number | undefined;
  readonly realTimeRuntime: number | undefined;
  readonly cpus: string | undefined;
  readonly mems: string | undefined;
  readonly pids: number | undefined;
  readonly weight: number | undefined;
  readonly deviceWeights: readonly DeviceValue[];
  readonly rates: {readonly [K in Rate]: readonly DeviceValue[]};
}

export type Rate = 'readBps' | 'readIops' | 'writeBps' | 'writeIops';

export interface DeviceValue {
  /** `major:minor`. */
  readonly device: string;
  readonly value: number;
}

/** Zero is no limit. `devices`: the numbers of the block devices that it names. */
export function resolveLimits(host: HostConfig, devices: DeviceNumbers): Limits {
  const nanoCpus = positive(host.NanoCpus);
  const ratesOf = (list: readonly ThrottleDevice[] | null | undefined) =>
    (list ?? []).map(({Path, Rate: value}) => ({device: numberOf(devices, Path), value}));
  return {
    memory: positive(host.Memory),
    memoryAndSwap: positive(host.Memory) === undefined ? undefined : memoryAndSwap(host),
    reservation: positive(host.MemoryReservation),
    swappiness: host.MemorySwappiness === -1 ? undefined : (host.MemorySwappiness ?? undefined),
    oomKillDisable: host.OomKillDisable ?? false,
    // The kernel takes 2 to 262144.
    shares: host.CpuShares ? Math.min(Math.max(host.CpuShares, 2), 262_144) : undefined,
    period: nanoCpus === undefined ? positive(host.CpuPeriod) : cpuPeriod,
    quota:
      nanoCpus === undefined ? host.CpuQuota || undefined : Math.max(Math.floor((nanoCpus * cpuPeriod) / 1e9), 1000),
    realTimePeriod: host.CpuRealtimePeriod || undefined,
    realTimeRuntime: host.CpuRealtimeRuntime || undefined,
    cpus: host.CpusetCpus || undefined,
    mems: host.CpusetMems || undefined,
    pids: positive(host.PidsLimit),
    weight: host.BlkioWeight || undefined,
    deviceWeights: (host.BlkioWeightDevice ?? []).map(({Path, Weight: value}) => ({
      device: numberOf(devices, Path),
      value,
    })),
    rates: {
      readBps: ratesOf(host.BlkioDeviceReadBps),
      readIops: ratesOf(host.BlkioDeviceReadIOps),
      writeBps: ratesOf(host.BlkioDeviceWriteBps),
      writeIops: ratesOf(host.BlkioDeviceWriteIOps),
    },
  };
}

/** As much swap as memory where only memory is limited, as Docker has it. */
export function memoryAndSwap({Memory = 0, MemorySwap = 0}: HostConfig): number {
  return Memory > 0 && MemorySwap === 0 ? 2 * Memory : MemorySwap;
}

function positive(value: number | null | undefined): number | undefined {
  return value && value > 0 ? value : undefined;
}

function numberOf(devices: DeviceNumbers, path: string): string {
  const number = devices.get(path);
  if (number === undefined) throw new Error(`the device ${path} was not looked up`);
  return number;
}
