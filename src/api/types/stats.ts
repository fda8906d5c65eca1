/** Processor time, nanoseconds. A client's percentage is `Δtotal_usage / Δsystem_cpu_usage × online_cpus × 100`. */
export interface CpuStats {
  readonly cpu_usage: {
    readonly total_usage: number;
    /** cgroup v1 only. */
    readonly percpu_usage?: readonly number[];
    readonly usage_in_kernelmode: number;
    readonly usage_in_usermode: number;
  };
  /** What all processors of the machine have counted, idle or not. Absent where nothing was measured. */
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
  readonly throttling_data: {
    readonly periods: number;
    readonly throttled_periods: number;
    readonly throttled_time: number;
  };
}

export interface BlockIoEntry {
  readonly major: number;
  readonly minor: number;
  /** `Read`, `Write` and others on cgroup v1, `read` and `write` on v2. */
  readonly op: string;
  readonly value: number;
}

/** Bytes; empty for a container that does not run. */
export interface MemoryStats {
  readonly usage?: number;
  /** cgroup v1 only. */
  readonly max_usage?: number;
  /** The kernel's memory.stat: other keys on cgroup v1 than on v2. */
  readonly stats?: Readonly<Record<string, number>>;
  readonly failcnt?: number;
  /** The machine's memory where the container has no limit. */
  readonly limit?: number;
}

/** Counters of an interface since it was made. */
export interface NetworkStats {
  readonly rx_bytes: number;
  readonly rx_packets: number;
  readonly rx_errors: number;
  readonly rx_dropped: number;
  readonly tx_bytes: number;
  readonly tx_packets: number;
  readonly tx_errors: number;
  readonly tx_dropped: number;
}

/** What a container uses at one moment (`GET /containers/{id}/stats`). */
export interface ContainerStats {
  readonly name: string;
  readonly id: string;
  /** RFC 3339; `0001-01-01T00:00:00Z` for a container that does not run. */
  readonly read: string;
  /** When `precpu_stats` was read. */
  readonly preread: string;
  readonly pids_stats: {readonly current?: number; readonly limit?: number};
  readonly blkio_stats: {
    readonly io_service_bytes_recursive: readonly BlockIoEntry[] | null;
    readonly io_serviced_recursive: readonly BlockIoEntry[] | null;
    readonly io_queue_recursive: readonly BlockIoEntry[] | null;
    readonly io_service_time_recursive: readonly BlockIoEntry[] | null;
    readonly io_wait_time_recursive: readonly BlockIoEntry[] | null;
    readonly io_merged_recursive: readonly BlockIoEntry[] | null;
    readonly io_time_recursive: readonly BlockIoEntry[] | null;
    readonly sectors_recursive: readonly BlockIoEntry[] | null;
  };
  readonly num_procs: number;
  readonly storage_stats: Readonly<Record<string, never>>;
  readonly cpu_stats: CpuStats;
  /** The sample before this one: zeros at the first. */
  readonly precpu_stats: CpuStats;
  readonly memory_stats: MemoryStats;
  /** By interface; absent without a network, and in the machine's. */
  readonly networks?: Readonly<Record<string, NetworkStats>>;
}

/** `GET /containers/{id}/top`: a row a process, cells as the titles. */
export interface ContainerProcesses {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[];
}
