import type {FailureInfo} from './event.ts';

/** What set something off: the first few changed paths, relative to the project's directory, and how many more there are. */
export interface WatchCause {
  readonly paths: readonly string[];
  readonly more: number;
}

/** Of one service, over its latest saves; milliseconds. */
export interface WatchTimes {
  readonly service: string;
  readonly saves: number;
  /** From the save until the files were in all running containers. */
  readonly visible?: {readonly p50Ms: number; readonly p95Ms: number};
  /** From the save until the restarted containers were healthy, or, without a probe, ran. */
  readonly serving?: {readonly p50Ms: number; readonly p95Ms: number};
}

/** What watching tells; values that JSON can hold, as all progress. Containers are told by name. */
export type WatchContent =
  /** Saves are noticed from now on; again after the stack file changed what is watched. */
  | {
      readonly kind: 'watchReady';
      readonly services: readonly {readonly service: string; readonly rules: number}[];
      readonly directories: number;
      readonly files: number;
      /** How changes are noticed: `files`, `directories` or `polling`. */
      readonly backend: string;
      readonly tookMs: number;
    }
  /** Changes that came together and concern these services. */
  | {
      readonly kind: 'watchBatch';
      readonly services: readonly string[];
      readonly cause: WatchCause;
      readonly changes: number;
      /** Too many to follow one by one, or some were lost: everything was compared by content. */
      readonly storm: boolean;
    }
  | {
      readonly kind: 'watchSynced';
      readonly service: string;
      readonly cause: WatchCause;
      readonly containers: readonly string[];
      readonly written: number;
      readonly deleted: number;
      readonly tookMs: number;
      /** A restart or a command follows, which tells of it too. */
      readonly leadsOn?: true;
      /** Since the save; absent where nothing was saved just now: a container that came back, the start of watching. */
      readonly visibleMs?: number;
    }
  | {
      readonly kind: 'watchRestarted';
      readonly service: string;
      readonly cause: WatchCause;
      readonly containers: readonly string[];
      /** Absent where nothing was to be synced. */
      readonly syncMs?: number;
      readonly restartMs: number;
      /** From the start of the restart until the outcome was known. */
      readonly outcomeMs: number;
      /** `running`: there is no probe. `starting`: not known within the time that is waited for it. */
      readonly outcome: 'healthy' | 'running' | 'starting' | 'unhealthy' | 'exited';
      /** Since the save, where it serves. */
      readonly servingMs?: number;
      /** That time over the latest saves of the service; there from the second one on. */
      readonly latest?: {readonly saves: number; readonly p50Ms: number; readonly p95Ms: number};
    }
  /** An image was built, and the containers of the service replaced; `unchanged`: the image is what it was. */
  | {
      readonly kind: 'watchRebuilt';
      readonly service: string;
      readonly cause: WatchCause;
      /** Those that were started. */
      readonly containers: readonly string[];
      readonly buildMs: number;
      /** From the end of the build until the outcome was known. */
      readonly outcomeMs: number;
      readonly outcome: 'unchanged' | 'healthy' | 'running' | 'starting' | 'unhealthy' | 'exited';
      /** Since the save, where it serves. */
      readonly servingMs?: number;
      /** That time over the latest saves of the service; there from the second one on. */
      readonly latest?: {readonly saves: number; readonly p50Ms: number; readonly p95Ms: number};
    }
  /** The containers stay as they were where the build failed; tried again with the next save. */
  | {
      readonly kind: 'watchRebuildFailed';
      readonly service: string;
      readonly cause: WatchCause;
      /** As they are printed, with places in files. */
      readonly lines: readonly string[];
      readonly failure: FailureInfo;
    }
  | {
      readonly kind: 'watchExecuted';
      readonly service: string;
      readonly cause: WatchCause;
      readonly container: string;
      readonly command: readonly string[];
      readonly exitCode: number;
      /** The end of what it printed, where it failed. */
      readonly output: readonly string[];
      readonly tookMs: number;
      /** Since the save, where something was saved just now. */
      readonly doneMs?: number;
    }
  /** `pending` changes wait for the next attempt; `retryMs` absent: for the next save. */
  | {
      readonly kind: 'watchFailed';
      readonly service: string;
      readonly cause: WatchCause;
      readonly pending: number;
      readonly retryMs?: number;
      readonly failure: FailureInfo;
    }
  /** A rule that its own action sets off again and again is let be, until something else is saved. */
  | {
      readonly kind: 'watchSuspended';
      readonly service: string;
      readonly action: string;
      /** `compose.yaml:12:9`. */
      readonly rule: string;
      readonly paths: readonly string[];
      readonly times: number;
      readonly withinMs: number;
      readonly hint: string;
    }
  | {readonly kind: 'watchResumed'; readonly service: string; readonly rule: string; readonly cause: WatchCause}
  /**
   * The stack file, or a file that it reads, was saved. `unchanged`: it says the same. `invalid`: it cannot be loaded, the
   * old one counts. `applying`, `applied`, `failed`: by itself or after a yes. `held`: it waits for `command`, or a yes.
   */
  | {
      readonly kind: 'watchStack';
      readonly cause: WatchCause;
      readonly state: 'unchanged' | 'invalid' | 'applying' | 'applied' | 'failed' | 'held';
      /** Why it is held, a line each; problems, as they are printed. */
      readonly lines: readonly string[];
      readonly command?: string;
      readonly failure?: FailureInfo;
    }
  /** At the end, and after each save that reached a service. */
  | {readonly kind: 'watchTimes'; readonly services: readonly WatchTimes[]; readonly final: boolean}
  /** `down`: the containers were removed by another command. */
  | {readonly kind: 'watchEnded'; readonly reason: 'interrupted' | 'down'};
