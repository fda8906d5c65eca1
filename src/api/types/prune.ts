import type {ImageDeleteItem} from './image.ts';

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

export interface BuildsPruned {
  /** Keys. Null: none. */
  readonly CachesDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}

export interface ImagesPruned {
  readonly ImagesDeleted: readonly ImageDeleteItem[] | null;
  readonly SpaceReclaimed: number;
}
