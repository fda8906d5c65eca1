import type {Diagnostic} from '../../base/diagnostic.ts';
import type {BuildCacheSource, BuildCacheTarget} from './build-cache.ts';
import type {BuildOutput, BuildProvenance} from './build-output.ts';
import type {Ulimit} from './container.ts';
import type {AuthConfig, ImageProgress} from './image.ts';

/**
 * Files that are fetched or unpacked first. `url`: as it is written, with what a repository's address may have
 * (`#ref:directory`). An archive is a file of the engine's machine.
 */
export type FetchedSource =
  | {readonly kind: 'git'; readonly url: string}
  | {readonly kind: 'http'; readonly url: string}
  | {readonly kind: 'archive'; readonly path: string};

/** Where named files come from besides the main context. */
export type BuildContextSource =
  | {readonly kind: 'directory'; readonly path: string}
  /** `built`: of the same stack, and so not to be looked for elsewhere. */
  | {readonly kind: 'image'; readonly reference: string; readonly built?: boolean}
  /** An image of an OCI layout, which is a directory. */
  | {readonly kind: 'layout'; readonly path: string; readonly tag?: string; readonly digest?: string}
  | FetchedSource;

/** The text of a Dockerfile, and how people know it. */
export interface DockerfileText {
  readonly text: string;
  readonly shown: string;
}

/** Or where it is: in a context that is fetched, or at an address of its own. */
export type BuildDockerfile = DockerfileText | {readonly inContext: string} | {readonly url: string};

/** A secret that steps may mount: a file of the machine, or its content in base64. */
export interface BuildSecret {
  readonly id: string;
  readonly content: {readonly path: string} | {readonly base64: string};
  /** Whose the file is, and its mode, where a step that mounts it does not say so itself. */
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
}

/** An agent for keys. */
export interface BuildAgent {
  readonly id: string;
  /** Its socket, or the file of a private key, which is then served in place of one. */
  readonly socket: string;
  /** Files of further keys. */
  readonly keys?: readonly string[];
}

/** What a build is asked for, where the engine sees the caller's files (feature `files`). Paths are absolute. */
export interface BuildBody {
  /** The main context: a directory. Absent: `source`, or an empty one. */
  readonly context?: string;
  /** The main context where it is fetched first. */
  readonly source?: FetchedSource;
  readonly dockerfile: BuildDockerfile;
  /** The text of the ignore file that holds for it. */
  readonly ignore?: string;
  readonly target?: string;
  readonly arguments: Readonly<Record<string, string>>;
  readonly contexts: Readonly<Record<string, BuildContextSource>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Names for the image, as people write them. */
  readonly tags: readonly string[];
  /** Absent or empty: the machine's. Several: an index of as many images. */
  readonly platforms?: readonly string[];
  /** Images below are asked for at their registries also where they are here. */
  readonly pull?: boolean;
  /** `true`: nothing is taken from the cache. A list: not for stages of these names. */
  readonly noCache: boolean | readonly string[];
  readonly network: 'default' | 'none' | 'host';
  readonly extraHosts: readonly string[];
  readonly secrets: readonly BuildSecret[];
  readonly agents: readonly BuildAgent[];
  /** Bytes; absent: as containers have it. */
  readonly shmSize?: number;
  readonly ulimits: readonly Ulimit[];
  readonly cgroupParent?: string;
  /** Credentials for images that are pulled, by registry: as `X-Registry-Config` has them. */
  readonly auths?: Readonly<Record<string, AuthConfig>>;
  /** Caches elsewhere that results of steps are taken from, in this order. */
  readonly cacheFrom?: readonly BuildCacheSource[];
  /** Where results of steps are kept for other engines. */
  readonly cacheTo?: readonly BuildCacheTarget[];
  /**
   * Which image each name stands for that a Dockerfile has for images below: by the name in full (`docker.io/library/redis:7`),
   * with a digest. Given: names that are not among them are refused, unless they have a digest themselves.
   */
  readonly pins?: Readonly<Record<string, string>>;
  /** What steps may ask for: `network.host`, `security.insecure`. */
  readonly allow: readonly string[];
  /** Absent or empty: an image in the store. */
  readonly outputs?: readonly BuildOutput[];
  /** To be attested with the image. */
  readonly provenance?: BuildProvenance;
  /** Tell for every step why it was cached or not. */
  readonly explain?: boolean;
  /** Hold the first step that fails, with a shell in it, until that shell ends or the build is given up. */
  readonly debug?: {
    /** What the shell is told of the terminal: TERM. */
    readonly term: string;
  };
}

/** Why a step was cached or not. */
export type ExplainedStep =
  /** `from`: a cache elsewhere. */
  | {readonly verdict: 'cached'; readonly from?: string}
  | {readonly verdict: 'built'; readonly reasons: readonly string[]};

/** What is told while something is built. A step has the same number in all that is told of it. */
export type BuildEvent =
  | {readonly kind: 'warning'; readonly warning: Diagnostic}
  | {readonly kind: 'note'; readonly text: string}
  /** An image that is built upon is not here, and comes from its registry. */
  | {readonly kind: 'pull'; readonly reference: string; readonly progress: ImageProgress}
  | {readonly kind: 'pulled'; readonly reference: string}
  | {readonly kind: 'step'; readonly step: number; readonly title: string; readonly status: 'start'}
  | {readonly kind: 'step'; readonly step: number; readonly status: 'cached' | 'done' | 'failed' | 'canceled'}
  | {readonly kind: 'output'; readonly step: number; readonly stream: 'stdout' | 'stderr'; readonly text: string}
  | {readonly kind: 'explained'; readonly step: number; readonly explained: ExplainedStep}
  /** A step failed and is held: `shell` runs in `container`, and waits for somebody to attach. Absent: its files have none. */
  | {
      readonly kind: 'held';
      readonly step: number;
      readonly failure: Diagnostic;
      /** It has left nothing: the shell sees the files that were there before it. */
      readonly before?: true;
      readonly shell?: {readonly container: string; readonly command: string};
    }
  /** `image`: the image's id; of several platforms the digest of their index. */
  | {readonly kind: 'built'; readonly image: string; readonly names: readonly string[]}
  | {readonly kind: 'pushing'; readonly status: string}
  | {readonly kind: 'exported'; readonly path: string}
  /** At the end: what there is to know of what was built, by the keys that BuildKit has. */
  | {readonly kind: 'metadata'; readonly metadata: Readonly<Record<string, unknown>>};

/** A line of Docker's own answer to a build (`POST /build`). */
export interface BuildProgress {
  readonly stream?: string;
  /** `moby.image.id` beside `aux`: to those who asked for a session of BuildKit. */
  readonly id?: string;
  readonly aux?: {readonly ID: string};
  readonly status?: string;
}
