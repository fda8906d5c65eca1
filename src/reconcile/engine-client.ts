import type {Container} from '../client/container.ts';
import type {Docker} from '../client/docker.ts';

/** The calls of the client that reconciling needs: so little that a test can stand in for an engine. */
export interface EngineClient
  extends Pick<
    Docker,
    'listContainers' | 'listNetworks' | 'listVolumes' | 'createVolume' | 'getEvents' | 'lockProject'
  > {
  createContainer(...options: Parameters<Docker['createContainer']>): Promise<{readonly id: string}>;
  createNetwork(
    ...options: Parameters<Docker['createNetwork']>
  ): Promise<{readonly id: string; readonly warning?: string}>;
  getContainer(id: string): ContainerCalls;
  getNetwork(id: string): {remove(): Promise<void>};
  getVolume(name: string): {remove(): Promise<void>};
  getImage(name: string): Pick<ReturnType<Docker['getImage']>, 'inspect'>;
}

export type ContainerCalls = Pick<
  Container,
  'inspect' | 'start' | 'stop' | 'restart' | 'pause' | 'unpause' | 'remove' | 'rename' | 'logs'
>;
