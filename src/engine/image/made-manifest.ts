import {sha256Hex} from '../../base/canonical-json.ts';
import type {BlobStore} from './blobs.ts';
import type {Compression} from './compression.ts';

/** A layer as a manifest names it. */
export interface LayerDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface MadeManifest {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Buffer;
  readonly config: LayerDescriptor;
}

const mediaType = 'application/vnd.oci.image.manifest.v1+json';
const configType = 'application/vnd.oci.image.config.v1+json';
const layerType = 'application/vnd.oci.image.layer.v1.tar';

export function layerTypeOf(compression: Compression): string {
  return compression === 'none' ? layerType : `${layerType}+${compression}`;
}

/**
 * The manifest of an image that came without one (a build, an archive, a commit), whose configuration is in the store: as
 * Docker writes it. The same image with the same archives makes the same bytes, wherever they are asked for.
 */
export async function makeManifest(
  blobs: Pick<BlobStore, 'describe'>,
  image: string,
  layers: readonly LayerDescriptor[],
): Promise<MadeManifest> {
  const config = {mediaType: configType, digest: image, size: (await blobs.describe(image)).size};
  const named = layers.map((layer) => ({mediaType: layer.mediaType, digest: layer.digest, size: layer.size}));
  const bytes = Buffer.from(JSON.stringify({schemaVersion: 2, mediaType, config, layers: named}));
  return {mediaType, digest: `sha256:${sha256Hex(bytes)}`, bytes, config};
}
