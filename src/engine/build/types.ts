import type {ContainerConfig} from '../../api/types/container.ts';

/** What an image's configuration says of containers, with what concerns builds only. */
export interface BuildConfig extends ContainerConfig {
  readonly OnBuild?: readonly string[] | null;
  readonly Shell?: readonly string[] | null;
  readonly ArgsEscaped?: boolean;
}

/** A line of an image's history (OCI image specification, config.md). */
export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}
