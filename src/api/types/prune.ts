import type {ImageDeleteItem} from './image.ts';
import type {Filters} from './system.ts';

export interface ContainersPruned {
  /** Null: none. */
  readonly ContainersDeleted: readonly string[] | null;
  /** Bytes. */
  readonly SpaceReclaimed: number;
}

export interface VolumesPruned {
  readonly VolumesDeleted: readonly string[];
  readonly SpaceReclaimed: number;
}

export interface NetworksPruned {
  /** Names. Null: none. */
  readonly NetworksDeleted: readonly string[] | null;
}

/** What of builds is to be removed. Sizes in bytes; 0 and absent: no limit. */
export interface BuildPruning {
  readonly all: boolean;
  readonly filters: Filters;
  /** So much is left. */
  readonly reservedSpace?: number | undefined;
  /** No more than this is left. */
  readonly maxUsedSpace?: number | undefined;
  /** So much of the disk is free afterwards, as far as that is possible. */
  readonly minFreeSpace?: number | undefined;
}

export interface BuildsPruned {
  /** Keys of steps, and names of cache mounts. Null: none. */
  readonly CachesDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}

export interface ImagesPruned {
  readonly ImagesDeleted: readonly ImageDeleteItem[] | null;
  readonly SpaceReclaimed: number;
}
