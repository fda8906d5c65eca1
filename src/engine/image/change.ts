import type {ImageProgress} from '../../api/types/image.ts';
import {createStaging, type Staging} from './archive.ts';
import type {Channel} from './channel.ts';
import {collectGarbage} from './collect.ts';
import type {ImageContext} from './context.ts';
import {type ContentSession, openSession} from './session.ts';

/** What images are added to the store with. */
export interface StoreChange {
  readonly context: ImageContext;
  readonly session: ContentSession;
  readonly staging: Staging;
  readonly channel: Channel<ImageProgress>;
  readonly signal: AbortSignal;
}

/**
 * Runs one change of the store beside any others, under a lease. Nothing stays of one that fails but the images that were
 * whole by then; of one that is killed the next removes the rest.
 */
export async function changeStore(
  context: ImageContext,
  channel: Channel<ImageProgress>,
  signal: AbortSignal,
  run: (change: StoreChange) => Promise<void>,
): Promise<void> {
  signal.throwIfAborted();
  await using session = await openSession(context);
  try {
    await using staging = createStaging(session.blobs, session.lease);
    await run({context, session, staging, channel, signal});
  } catch (error) {
    await session.lease.abandon();
    // Where that fails too, the next one does it.
    await collectGarbage(context).catch(() => undefined);
    throw error;
  }
}
