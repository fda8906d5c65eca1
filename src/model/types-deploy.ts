import type {DeviceRequest} from './types-devices.ts';

/** How a swarm replaces containers. */
export interface UpdateConfig {
  readonly parallelism?: number;
  readonly delay?: number;
  readonly failure_action?: string;
  readonly monitor?: number;
  readonly max_failure_ratio?: number;
  readonly order?: 'stop-first' | 'start-first';
}

export interface Deploy {
  readonly mode?: string;
  readonly replicas?: number;
  readonly endpoint_mode?: string;
  readonly placement?: {
    readonly constraints?: readonly string[];
    readonly preferences?: readonly {readonly spread?: string}[];
    readonly max_replicas_per_node?: number;
  };
  readonly update_config?: UpdateConfig;
  readonly rollback_config?: UpdateConfig;
  readonly resources?: {
    readonly limits?: {readonly cpus?: number; readonly memory?: number; readonly pids?: number};
    readonly reservations?: {
      readonly cpus?: number;
      readonly memory?: number;
      readonly devices?: readonly DeviceRequest[];
      readonly generic_resources?: readonly {
        readonly discrete_resource_spec?: {readonly kind?: string; readonly value?: number};
      }[];
    };
  };
  readonly restart_policy?: {
    readonly condition?: 'none' | 'on-failure' | 'any';
    readonly max_attempts?: number;
    readonly delay?: number;
    readonly window?: number;
  };
  readonly labels?: Readonly<Record<string, string>>;
}
