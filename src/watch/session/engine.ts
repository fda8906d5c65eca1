import type {SyncedFiles, SyncResult} from '../../api/types/sync.ts';
import type {Container} from '../../client/container.ts';
import type {ContainerCalls, EngineClient} from '../../reconcile/engine-client.ts';

/** The calls of the client that watching needs. */
export interface WatchEngine extends EngineClient {
  getContainer(id: string): ContainerCalls & Pick<Container, 'exec'>;
}

/** How files come into containers, by whatever way the engine offers. */
export interface FileSync {
  /** Changes below `/` as an archive of an image layer's manner: all of it or nothing. */
  sync(container: string, archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<SyncResult>;
  synced(container: string): Promise<SyncedFiles>;
}
