import type {BuildBody} from '../../api/types/build.ts';
import type {AuthConfig, ImageProgress} from '../../api/types/image.ts';
import type {ContainerContext} from '../container/context.ts';
import type {BuildClient} from '../engine.ts';
import type {ImageContext} from '../image/context.ts';
import type {ContentSession} from '../image/session.ts';
import type {RegistryPart} from '../registry/registry.ts';
import type {Web} from '../web.ts';
import type {HostEnvironment} from './fetch/git-environment.ts';
import type {FetchLimits} from './fetch/limits.ts';

/** What is built. */
export interface BuildRequest extends BuildBody {
  /** Who has the files and secrets that are not on this machine. */
  readonly client?: BuildClient;
}

/** What builds work with. */
export interface BuildContext {
  /** Steps run as containers. */
  readonly containers: ContainerContext;
  readonly images: ImageContext;
  /** Brings an image from its registry, while its lines are read. */
  readonly pull: (
    image: {
      readonly reference: string;
      readonly platform: string | undefined;
      readonly auth: AuthConfig;
      /** A name that gets it as another platform of what it stands for. */
      readonly beside?: string;
    },
    signal: AbortSignal,
  ) => AsyncIterable<ImageProgress>;
  /** Sends an image of the store to its registry. */
  readonly push: RegistryPart['push'];
  /** Where a registry's content is, mirrors first where something is pulled. */
  readonly reach: RegistryPart['reach'];
  /** Where files of the network come from. */
  readonly web: Web;
  /** How contexts of the network are brought. */
  readonly fetching: {readonly environment: HostEnvironment; readonly limits: FetchLimits};
  /** Steps of one build that work at the same time. */
  readonly concurrency: number;
}

/** The same, for one build: what it finds and makes stays until its end. */
export interface BuildWork extends BuildContext {
  readonly session: ContentSession;
}
