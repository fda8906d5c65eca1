import {sha256Hex} from '../../../base/canonical-json.ts';
import {TscomposeError} from '../../../base/errors.ts';
import type {Descriptor} from '../../image/descriptors.ts';
import type {Manifest} from '../../registry/manifest.ts';
import {cacheConfigType} from './config.ts';

/** What a manifest names, without what only indexes of images say. */
export type NamedBlob = Pick<Descriptor, 'mediaType' | 'digest' | 'size'>;

/** The shape that a cache has in a registry or a layout. */
export interface CacheShape {
  readonly ociMediaTypes?: boolean;
  readonly imageManifest?: boolean;
}

export const ociIndexType = 'application/vnd.oci.image.index.v1+json';
const ociManifestType = 'application/vnd.oci.image.manifest.v1+json';
const dockerListType = 'application/vnd.docker.distribution.manifest.list.v2+json';

/** A cache as an image whose configuration is the list of results, or as an index that names all, the list last. */
export function makeCacheManifest(
  config: NamedBlob,
  layers: readonly NamedBlob[],
  {ociMediaTypes = true, imageManifest = ociMediaTypes}: CacheShape,
): Pick<Manifest, 'bytes' | 'mediaType' | 'digest'> {
  const mediaType = imageManifest ? ociManifestType : ociMediaTypes ? ociIndexType : dockerListType;
  const content = imageManifest ? {config, layers} : {manifests: [...layers, config]};
  const bytes = Buffer.from(JSON.stringify({schemaVersion: 2, mediaType, ...content}));
  return {bytes, mediaType, digest: `sha256:${sha256Hex(bytes)}`};
}

/** The list of results that a manifest names, and its layers by their digests. Undefined: it is no cache. */
export function readCacheManifest({
  content,
}: Pick<Manifest, 'content'>):
  | {readonly config: Descriptor; readonly layers: ReadonlyMap<string, Descriptor>}
  | undefined {
  const named = content.kind === 'image' ? [...content.layers, content.config] : content.manifests;
  const config = named.find(({mediaType}) => mediaType === cacheConfigType);
  if (config === undefined) return undefined;
  const layers = named.filter((descriptor) => descriptor !== config);
  return {config, layers: new Map(layers.map((layer) => [layer.digest, layer]))};
}

/** The descriptor of a layer that a list of results names. Throws `invalid` where the manifest does not name it, too. */
export function layerNamed(layers: ReadonlyMap<string, Descriptor>, digest: string, what: string): Descriptor {
  const found = layers.get(digest);
  if (found !== undefined) return found;
  throw new TscomposeError('invalid', `${what}: layer ${digest} is not in its manifest`);
}
