import {collectGarbage, exclusively} from '../image/collect.ts';
import type {ImageContext} from '../image/context.ts';
import {listRepositories, type RepositoryRecords} from './records.ts';
import type {Uploads} from './uploads.ts';

export interface SweepOptions {
  /** Blobs that no manifest names yet are kept so long: their manifest comes last. Milliseconds. */
  readonly blobsKeptMs: number;
  /** Uploads that nobody goes on with; milliseconds. */
  readonly uploadsKeptMs: number;
}

/**
 * Gives back what no manifest of a repository names any more, while everybody goes on pushing and pulling: what was linked
 * or asked for lately stays, and the rest is told with the store's lock held, so that no manifest comes in between.
 */
export async function sweep(
  context: ImageContext,
  uploads: Pick<Uploads, 'removeOlder' | 'isAny'>,
  {blobsKeptMs, uploadsKeptMs}: SweepOptions,
): Promise<void> {
  const now = context.now();
  await uploads.removeOlder(now - uploadsKeptMs);
  for (const records of await listRepositories(context.layout)) {
    // Of a push that takes long, the first blobs wait for the last one.
    if (await uploads.isAny(records.name)) continue;
    if ((await findUnnamed(records, now - blobsKeptMs)).length === 0) continue;
    await exclusively(context, async () => {
      for (const digest of await findUnnamed(records, now - blobsKeptMs)) await records.unlinkBlob(digest);
    });
  }
  await collectGarbage(context);
}

async function findUnnamed(records: RepositoryRecords, before: number): Promise<readonly string[]> {
  const old = (await records.listBlobs()).filter(({linkedAt}) => linkedAt < before);
  if (old.length === 0) return [];
  const named = new Set((await records.listManifests()).flatMap(({blobs}) => blobs));
  return old.map(({digest}) => digest).filter((digest) => !named.has(digest));
}
