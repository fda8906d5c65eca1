import {TscomposeError} from '../../base/errors.ts';
import {type Descriptor, depthMax, isImageDescriptor} from '../image/descriptors.ts';
import {bestPlatform, formatPlatform, type Platform} from '../image/platform.ts';
import type {Connection} from './connection.ts';
import {fetchManifest, type Manifest} from './manifest.ts';

/** What a name stands for, and the one of its platforms that was taken. */
export interface Resolved {
  /** The manifest or index that the name stands for. */
  readonly target: Manifest;
  /** From the target down to the image, the target and the image among them. */
  readonly path: readonly Manifest[];
  readonly image: Manifest & {readonly content: {readonly kind: 'image'}};
}

export interface ResolveRequest {
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
  readonly platform: Platform;
  /** What to name in messages: `redis:7`. */
  readonly name: string;
  readonly signal: AbortSignal;
}

/** Follows indexes to the image for a platform. Throws `notFound` where there is none for it, `invalid` for a circle. */
export async function resolveImage(connection: Connection, request: ResolveRequest): Promise<Resolved> {
  const {repository, signal, name, platform} = request;
  const target = await fetchManifest(connection, {repository, reference: request.reference, signal});
  const path: Manifest[] = [target];
  for (;;) {
    const manifest = path.at(-1) ?? target;
    const {content} = manifest;
    if (content.kind === 'image') return {target, path, image: {...manifest, content}};
    if (path.length > depthMax)
      throw new TscomposeError('invalid', `image "${name}": its indexes are nested too deeply`);
    const chosen = choosePlatform(content.manifests, platform, name);
    if (path.some(({digest}) => digest === chosen.digest)) {
      throw new TscomposeError('invalid', `image "${name}": index ${chosen.digest} contains itself`);
    }
    path.push(await fetchChild(connection, repository, chosen, signal));
  }
}

/** A manifest that an index names. Throws `invalid` for one that is not as the index says. */
export async function fetchChild(
  connection: Connection,
  repository: string,
  {digest, size, mediaType}: Descriptor,
  signal: AbortSignal,
): Promise<Manifest> {
  const manifest = await fetchManifest(connection, {repository, reference: digest, signal});
  const what = `registry ${connection.endpoint.registry}: manifest ${repository}@${digest}`;
  if (manifest.bytes.length !== size) {
    throw new TscomposeError('invalid', `${what} has ${manifest.bytes.length} bytes, where its index says ${size}`);
  }
  if (mediaType !== '' && manifest.mediaType !== mediaType) {
    throw new TscomposeError('invalid', `${what} is of type ${manifest.mediaType}, where its index says ${mediaType}`);
  }
  return manifest;
}

function choosePlatform(manifests: readonly Descriptor[], wanted: Platform, name: string): Descriptor {
  const images = manifests.filter(isImageDescriptor);
  const best = bestPlatform(images, wanted);
  if (best !== undefined) return best;
  // One that says nothing of its platform may be meant for any.
  const silent = images.filter(({platform}) => platform === undefined);
  if (silent.length === 1 && silent[0] !== undefined && images.length === 1) return silent[0];
  const has = images.map(({platform}) => (platform === undefined ? 'unknown' : formatPlatform(platform)));
  throw new TscomposeError(
    'notFound',
    `image "${name}": no matching manifest for ${formatPlatform(wanted)} in the manifest list entries`,
    {hint: has.length === 0 ? 'it has no image at all' : `it is there for ${has.join(', ')}`},
  );
}
