import type {ContainerConfig} from './container.ts';

/** What an image says of builds upon it. */
export interface ImageBuildConfig {
  /** Instructions that a build carries out first, as the Dockerfile had them. */
  readonly OnBuild?: readonly string[] | null;
  /** What `RUN`, `CMD` and `ENTRYPOINT` without brackets are run by. */
  readonly Shell?: readonly string[] | null;
  /** `CMD` is written out in full; of use for Windows only. */
  readonly ArgsEscaped?: boolean;
}

export interface ImageInspect {
  /** `sha256:…` of the image configuration. */
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Created: string;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  readonly Author?: string;
  readonly Comment?: string;
  readonly Size: number;
  /** When one of its names was last given to it, or confirmed by a registry. */
  readonly Metadata?: {readonly LastTagTime?: string};
  readonly Config: ContainerConfig & ImageBuildConfig;
  readonly RootFS: {readonly Type: 'layers'; readonly Layers: readonly string[]};
}

export interface ImageSummary {
  readonly Id: string;
  readonly ParentId: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  /** Unix seconds. */
  readonly Created: number;
  readonly Size: number;
  readonly SharedSize: number;
  readonly Containers: number;
  readonly Labels: Readonly<Record<string, string>> | null;
  /** Where they are asked for: what the name's index leads to. */
  readonly Manifests?: readonly ImageManifestSummary[];
}

/** An entry of an index, as a list of images tells it. */
export interface ImageManifestSummary {
  /** Digest of its manifest. */
  readonly ID: string;
  readonly Descriptor: OciDescriptor;
  /** Whether all of it is on this machine. */
  readonly Available: boolean;
  readonly Size: {readonly Content: number; readonly Total: number};
  readonly Kind: 'image' | 'attestation' | 'unknown';
  readonly ImageData?: {
    readonly Platform: OciPlatform;
    /** Ids of containers that use it. */
    readonly Containers: readonly string[];
    readonly Size: {readonly Unpacked: number};
  };
  readonly AttestationData?: {readonly For: string};
}

export interface OciDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: OciPlatform;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/** A manifest of a registry, byte for byte. */
export interface RegistryManifest {
  readonly Descriptor: OciDescriptor;
  /** Its bytes as base64. */
  readonly Raw: string;
}

/** One line of a load, import, pull or build stream. An `error` in it ends the stream and is thrown by our client. */
export interface ImageProgress {
  readonly status?: string;
  readonly stream?: string;
  readonly id?: string;
  readonly progressDetail?: {readonly current?: number; readonly total?: number};
  readonly aux?: unknown;
  readonly error?: string;
  readonly errorDetail?: {readonly message: string; readonly code?: number; readonly kind?: string};
}

/** A step that made an image. */
export interface ImageHistoryItem {
  /** The image's id for the last step, `<missing>` for those before. */
  readonly Id: string;
  /** Unix seconds. */
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[] | null;
  readonly Size: number;
  readonly Comment: string;
}

export interface ImageDeleteItem {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

/** One that a registry was found to have. */
export interface ImageSearchResult {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
  readonly is_automated: boolean;
}

/** As indexes name them. */
export interface OciPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** What a registry has under a name. */
export interface DistributionInspect {
  readonly Descriptor: {readonly mediaType: string; readonly digest: string; readonly size: number};
  readonly Platforms: readonly OciPlatform[];
  /** Where they are asked for: what the name stands for, then what that names, where it is an index. */
  readonly Manifests?: readonly RegistryManifest[];
  /** Where they are asked for: what says something about it. */
  readonly Referrers?: readonly OciDescriptor[];
}

/** Credentials for a registry: the body of `POST /auth`, and of the header `X-Registry-Auth` (base64url of JSON). */
export interface AuthConfig {
  readonly username?: string;
  readonly password?: string;
  /** base64 of `user:password`, in place of the two. */
  readonly auth?: string;
  readonly email?: string;
  readonly serveraddress?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

export interface AuthAnswer {
  readonly Status: string;
  /** A token to keep in place of the password; empty where the registry gives none. */
  readonly IdentityToken: string;
}
