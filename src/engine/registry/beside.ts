import {mapLimited} from '../../base/concurrency.ts';
import {hasKind, TscomposeError} from '../../base/errors.ts';
import {attestedManifest, type Descriptor, depthMax, isManifestType} from '../image/descriptors.ts';
import {bringBlob, downloadsMax, type OnePull} from './bring-blob.ts';
import type {Manifest} from './manifest.ts';
import {fetchChild, type Resolved} from './resolve.ts';

/** A manifest of an index beside that of the image that is unpacked, and what it names. */
export interface Beside {
  readonly manifest: Manifest;
  readonly blobs: readonly Descriptor[];
}

/** Indexes in indexes: more than this is no image. */
const manifestsMax = 1000;
/** What is said about an image is small, unless somebody wants to fill the disk: then it is left where it is. */
const attestations = {most: 8, bytes: 64 * 1024 * 1024} as const;

/**
 * What of an index comes with an image: what is attested of it, so that the image stays whole when it is pushed elsewhere; and
 * everything, where that is asked for. What the registry does not have is left out, as are things that are no manifests.
 */
export async function fetchBeside(
  work: OnePull,
  repository: string,
  {target, path, image}: Resolved,
): Promise<readonly Beside[]> {
  const known = new Set(path.map(({digest}) => digest));
  const found: Beside[] = [];
  const wanted = (descriptor: Descriptor) => work.allPlatforms || attestedManifest(descriptor) === image.digest;
  let level: readonly Manifest[] = work.allPlatforms ? [target] : path;
  for (let depth = 0; depth < depthMax && level.length > 0; depth++) {
    const named = level.flatMap(({content}) => (content.kind === 'index' ? content.manifests : [])).filter(wanted);
    const fresh = [...new Map(named.map((child) => [child.digest, child])).values()].filter(
      ({digest, mediaType}) => !known.has(digest) && isManifestType(mediaType),
    );
    for (const {digest} of fresh) known.add(digest);
    if (known.size > manifestsMax) {
      throw new TscomposeError('invalid', `${repository}: its indexes lead to more than ${manifestsMax} manifests`);
    }
    const some = work.allPlatforms ? fresh : fresh.slice(0, attestations.most);
    const manifests = await mapLimited(some, downloadsMax, (child) => fetchOne(work, repository, child));
    const there = manifests.filter((manifest) => manifest !== undefined);
    found.push(...there.map((manifest) => ({manifest, blobs: blobsOf(manifest)})));
    // Indexes on the way to the image are known, and lead further.
    level = work.allPlatforms
      ? [...there, ...path.filter(({digest}) => named.some((child) => child.digest === digest))]
      : [];
  }
  return work.allPlatforms ? found : found.filter(({blobs}) => bytesOf(blobs) <= attestations.bytes);
}

async function fetchOne(work: OnePull, repository: string, child: Descriptor): Promise<Manifest | undefined> {
  try {
    return await fetchChild(work.connection, repository, child, work.signal);
  } catch (error) {
    if (hasKind(error, 'notFound', 'unsupported')) return undefined;
    throw error;
  }
}

function blobsOf({content}: Manifest): readonly Descriptor[] {
  return content.kind === 'image' ? [content.config, ...content.layers] : [];
}

function bytesOf(blobs: readonly Descriptor[]): number {
  return blobs.reduce((sum, {size}) => sum + size, 0);
}

/** What comes is kept, and read by no one. */
const nobody = {arrive() {}, fail() {}};

/** One that the registry lacks is left out, too: then the index is passed on without it, or not at all. */
export async function bringBeside(work: OnePull, repository: string, beside: readonly Beside[]): Promise<void> {
  const blobs = [...new Map(beside.flatMap((one) => one.blobs).map((blob) => [blob.digest, blob])).values()];
  await mapLimited(blobs, downloadsMax, async (blob) => {
    try {
      await bringBlob(work, repository, blob, work.allPlatforms ? nobody : undefined);
    } catch (error) {
      if (!hasKind(error, 'notFound')) throw error;
    }
  });
}
