/** A cache elsewhere that a build may take results of steps from. Paths are absolute. */
export type BuildCacheSource =
  /** A cache that was pushed, or an image with a cache in it. */
  | {readonly kind: 'registry'; readonly reference: string}
  /** An OCI layout; `digest` goes before `tag` (`latest`). */
  | {readonly kind: 'local'; readonly path: string; readonly tag?: string; readonly digest?: string};

/** How layers are packed on their way out. */
export interface LayerPacking {
  /** Absent: gzip. What is compressed already stays as it is, unless `force` is given. */
  readonly compression?: 'uncompressed' | 'gzip' | 'zstd';
  readonly level?: number;
  readonly force?: boolean;
}

interface CacheExport extends LayerPacking {
  /** `min`: of the steps that the image's own layers are of. `max`: of all steps that the build went through. */
  readonly mode: 'min' | 'max';
  /** Absent: yes. */
  readonly ociMediaTypes?: boolean;
  /** In the shape of an image (absent), or of an index as older registries have it. */
  readonly imageManifest?: boolean;
  /** A failure is a warning. */
  readonly ignoreError?: boolean;
}

/** A place where results of steps are kept for other engines. */
export type BuildCacheTarget =
  /** In the configuration of the image itself. */
  | {readonly kind: 'inline'}
  | ({readonly kind: 'registry'; readonly reference: string} & CacheExport)
  /** `reset`: nothing else stays in the layout. */
  | ({readonly kind: 'local'; readonly path: string; readonly tag?: string; readonly reset?: boolean} & CacheExport);
