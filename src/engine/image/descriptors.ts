import {TscomposeError} from '../../base/errors.ts';
import type {BlobStore} from './blobs.ts';
import {isObject, parseJson} from './configuration.ts';
import type {Platform} from './platform.ts';
import {isDigest} from './reference.ts';

/** OCI image spec, descriptor.md. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations: Readonly<Record<string, unknown>>;
}

/** Manifests and indexes are small; a larger one is an attack on memory (registries refuse them above 4 MiB). */
export const manifestMax = 4 * 1024 * 1024;
/** Indexes in indexes: more than this is no image. */
export const depthMax = 4;

export const manifestTypes: readonly string[] = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
export const indexTypes: readonly string[] = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

/** Throws `invalid`; `what` names where it stands. */
export function parseDescriptor(value: unknown, what: string): Descriptor {
  const {mediaType, digest, size, platform, annotations} = isObject(value) ? value : {};
  if (typeof digest === 'string' && /^sha(512|384):/.test(digest)) {
    throw new TscomposeError('unsupported', `${what} has the digest ${digest.slice(0, 20)}…: only sha256 is supported`);
  }
  if (typeof digest !== 'string' || !isDigest(digest) || !isSize(size)) {
    throw new TscomposeError('invalid', `${what} has no sha256 digest and size`);
  }
  const {os, architecture, variant} = isObject(platform) ? platform : {};
  return {
    mediaType: typeof mediaType === 'string' ? mediaType : '',
    digest,
    size,
    ...(typeof os === 'string' && typeof architecture === 'string'
      ? {platform: {os, architecture, ...(typeof variant === 'string' && variant ? {variant} : {})}}
      : {}),
    annotations: isObject(annotations) ? annotations : {},
  };
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Attestations stand beside images in an index. */
export function isImageDescriptor({annotations, platform}: Descriptor): boolean {
  return annotations['vnd.docker.reference.type'] !== 'attestation-manifest' && platform?.os !== 'unknown';
}

/** The digest of the manifest that an attestation is about; undefined for what is none. */
export function attestedManifest({annotations}: Descriptor): string | undefined {
  if (annotations['vnd.docker.reference.type'] !== 'attestation-manifest') return undefined;
  const about = annotations['vnd.docker.reference.digest'];
  return typeof about === 'string' ? about : '';
}

/** One of the two, never both: what a checker saw must be what is used (CVE-2021-41190). Throws `invalid`, `unsupported`. */
export function checkShape(
  value: Readonly<Record<string, unknown>>,
  {digest, mediaType}: Pick<Descriptor, 'digest' | 'mediaType'>,
): 'index' | 'manifest' {
  const isIndex = 'manifests' in value;
  const isManifest = 'layers' in value || 'config' in value;
  const says = typeof value['mediaType'] === 'string' ? value['mediaType'] : mediaType;
  const named = /index|manifest\.list/.test(says) ? 'index' : 'manifest';
  if (isIndex !== isManifest && (isIndex ? 'index' : 'manifest') === named) return named;
  const schema1 = 'fsLayers' in value;
  throw schema1
    ? new TscomposeError('unsupported', `manifest ${digest} has the old schema 1, which is not supported`)
    : new TscomposeError('invalid', `manifest ${digest} is not of its type ${says}`);
}

/** What a manifest or an index names, in its order: configuration first. */
export function namedBy(value: Readonly<Record<string, unknown>>, what: string): readonly Descriptor[] {
  const list = (member: 'manifests' | 'layers') => {
    const found = value[member];
    return (Array.isArray(found) ? found : []).map((item: unknown, index) =>
      parseDescriptor(item, `${what}: ${member}[${index}]`),
    );
  };
  if ('manifests' in value) return list('manifests');
  return [parseDescriptor(value['config'], `${what}: config`), ...list('layers')];
}

type Root = Pick<Descriptor, 'digest'> & {readonly mediaType?: string};

/** The digests that a manifest or an index leads to, its own first, as far as the store has them and can read them. */
export async function reachableFrom(store: BlobStore, root: Root): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  let level: readonly Root[] = [root];
  for (let depth = 0; depth <= depthMax && level.length > 0; depth++) {
    const below: Descriptor[] = [];
    for (const {digest} of level) {
      if (found.has(digest)) continue;
      found.add(digest);
      for (const child of await childrenOf(store, digest)) {
        if (isManifestType(child.mediaType)) below.push(child);
        else found.add(child.digest);
      }
    }
    level = below;
  }
  return found;
}

/** The bytes of a manifest or an index; undefined where it is not there, or is larger than any can be. */
export async function readSmallManifest(store: BlobStore, digest: string): Promise<Uint8Array | undefined> {
  const found = await store.describe(digest).catch(() => undefined);
  return found === undefined || found.size > manifestMax ? undefined : await store.read(digest);
}

export function isManifestType(mediaType: string): boolean {
  return manifestTypes.includes(mediaType) || indexTypes.includes(mediaType);
}

/** Nothing of one that is missing or damaged: a platform that did not come, or what a check of the store reports. */
async function childrenOf(store: BlobStore, digest: string): Promise<readonly Descriptor[]> {
  try {
    const bytes = await readSmallManifest(store, digest);
    return bytes === undefined ? [] : namedBy(parseJson(bytes, digest), digest);
  } catch {
    return [];
  }
}
