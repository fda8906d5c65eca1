import type {BuildView} from '../report/build-state.ts';
import type {ProgressContent, ProgressEvent} from '../report/event.ts';
import type {ViewState} from '../report/state.ts';
import type {Overlay} from './overlay.ts';
import type {RunHistory} from './run-history.ts';

/** Everything that the screen shows beside the logs: values that JSON can hold. Times are ms since the epoch. */
export interface UiState {
  readonly project: string;
  /** The program's name as its user types it, for the commands that the screen shows: `tscompose`, `tscompose -p shop`. */
  readonly command: string;
  /** How often the stack file was seen to change since the screen opened: 1 at the start. */
  readonly revision: number;
  /** In the order of the stack file, then those that are only in the engine. */
  readonly services: readonly ServiceState[];
  readonly plan: PendingPlan | undefined;
  /** The newest last; at most `eventLimit` of them. */
  readonly events: readonly EventEntry[];
  readonly watch: WatchState | undefined;
  /** Images that were built since the screen was opened, by an action or after a save: each as it was built last. */
  readonly builds: readonly BuildView[];
  /** The action that runs or ran last, with the command that does the same. */
  readonly action: ActionState | undefined;
  /** False while the engine cannot be reached: the values are the last that were seen. */
  readonly connected: boolean;
  readonly columns: number;
  readonly rows: number;
  /** Whether the terminal has the focus; undefined where it does not tell. */
  readonly terminalFocused: boolean | undefined;

  readonly selection: Selection | undefined;
  /** The first line of the table that is shown, where not all fit. */
  readonly tableTop: number;
  /** Services whose replicas have lines of their own. */
  readonly expanded: readonly string[];
  readonly focus: 'services' | 'logs';
  readonly overlay: Overlay | undefined;
  readonly log: LogViewState;
  /** Text that is being typed, into the search or the filter of the logs. */
  readonly prompt: PromptState | undefined;
  /** What a key could not do, and why; until the next key. */
  readonly hint: string | undefined;
}

export interface Selection {
  readonly service: string;
  /** Absent: the whole service. */
  readonly replica?: number;
}

export interface ServiceState {
  readonly name: string;
  /** Containers that the stack file asks for; undefined where the service is not (or no longer) in it. */
  readonly wanted: number | undefined;
  /** By number. */
  readonly replicas: readonly ReplicaState[];
}

export type ContainerPhase =
  | 'created'
  | 'starting'
  | 'running'
  | 'paused'
  | 'restarting'
  | 'stopping'
  | 'exited'
  | 'dead'
  | 'removing';

export interface ReplicaState {
  /** Of the container. */
  readonly id: string;
  readonly name: string;
  readonly number: number;
  readonly phase: ContainerPhase;
  /** Of the last end; undefined while it never ended. */
  readonly exitCode: number | undefined;
  readonly oomKilled: boolean;
  /** Somebody stops it or has stopped it, as far as seen: an end with code 0 is then no job done. */
  readonly stopRequested: boolean;
  readonly health: HealthInfo | undefined;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** Starts after the first, of this container and, as far as seen, of those it replaced. */
  readonly restarts: number;
  /** Of this container alone, as the engine counts them. */
  readonly ownRestarts: number;
  /** Why, the newest last; at most `causeLimit`. */
  readonly causes: readonly RestartCause[];
  /** Start of the run before this one, as far as seen; for the log of the previous instance. */
  readonly previousStartedAt: number | undefined;
  readonly usage: UsageRings;
  readonly ports: readonly PortInfo[];
}

export interface HealthInfo {
  readonly status: 'starting' | 'healthy' | 'unhealthy';
  /** Failed probes in a row. */
  readonly failures: number;
  /** After how many it is unhealthy. */
  readonly retries: number | undefined;
  /** Of the last probe. */
  readonly exitCode: number | undefined;
  /** What the last probe printed. */
  readonly output: string;
}

export interface RestartCause {
  readonly time: number;
  readonly kind: 'exit' | 'oom' | 'monitorLost' | 'watch' | 'unhealthy' | 'command' | 'recreated';
  readonly exitCode?: number;
  /** The files that were saved, the last probe, the field that differs: one line. */
  readonly detail?: string;
}

/** Rings of `sampleLimit` samples, the oldest first. */
export interface UsageRings {
  /** Percent of one core. */
  readonly cpu: readonly number[];
  /** Percent of one core that it may use; undefined: no limit. */
  readonly cpuLimit: number | undefined;
  /** Bytes. */
  readonly memory: readonly number[];
  readonly memoryLimit: number | undefined;
}

export interface PortInfo {
  /** As bound: `0.0.0.0`, `127.0.0.1`, `::`. */
  readonly address: string;
  /** Undefined: reachable only from the project's networks. */
  readonly published: number | undefined;
  readonly target: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
}

export interface PendingPlan {
  /** Changes, 0: everything is as the stack file says. */
  readonly changes: number;
  /** `1 to recreate · 2 to create`. */
  readonly summary: string;
  /** As report/plan-text.ts renders it, with or without colours. */
  readonly text: string;
  /** Services that it touches. */
  readonly services: readonly string[];
  /** Those of them of which containers are started again and nothing else. */
  readonly starts: readonly string[];
  /** What must be asked before it is applied. */
  readonly questions: readonly string[];
  /** The stack file as it is now cannot be planned: its diagnostics, as `config` prints them. */
  readonly problem?: string;
}

export interface EventEntry {
  readonly time: number;
  readonly level: 'info' | 'good' | 'warning' | 'error';
  readonly service?: string;
  readonly text: string;
}

export interface WatchState {
  readonly status: 'on' | 'paused' | 'failed';
  /** Rules in force. */
  readonly rules: number;
  /** Save to serving in ms; undefined before the first. */
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  /** Files that changed and are not yet in their containers. */
  readonly pending: number;
  /** Why it is paused or failed; what it did last: one line. */
  readonly detail: string | undefined;
  /** Services whose images are being built after a save, and at which step: `[2/5]`; empty before the first. */
  readonly building?: readonly {readonly service: string; readonly step: string}[];
}

export interface ActionState {
  /** As a person would type it. */
  readonly command: string;
  readonly phase: 'running' | 'done' | 'failed';
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  /** Why it failed, or what it did: one line. */
  readonly message: string | undefined;
  /** Reduced from the action's progress events. */
  readonly progress: ViewState;
}

export interface PromptState {
  readonly kind: 'search' | 'filter';
  readonly text: string;
  /** In graphemes from the start. */
  readonly cursor: number;
}

export interface LogViewState {
  /** All services, or the selected one. */
  readonly scope: 'all' | 'selected';
  readonly search: string;
  readonly filter: string;
  readonly wrap: boolean;
  readonly timestamps: boolean;
  /** Only what the instance before the present one wrote; of the selected service. */
  readonly previous: boolean;
  /** `follow`: the newest lines; else the line at the bottom. */
  readonly position: 'follow' | LogPosition;
  /** The match that the search stands on. */
  readonly match: LogPosition | undefined;
}

/** The place of a line in the order of all lines. */
export interface LogPosition {
  readonly key: number;
  readonly id: number;
}

/** A container as list and inspect tell it. */
export interface ContainerSnapshot {
  readonly id: string;
  readonly name: string;
  readonly service: string;
  readonly number: number;
  readonly phase: ContainerPhase;
  readonly exitCode: number | undefined;
  readonly oomKilled: boolean;
  readonly stopRequested: boolean;
  readonly health: HealthInfo | undefined;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  readonly restarts: number;
  readonly memoryLimit: number | undefined;
  readonly cpuLimit: number | undefined;
  readonly ports: readonly PortInfo[];
}

export interface ServiceDeclaration {
  readonly name: string;
  readonly wanted: number;
}

export interface StatsSample {
  readonly id: string;
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  readonly memoryLimit?: number;
}

export type UiEvent = {readonly time: number} & UiEventContent;

export type UiEventContent =
  /** The stack file was read, at the start or anew. */
  | {readonly kind: 'stack'; readonly project: string; readonly services: readonly ServiceDeclaration[]}
  /** All containers of the project; those that are not in it are gone. */
  | {readonly kind: 'snapshot'; readonly containers: readonly ContainerSnapshot[]}
  /** One container as it is after an event of the engine; `cause`: why it starts again, where it is known. */
  | {readonly kind: 'container'; readonly container: ContainerSnapshot; readonly cause?: RestartCause}
  | {readonly kind: 'containerGone'; readonly id: string}
  /** What the engine remembers of the time before the screen was opened. */
  | {readonly kind: 'history'; readonly runs: readonly RunHistory[]}
  | {readonly kind: 'stats'; readonly samples: readonly StatsSample[]}
  | {readonly kind: 'health'; readonly id: string; readonly health: HealthInfo}
  | {readonly kind: 'plan'; readonly plan: PendingPlan | undefined}
  | {readonly kind: 'watch'; readonly watch: WatchState | undefined}
  /** Of a build that watching asked for; those of actions come with their progress. */
  | Extract<ProgressContent, {readonly kind: 'build'}>
  /** Watch brought changed files into a service. */
  | {
      readonly kind: 'watchApplied';
      readonly service: string;
      /** What was saved, and what was done: `src/index.ts +2 → restart`. */
      readonly text: string;
      readonly tookMs: number | undefined;
      readonly restarted: boolean;
    }
  | {readonly kind: 'notice'; readonly level: EventEntry['level']; readonly text: string; readonly service?: string}
  | {readonly kind: 'actionStarted'; readonly command: string}
  | {readonly kind: 'progress'; readonly event: ProgressEvent}
  | {readonly kind: 'actionEnded'; readonly outcome: 'done' | 'failed'; readonly message?: string}
  | {readonly kind: 'connection'; readonly connected: boolean; readonly reason?: string}
  | {readonly kind: 'resize'; readonly columns: number; readonly rows: number}
  | {readonly kind: 'terminalFocus'; readonly focused: boolean}
  /** The clock moved, or lines were added to the log store: nothing changes in the state, a frame is due. */
  | {readonly kind: 'tick'}
  | {readonly kind: 'logs'};

/** A key that was pressed, decoded. */
export interface Key {
  /**
   * `up down left right pageup pagedown home end tab enter escape backspace delete insert space f1 … f12`, a printable
   * character (`a`, `A`, `/`, `é`), or `paste` for a bracketed paste.
   */
  readonly name: string;
  readonly ctrl: boolean;
  readonly meta: boolean;
  readonly shift: boolean;
  /** What it writes: empty for keys that write nothing; the whole text of a paste. */
  readonly text: string;
}

export type Target =
  | {readonly kind: 'service'; readonly service: string}
  | {
      readonly kind: 'replica';
      readonly service: string;
      readonly number: number;
      readonly id: string;
      readonly name: string;
    };

/** What a key asks of the world. `command` is what a person types for the same. */
export type UiEffect =
  | {readonly kind: 'restart' | 'stop' | 'start'; readonly target: Target; readonly command: string}
  /** A shell in the container, in this terminal: the screen is left meanwhile. */
  | {readonly kind: 'exec'; readonly target: Target & {readonly kind: 'replica'}; readonly command: string}
  | {readonly kind: 'openUrl'; readonly url: string; readonly command: string}
  | {readonly kind: 'applyPlan'; readonly command: string}
  /** Plan anew. */
  | {readonly kind: 'refreshPlan'; readonly command: string}
  /** Load what a service's containers wrote before their present run (`until`, ms) into the log store. */
  | {readonly kind: 'loadPreviousLog'; readonly service: string; readonly command: string}
  /** Into the clipboard, by the terminal (OSC 52). */
  | {readonly kind: 'copy'; readonly text: string}
  | {readonly kind: 'suspend'}
  | {readonly kind: 'redraw'}
  | {readonly kind: 'quit'};

export interface KeyResult {
  readonly state: UiState;
  readonly effects: readonly UiEffect[];
}

/** Meaning of a piece of text; a theme gives it its look. */
export type StyleName =
  | 'plain'
  | 'dim'
  | 'strong'
  | 'title'
  | 'good'
  | 'busy'
  | 'warning'
  | 'bad'
  | 'error'
  | 'accent'
  | 'key'
  | 'border'
  | 'cpu'
  | 'memory'
  | 'service0'
  | 'service1'
  | 'service2'
  | 'service3'
  | 'service4'
  | 'service5';

export interface Span {
  readonly text: string;
  readonly style: StyleName;
  readonly background?: 'selection' | 'match' | 'currentMatch' | 'cursor';
  /** Attributes of a log's own colours, as SGR parameters that were read and written anew: `1;38;5;208`. */
  readonly sgr?: string;
}

export type Line = readonly Span[];

export interface Theme {
  readonly color: 'none' | 'basic' | '256';
  readonly ascii: boolean;
  /** Of the terminal, where it is known. */
  readonly background?: 'dark' | 'light';
}

export interface ViewOptions {
  readonly columns: number;
  readonly rows: number;
  readonly now: number;
  readonly theme: Theme;
  /** Minutes east of UTC, for the times that are shown. */
  readonly utcOffsetMinutes: number;
}

/** Where a piece of a log comes from. */
export interface LogSource {
  /** Container id. */
  readonly id: string;
  readonly service: string;
  readonly number: number;
}

export type LogLevel = 'error' | 'warning' | 'info' | 'debug' | 'none';

export const sampleLimit = 60;
export const causeLimit = 20;
export const eventLimit = 500;
