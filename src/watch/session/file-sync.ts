import type {Docker} from '../../client/docker.ts';
import type {FileSync} from './engine.ts';

/** Files go into containers by the engine's own request where it has one. */
export function fileSync(docker: Docker, _features: ReadonlySet<string>): FileSync {
  return {
    sync: (container, archive, abortSignal) => docker.getContainer(container).sync({path: '/', archive, abortSignal}),
    synced: (container) => docker.getContainer(container).synced(),
  };
}
