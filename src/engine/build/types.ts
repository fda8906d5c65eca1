import type {ContainerConfig} from '../../api/types/container.ts';
import type {ImageBuildConfig} from '../../api/types/image.ts';

/** What an image's configuration says of containers, with what concerns builds only. */
export type BuildConfig = ContainerConfig & ImageBuildConfig;

/** A line of an image's history (OCI image specification, config.md). */
export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}
