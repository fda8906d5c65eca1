export interface Device {
  /** A path of the machine, or the name of a CDI device (`vendor/class=name`), which has no target of its own. */
  readonly source: string;
  readonly target: string;
  readonly permissions?: string;
}

/** Devices that a driver of the engine gives. */
export interface DeviceRequest {
  readonly capabilities?: readonly string[];
  readonly driver?: string;
  /** -1: all. */
  readonly count?: number;
  readonly device_ids?: readonly string[];
  readonly options?: Readonly<Record<string, string>>;
}

export interface BlkioConfig {
  readonly weight?: number;
  readonly weight_device?: readonly {readonly path: string; readonly weight: number}[];
  readonly device_read_bps?: readonly DeviceRate[];
  readonly device_read_iops?: readonly DeviceRate[];
  readonly device_write_bps?: readonly DeviceRate[];
  readonly device_write_iops?: readonly DeviceRate[];
}

export interface DeviceRate {
  readonly path: string;
  /** Bytes, or operations, in a second. */
  readonly rate: number;
}
