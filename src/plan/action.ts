import type {Hook, SourcePosition} from '../model/types.ts';

/** Full id of a container on the engine. */
export type ContainerId = string & {readonly __brand: 'ContainerId'};
export type NodeId = number & {readonly __brand: 'NodeId'};

/** A container that exists, or one that an earlier node of the same plan makes. */
export type ContainerRef =
  | {readonly kind: 'existing'; readonly id: ContainerId; readonly name: string; readonly service: string}
  | {readonly kind: 'planned'; readonly node: NodeId; readonly name: string; readonly service: string};

/** When a command of the stack file is run in a container: right after its start, or before it is asked to stop. */
export type HookName = 'post_start' | 'pre_stop';

/** Every change the reconciler can make. One action is exactly one engine call (a wait is none: it observes). */
export interface Actions {
  /** `network` and `volume` are keys of the project. */
  createNetwork: {readonly network: string; readonly name: string};
  removeNetwork: {readonly name: string};
  createVolume: {readonly volume: string; readonly name: string};
  removeVolume: {readonly name: string};
  /** The project lock is not held while it comes: it ends a wave, as a wait does. `services`: those that use it. */
  pullImage: {
    readonly image: string;
    readonly platform?: string;
    readonly services: readonly string[];
    /** It is here, and was built: one that cannot be pulled is used as it is. */
    readonly optional?: true;
    /** It is not here: one that cannot be pulled is built. */
    readonly orBuild?: true;
  };
  /** Comes as a pull does. `services`: those that it is built for; empty: images of others are built upon it. */
  buildImage: {readonly image: string; readonly services: readonly string[]};
  /** `name`: a reference, as the stack file spells it. */
  removeImage: {readonly name: string};
  createContainer: {
    readonly service: string;
    readonly replica: number;
    readonly name: string;
    readonly replaces?: ContainerId;
    /** It is made for one command, and is nobody's replica. */
    readonly oneOff?: true;
  };
  startContainer: {readonly container: ContainerRef};
  stopContainer: {readonly container: ContainerRef; readonly timeoutSeconds?: number};
  restartContainer: {readonly container: ContainerRef; readonly timeoutSeconds?: number};
  /** `signal`: the engine's own, which ends it, where it is absent. */
  killContainer: {readonly container: ContainerRef; readonly signal?: string};
  pauseContainer: {readonly container: ContainerRef};
  unpauseContainer: {readonly container: ContainerRef};
  removeContainer: {readonly container: ContainerRef; readonly removeAnonymousVolumes: boolean};
  renameContainer: {readonly container: ContainerRef; readonly name: string};
  /** `number`: its place in the service's list of such hooks, from 1. */
  runHook: {
    readonly container: ContainerRef;
    readonly hook: HookName;
    readonly number: number;
    readonly run: Hook;
  };
  /** Waits until a dependency's condition holds; ends a wave (the project lock is not held while waiting). */
  awaitCondition: {
    readonly service: string;
    readonly condition: 'service_started' | 'service_healthy' | 'service_completed_successfully';
    readonly required: boolean;
  };
}

export type ActionKind = keyof Actions;
export type Action<K extends ActionKind = ActionKind> = {[P in K]: {readonly kind: P} & Actions[P]}[K];

/** Why a node is in the plan: a sentence, and where it is known the field with both values and its place in the file. */
export interface Cause {
  /** Lower-case, no full stop: `no existing container`, `image changed`. */
  readonly reason: string;
  readonly changes?: readonly FieldChange[];
  readonly source?: SourcePosition;
}

export interface FieldChange {
  /** `environment.LOG_LEVEL`. */
  readonly field: string;
  /** As shown to a person; absent: was not there. Secret values are masked. */
  readonly before?: string;
  readonly after?: string;
  readonly source?: SourcePosition;
}

export interface PlanNode {
  readonly id: NodeId;
  readonly action: Action;
  readonly why: Cause;
  readonly after: readonly NodeId[];
}

/** Something the caller must ask before the plan may run. */
export interface Consent {
  readonly kind: 'recreateVolume';
  readonly name: string;
  readonly question: string;
  readonly why: Cause;
}

/** Something that a person should know, and that changes nothing. */
export interface Notice {
  readonly level: 'note' | 'warning';
  readonly message: string;
  readonly hint?: string;
}

export interface Plan {
  readonly project: string;
  readonly nodes: readonly PlanNode[];
  readonly consents: readonly Consent[];
  readonly notices: readonly Notice[];
}
