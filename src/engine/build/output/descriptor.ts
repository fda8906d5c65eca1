import {sha256Hex} from '../../../base/canonical-json.ts';
import type {Compression} from '../../image/compression.ts';
import type {Platform} from '../../image/platform.ts';

/** Where something is named (OCI image specification, descriptor.md). */
export interface Named {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
}

/** Media types of OCI, or those of Docker's schema 2. */
export function mediaTypesOf(isOci: boolean) {
  const docker = 'application/vnd.docker';
  const oci = 'application/vnd.oci.image';
  const suffix = {none: '', gzip: isOci ? '+gzip' : '.gzip', zstd: isOci ? '+zstd' : '.zstd'} as const;
  const layer = isOci ? `${oci}.layer.v1.tar` : `${docker}.image.rootfs.diff.tar`;
  return {
    index: isOci ? `${oci}.index.v1+json` : `${docker}.distribution.manifest.list.v2+json`,
    manifest: isOci ? `${oci}.manifest.v1+json` : `${docker}.distribution.manifest.v2+json`,
    config: isOci ? `${oci}.config.v1+json` : `${docker}.container.image.v1+json`,
    layer: (compression: Compression) => `${layer}${suffix[compression]}`,
  };
}

/** A document and where it is named. */
export interface Written {
  readonly bytes: Buffer;
  readonly named: Named;
}

export function written(mediaType: string, document: Readonly<Record<string, unknown>>): Written {
  const bytes = Buffer.from(JSON.stringify(document));
  return {bytes, named: {mediaType, digest: `sha256:${sha256Hex(bytes)}`, size: bytes.length}};
}

/** Nothing where there are none. */
export function withAnnotations(annotations: Readonly<Record<string, string>>): Pick<Named, 'annotations'> {
  return Object.keys(annotations).length === 0 ? {} : {annotations};
}
