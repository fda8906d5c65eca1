import type {Cause, ContainerId, ContainerRef, NodeId} from './action.ts';
import type {PlanBuilder} from './builder.ts';
import {stopWithHooks} from './hooks.ts';
import type {UpInput} from './input.ts';
import {isUp, type ObservedContainer} from './observed.ts';
import type {ReplicaDecision} from './replicas.ts';
import type {ResourceDecisions} from './services.ts';

/** A container that waits for its start. */
export interface Startable {
  readonly container: ContainerRef;
  readonly after: readonly NodeId[];
  readonly why: Cause;
}

/** What the parts of `planUp` share: the decisions, and which nodes do what. */
export interface Work {
  readonly plan: PlanBuilder;
  readonly input: UpInput;
  readonly resources: ResourceDecisions;
  readonly services: ReadonlyMap<string, readonly ReplicaDecision[]>;
  /** By service: what brings its image, and those that it mounts. */
  readonly images: ReadonlyMap<string, readonly NodeId[]>;
  readonly stops: Map<ContainerId, NodeId>;
  readonly removals: Map<ContainerId, NodeId>;
  /** By key: what must be done before a container can be created with it. */
  readonly networksReady: Map<string, NodeId>;
  readonly volumesReady: Map<string, NodeId>;
  /** By service: containers that wait for their start, and what must be done before. */
  readonly startable: Map<string, readonly Startable[]>;
  /** By service: what must be done before a service that depends on it may start. */
  readonly started: Map<string, readonly NodeId[]>;
  readonly awaited: Map<string, NodeId>;
}

export function createWork(
  plan: PlanBuilder,
  input: UpInput,
  decided: Pick<Work, 'resources' | 'services' | 'images'>,
): Work {
  return {
    plan,
    input,
    ...decided,
    stops: new Map(),
    removals: new Map(),
    networksReady: new Map(),
    volumesReady: new Map(),
    startable: new Map(),
    started: new Map(),
    awaited: new Map(),
  };
}

/** Stops a container, once in a plan. */
export function stop(work: Work, container: ObservedContainer, why: Cause, after: readonly NodeId[] = []): NodeId {
  const known = work.stops.get(container.id);
  if (known !== undefined) return known;
  const {project, options} = work.input;
  const node = stopWithHooks(work.plan, {project, container, timeoutSeconds: options.timeoutSeconds}, why, after);
  work.stops.set(container.id, node);
  return node;
}

/** Stops it first where it runs. Its anonymous volumes stay. */
export function remove(work: Work, container: ObservedContainer, why: Cause, after: readonly NodeId[] = []): NodeId {
  const known = work.removals.get(container.id);
  if (known !== undefined) return known;
  const stopped = isUp(container) ? stop(work, container, why, after) : undefined;
  const node = work.plan.add(
    {kind: 'removeContainer', container: reference(container), removeAnonymousVolumes: false},
    why,
    [...after, stopped],
  );
  work.removals.set(container.id, node);
  return node;
}

export function reference(container: ObservedContainer): ContainerRef {
  return {kind: 'existing', id: container.id, name: container.name, service: container.service};
}
