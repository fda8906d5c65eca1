import type {BuildEvent} from '../api/types/build.ts';
import type {ImageProgress} from '../api/types/image.ts';
import type {ErrorKind} from '../base/errors.ts';
import type {Notice, Plan, PlanNode} from '../plan/action.ts';
import type {WatchContent} from './watch-event.ts';

/** What a command tells while it works; values that JSON can hold. Every event carries the time, in ms since the epoch. */
export type ProgressEvent = {readonly time: number} & ProgressContent;

export type ProgressContent =
  /** Another process works on the same project: this one waits for its turn. */
  | {readonly kind: 'lockWait'; readonly project: string}
  /** A wave begins: everything that is to be done as seen now. */
  | {readonly kind: 'planned'; readonly wave: number; readonly plan: Plan}
  | {readonly kind: 'nodeStarted'; readonly node: PlanNode}
  /** `kept`: it was left as it is, and a notice says why. */
  | {
      readonly kind: 'nodeDone';
      readonly node: PlanNode;
      readonly tookMs: number;
      readonly container?: ContainerInfo;
      readonly kept?: true;
    }
  /** How far something that takes long has come. */
  | {readonly kind: 'nodeProgress'; readonly node: PlanNode; readonly detail: string}
  /** An image is built; `build` tells it from others that are built meanwhile: a service; empty: it is alone. */
  | {
      readonly kind: 'build';
      readonly build: string;
      readonly node?: PlanNode;
      readonly event: BuildEvent | BuildBounds;
    }
  /** An image comes from its registry, or goes to it: a line as the engine tells it. */
  | {readonly kind: 'transfer'; readonly image: string; readonly progress: ImageProgress}
  | {readonly kind: 'nodeFailed'; readonly node: PlanNode; readonly failure: FailureInfo}
  | {readonly kind: 'nodeSkipped'; readonly node: PlanNode; readonly reason: string}
  /** A condition that is waited for; again whenever its detail changes. */
  | {readonly kind: 'waiting'; readonly wait: WaitInfo; readonly detail: string}
  | {
      readonly kind: 'waitEnded';
      readonly wait: WaitInfo;
      readonly outcome: 'met' | 'failed';
      readonly failure?: FailureInfo;
    }
  | {readonly kind: 'notice'; readonly notice: Notice}
  | {readonly kind: 'summary'; readonly command: string; readonly summary: Summary}
  | WatchContent;

/** When a build begins, and that it ends without what it was for; one that ends well tells what came of it. */
export type BuildBounds = {readonly kind: 'began'} | {readonly kind: 'ended'; readonly outcome: 'failed' | 'canceled'};

export interface ContainerInfo {
  readonly id: string;
  readonly name: string;
  readonly service: string;
}

export interface WaitInfo {
  readonly service: string;
  readonly containers: readonly string[];
  readonly condition: 'service_started' | 'service_healthy' | 'service_completed_successfully' | 'running_or_healthy';
}

export interface FailureInfo {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly hint?: string;
  /** What is known of the container that failed. */
  readonly evidence?: Evidence;
}

export interface Evidence {
  readonly container: string;
  /** The last health probe. */
  readonly probe?: {readonly exitCode: number; readonly output: string};
  /** The last lines of its log. */
  readonly log?: readonly string[];
}

export interface Summary {
  readonly outcome: 'done' | 'failed' | 'canceled';
  readonly tookMs: number;
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
}

export type Report = (event: ProgressContent) => void;
