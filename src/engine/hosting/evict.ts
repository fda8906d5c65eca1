import {createBlobStore} from '../image/blobs.ts';
import type {ImageContext} from '../image/context.ts';
import {reachableBy, readRecords} from '../image/reachable.ts';
import {isCopyOf} from './mirror-names.ts';
import {type HostedManifest, listRepositories, type RepositoryRecords} from './records.ts';

/** How much is kept of other registries, and for how long. */
export interface MirrorLimits {
  /** Bytes of what nothing else on this machine needs. */
  readonly bytesMax: number;
  /** What nobody asked for so long goes; milliseconds. */
  readonly unusedMs: number;
  /** What was asked for lately stays in any case: somebody may be in the middle of it. Milliseconds. */
  readonly sureMs: number;
}

interface Copy {
  readonly records: RepositoryRecords;
  readonly manifest: HostedManifest;
  readonly usedAt: number;
}

/**
 * Lets go of the copies that nobody has asked for the longest, until the rest is within the limits. What an image of this
 * machine needs is no part of the copies' size, and stays in the store. The blobs themselves go with the next sweep.
 */
export async function evictCopies(
  context: ImageContext,
  {registries, limits}: {readonly registries: readonly string[]; readonly limits: MirrorLimits},
): Promise<void> {
  const {bytesMax, unusedMs, sureMs} = limits;
  if (!Number.isFinite(bytesMax) && !Number.isFinite(unusedMs)) return;
  const copies = [...(await listCopies(context, registries))].sort((a, b) => a.usedAt - b.usedAt);
  const sizes = await sizesOf(context, copies);
  const users = new Map<string, number>();
  for (const blob of copies.flatMap(contentOf)) users.set(blob, (users.get(blob) ?? 0) + 1);
  let total = [...users.keys()].reduce((sum, blob) => sum + (sizes.get(blob) ?? 0), 0);
  const now = context.now();
  for (const copy of copies) {
    const unused = now - copy.usedAt;
    if (unused < sureMs || (unused < unusedMs && total <= bytesMax)) continue;
    await drop(copy);
    for (const blob of contentOf(copy)) {
      const left = (users.get(blob) ?? 1) - 1;
      users.set(blob, left);
      if (left === 0) total -= sizes.get(blob) ?? 0;
    }
  }
}

async function listCopies(context: ImageContext, registries: readonly string[]): Promise<readonly Copy[]> {
  const repositories = await listRepositories(context.layout);
  const copies = repositories
    .filter(({name}) => isCopyOf(name, registries))
    .map(async (records) => {
      const uses = new Map((await records.listUses()).map(({digest, usedAt}) => [digest, usedAt]));
      const manifests = await records.listManifests();
      return manifests.map((manifest) => ({records, manifest, usedAt: uses.get(manifest.digest) ?? 0}));
    });
  return (await Promise.all(copies)).flat();
}

function contentOf({manifest: {stored, blobs}}: Copy): readonly string[] {
  return [...new Set([stored, ...blobs])];
}

/** Of what would go with the copies. */
async function sizesOf(context: ImageContext, copies: readonly Copy[]): Promise<ReadonlyMap<string, number>> {
  const blobs = createBlobStore(context.layout.images.blobs);
  const needed = (await reachableBy(blobs, {...(await readRecords(context)), hosted: []})).blobs;
  const sizes = new Map<string, number>();
  for (const digest of new Set(copies.flatMap(contentOf))) {
    const found = needed.has(digest) ? undefined : await blobs.describe(digest).catch(() => undefined);
    sizes.set(digest, found?.size ?? 0);
  }
  return sizes;
}

/** Tags first: none leads to what is not there. */
async function drop({records, manifest: {digest}}: Copy): Promise<void> {
  for (const tag of await records.listTags()) {
    if ((await records.readTag(tag))?.digest === digest) await records.removeTag(tag);
  }
  await records.removeManifest(digest);
}
