/** A note of a manifest, of an index, or of where one is named (OCI image specification, annotations.md). */
export interface BuildAnnotation {
  readonly of: 'manifest' | 'index' | 'manifest-descriptor' | 'index-descriptor';
  /** Of the image for this platform alone. */
  readonly platform?: string;
  readonly key: string;
  readonly value: string;
}

/** How an image is written, by the keys that BuildKit's outputs have. What is absent is left to the kind of output. */
export interface ImageForm {
  readonly compression?: 'uncompressed' | 'gzip' | 'zstd';
  readonly compressionLevel?: number;
  /** Layers that are compressed otherwise, too: those of images below. */
  readonly forceCompression?: boolean;
  readonly ociMediaTypes?: boolean;
  readonly annotations?: readonly BuildAnnotation[];
  /** No time in a layer that was built is later than SOURCE_DATE_EPOCH. */
  readonly rewriteTimestamp?: boolean;
  /** In place of the names of the build. */
  readonly names?: readonly string[];
}

/** Where an image is written to; `directory`: as a layout in a directory, in place of an archive. */
interface ArchiveForm extends ImageForm {
  readonly path: string;
  readonly directory?: boolean;
}

/** `split`: in a directory for each platform; as if set where there are several. */
interface FilesForm {
  readonly path: string;
  readonly split?: boolean;
}

/** What is made of a build. Paths are absolute. */
export type BuildOutput =
  /** Into the store of images; `push`: and from there to the registries of its names. */
  | ({readonly kind: 'image'; readonly push: boolean} & ImageForm)
  | ({readonly kind: 'oci'} & ArchiveForm)
  /** What `docker load` reads, too. */
  | ({readonly kind: 'docker'} & ArchiveForm)
  /** The files alone. */
  | ({readonly kind: 'tar'} & FilesForm)
  | ({readonly kind: 'local'} & FilesForm);

/** What is attested of how an image was made (SLSA provenance, in the words of BuildKit). */
export interface BuildProvenance {
  readonly mode: 'min' | 'max';
  readonly version: 'v0.2' | 'v1';
  readonly builderId?: string;
  /** Whoever builds says that the same comes out again. */
  readonly reproducible?: boolean;
}
