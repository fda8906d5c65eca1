import type {Docker} from '../../client/docker.ts';
import {archiveSync} from './archive-sync.ts';
import type {FileSync} from './engine.ts';
import {syncArchive} from './sync-archive.ts';

/** Files go into containers by the engine's own request where it has one, else by what every Docker Engine has. */
export function fileSync(docker: Docker, features: ReadonlySet<string>): FileSync {
  if (!features.has('sync')) return archiveSync(docker);
  return {
    sync: (container, changes, abortSignal) =>
      docker.getContainer(container).sync({path: '/', archive: syncArchive(changes), abortSignal}),
    synced: (container) => docker.getContainer(container).synced(),
  };
}
