import type {Action, Cause, Notice, Plan, PlanNode} from '../plan/action.ts';
import {pulledName} from './subject.ts';

/** What a plan does to one service, network, volume or image, as a person thinks of it. */
export interface PlanChange {
  readonly kind: 'create' | 'recreate' | 'remove' | 'start' | 'stop' | 'restart' | 'run' | 'pull' | 'build';
  readonly subject: 'network' | 'volume' | 'image' | 'service';
  readonly name: string;
  /** Containers; 1 for a network, volume or image. */
  readonly count: number;
  readonly why: Cause;
  /** Commands that are run in its containers meanwhile, each once; of `run` they are all that happens. */
  readonly hooks?: readonly Action<'runHook'>[];
}

/** The changes in the order in which the plan comes to them. */
export function planChanges(plan: Plan): readonly PlanChange[] {
  const changes: PlanChange[] = [];
  const removedNetworks = new Set(
    plan.nodes.flatMap(({action}) => (action.kind === 'removeNetwork' ? [action.name] : [])),
  );
  const removedVolumes = new Set(
    plan.nodes.flatMap(({action}) => (action.kind === 'removeVolume' ? [action.name] : [])),
  );
  const createdNames = new Set(
    plan.nodes.flatMap(({action}) =>
      action.kind === 'createNetwork' || action.kind === 'createVolume' ? [action.name] : [],
    ),
  );
  for (const {action, why} of plan.nodes) {
    if (action.kind === 'createNetwork') {
      changes.push({
        kind: removedNetworks.has(action.name) ? 'recreate' : 'create',
        subject: 'network',
        name: action.name,
        count: 1,
        why,
      });
    } else if (action.kind === 'createVolume') {
      changes.push({
        kind: removedVolumes.has(action.name) ? 'recreate' : 'create',
        subject: 'volume',
        name: action.name,
        count: 1,
        why,
      });
    } else if (action.kind === 'pullImage') {
      changes.push({kind: 'pull', subject: 'image', name: pulledName(action), count: 1, why});
    } else if (action.kind === 'buildImage') {
      changes.push({kind: 'build', subject: 'image', name: action.image, count: 1, why});
    } else if (action.kind === 'removeImage') {
      changes.push({kind: 'remove', subject: 'image', name: action.name, count: 1, why});
    } else if (action.kind === 'removeNetwork' || action.kind === 'removeVolume') {
      if (createdNames.has(action.name)) continue;
      changes.push({
        kind: 'remove',
        subject: action.kind === 'removeNetwork' ? 'network' : 'volume',
        name: action.name,
        count: 1,
        why,
      });
    }
  }
  const services = new Set(plan.nodes.flatMap((node) => serviceOf(node) ?? []));
  return [...changes, ...[...services].flatMap((service) => serviceChanges(plan, service))];
}

/** One for each thing that happens to containers of the service: a container is counted once, by the greatest change. */
function serviceChanges(plan: Plan, service: string): readonly PlanChange[] {
  const nodes = plan.nodes.filter((node) => serviceOf(node) === service);
  const changes = new Map<PlanChange['kind'], {readonly containers: Set<string>; readonly why: Cause}>();
  const count = (kind: PlanChange['kind'], container: string, why: Cause): void => {
    const known = changes.get(kind) ?? {containers: new Set<string>(), why};
    known.containers.add(container);
    changes.set(kind, known);
  };
  const removed = idsOf(nodes, 'removeContainer');
  const started = idsOf(nodes, 'startContainer');
  const stopped = idsOf(nodes, 'stopContainer');
  const replaced = replacedContainers(nodes);
  for (const {action, why} of nodes) {
    if (action.kind === 'createContainer')
      count(action.replaces === undefined ? 'create' : 'recreate', action.name, why);
    else if (action.kind === 'restartContainer') count('restart', action.container.name, why);
    else if (action.kind === 'renameContainer' && action.container.kind === 'existing')
      count('recreate', action.name, why);
    else if (!('container' in action) || action.container.kind !== 'existing' || replaced.has(action.container.id))
      continue;
    else if (action.kind === 'removeContainer') count('remove', action.container.id, why);
    else if (action.kind === 'startContainer' && !stopped.has(action.container.id))
      count('start', action.container.id, why);
    else if (action.kind === 'stopContainer' && started.has(action.container.id))
      count('restart', action.container.id, why);
    else if (action.kind === 'stopContainer' && !removed.has(action.container.id))
      count('stop', action.container.id, why);
  }
  return withHooks(
    nodes,
    [...changes].map(([kind, {containers, why}]) => ({
      kind,
      subject: 'service',
      name: service,
      count: containers.size,
      why,
    })),
    service,
  );
}

/** The commands are told of with the first change of the service; where nothing else happens, they are one. */
function withHooks(nodes: readonly PlanNode[], changes: readonly PlanChange[], service: string): readonly PlanChange[] {
  const runs = nodes.flatMap(({action, why}) => (action.kind === 'runHook' ? [{action, why}] : []));
  const [first] = runs;
  if (first === undefined) return changes;
  const hooks = [...new Map(runs.map(({action}) => [`${action.hook} ${action.number}`, action])).values()];
  const [change, ...others] = changes;
  if (change !== undefined) return [{...change, hooks}, ...others];
  const count = new Set(runs.map(({action}) => action.container.name)).size;
  return [{kind: 'run', subject: 'service', name: service, count, why: first.why, hooks}];
}

/** Containers whose stop, removal or start is part of a recreate: those that are replaced, and those that get their place. */
function replacedContainers(nodes: readonly PlanNode[]): ReadonlySet<string> {
  const replaced = new Set<string>();
  for (const {action, after} of nodes) {
    if (action.kind === 'createContainer' && action.replaces !== undefined) replaced.add(action.replaces);
    if (action.kind !== 'renameContainer' || action.container.kind !== 'existing') continue;
    replaced.add(action.container.id);
    for (const id of idsOf(
      nodes.filter((node) => after.includes(node.id)),
      'removeContainer',
    ))
      replaced.add(id);
  }
  return replaced;
}

function idsOf(
  nodes: readonly PlanNode[],
  kind: 'removeContainer' | 'startContainer' | 'stopContainer',
): ReadonlySet<string> {
  return new Set(
    nodes.flatMap(({action}) =>
      action.kind === kind && action.container.kind === 'existing' ? [action.container.id] : [],
    ),
  );
}

function serviceOf({action}: PlanNode): string | undefined {
  if (action.kind === 'createContainer') return action.service;
  return 'container' in action ? action.container.service : undefined;
}

export interface ChangeCounts {
  readonly create: number;
  readonly recreate: number;
  readonly remove: number;
  readonly start: number;
  readonly stop: number;
  readonly restart: number;
  /** Containers in which only commands are run. */
  readonly run: number;
  /** Images. */
  readonly pull: number;
  readonly build: number;
  readonly blocked: number;
  readonly warnings: number;
}

export function countChanges(plan: Plan): ChangeCounts {
  const changes = planChanges(plan);
  const count = (kind: PlanChange['kind']): number =>
    changes.filter((change) => change.kind === kind).reduce((sum, change) => sum + change.count, 0);
  return {
    create: count('create'),
    recreate: count('recreate'),
    remove: count('remove'),
    start: count('start'),
    stop: count('stop'),
    restart: count('restart'),
    run: count('run'),
    pull: count('pull'),
    build: count('build'),
    blocked: plan.consents.length,
    warnings: plan.notices.filter(({level}: Notice) => level === 'warning').length,
  };
}
