import type {HostConfig} from './container.ts';

/** What an update changes; 0, an empty text and what is absent stay as they are. `PidsLimit` 0 or less: no limit any more. */
export type ContainerUpdateBody = Pick<
  HostConfig,
  | 'BlkioWeight'
  | 'CpuPeriod'
  | 'CpuQuota'
  | 'CpuRealtimePeriod'
  | 'CpuRealtimeRuntime'
  | 'CpuShares'
  | 'CpusetCpus'
  | 'CpusetMems'
  | 'Memory'
  | 'MemoryReservation'
  | 'MemorySwap'
  | 'NanoCpus'
  | 'PidsLimit'
  | 'RestartPolicy'
>;

export interface ContainerUpdateResult {
  readonly Warnings: readonly string[] | null;
}
