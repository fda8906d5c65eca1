import type {SyncedFiles, SyncResult} from '../../api/types/sync.ts';
import type {EngineClient} from '../../reconcile/engine-client.ts';
import type {FileChange} from './sync-archive.ts';

/** The calls of the client that watching needs. */
export type WatchEngine = EngineClient;

/** How files come into containers, by whatever way the engine offers. */
export interface FileSync {
  /** Carries out the changes, deletions first; with the built-in engine all of them or none. */
  sync(container: string, changes: readonly FileChange[], signal: AbortSignal): Promise<SyncResult>;
  /** What earlier syncs brought, as far as the engine knows. */
  synced(container: string): Promise<SyncedFiles>;
}
