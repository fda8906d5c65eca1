import type {ContainerCreateBody} from '../api/types/container.ts';
import type {NetworkCreateBody} from '../api/types/network.ts';
import type {VolumeCreateBody} from '../api/types/volume.ts';
import type {ContainerId} from '../plan/action.ts';
import type {ObservedContainer, ObservedImage} from '../plan/observed.ts';

/** How the things of a project become requests of the Engine API, labels included. */
export interface Lowering {
  network(key: string): NetworkCreateBody;
  volume(key: string): VolumeCreateBody;
  container(request: ContainerRequest): ContainerCreateBody & {readonly platform?: string};
}

export interface ContainerRequest {
  readonly service: string;
  readonly replica: number;
  readonly image: ObservedImage | undefined;
  /** The container it replaces, as it was observed. */
  readonly replaces?: Pick<ObservedContainer, 'name' | 'mounts'> & {readonly id: ContainerId};
}
