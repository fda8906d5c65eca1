import type {ExecInspect} from '../api/types/exec.ts';
import type {Container} from '../client/container.ts';
import type {Docker} from '../client/docker.ts';
import type {Exec} from '../client/exec.ts';
import type {ProcessStream} from '../client/process-stream.ts';

/** The calls of the client that reconciling needs: so little that a test can stand in for an engine. */
export interface EngineClient
  extends Pick<
    Docker,
    'listContainers' | 'listNetworks' | 'listVolumes' | 'createVolume' | 'getEvents' | 'lockProject' | 'pull'
  > {
  createContainer(
    ...options: Parameters<Docker['createContainer']>
  ): Promise<{readonly id: string; readonly warnings?: readonly string[]}>;
  createNetwork(
    ...options: Parameters<Docker['createNetwork']>
  ): Promise<{readonly id: string; readonly warning?: string}>;
  getContainer(id: string): ContainerCalls;
  getNetwork(id: string): {remove(): Promise<void>};
  getVolume(name: string): {remove(): Promise<void>};
  getImage(name: string): Pick<ReturnType<Docker['getImage']>, 'inspect' | 'remove'>;
}

export type ContainerCalls = Pick<
  Container,
  'inspect' | 'start' | 'stop' | 'restart' | 'kill' | 'pause' | 'unpause' | 'remove' | 'rename' | 'logs'
> & {
  exec(...options: Parameters<Container['exec']>): Promise<ExecCalls>;
};

/** A command in a container, as far as running it to its end needs it. */
export interface ExecCalls {
  readonly id: string;
  start(...options: Parameters<Exec['start']>): Promise<Pick<ProcessStream, 'stdin' | 'output' | 'close'>>;
  inspect(...options: Parameters<Exec['inspect']>): Promise<Pick<ExecInspect, 'ExitCode'>>;
}
