import type {Service} from '../model/types.ts';
import type {Cause, ContainerId, ContainerRef, NodeId, Plan} from './action.ts';
import {createPlanBuilder, type PlanBuilder} from './builder.ts';
import {requireImages} from './images.ts';
import type {UpInput} from './input.ts';
import {containerName, replicaCount, temporaryName} from './names.ts';
import {decideNetworks} from './networks.ts';
import {isUp, type ObservedContainer} from './observed.ts';
import {dependencyOrder, dependents} from './order.ts';
import {findOrphans, noteOrphans} from './orphans.ts';
import {compareContainers, type ReplicaDecision} from './replicas.ts';
import {decideServices, dependencyGraph, type ResourceDecisions} from './services.ts';
import {decideVolumes} from './volumes.ts';

/**
 * What makes the project's containers, networks and volumes as the stack file wants them. First everything is decided,
 * then the nodes are added in the order of the work: networks and volumes, containers, starts.
 */
export function planUp(input: UpInput): Plan {
  const {project, observed, options} = input;
  const plan = createPlanBuilder(project.name, project.workingDir);
  const resources: ResourceDecisions = {networks: decideNetworks(plan, input), volumes: decideVolumes(plan, input)};
  const services = decideServices(input, resources);
  requireImages(plan, {project, observed, services: servicesWithNewContainers(services)});
  const work = createWork(plan, input, resources, services);
  planOrphans(work);
  planResources(work);
  const order = dependencyOrder(dependencyGraph(project));
  for (const service of order) planContainers(work, service);
  if (options.noStart !== true) for (const service of order) planStarts(work, service);
  return plan.build();
}

function servicesWithNewContainers(services: ReadonlyMap<string, readonly ReplicaDecision[]>): ReadonlySet<string> {
  const names = [...services].filter(([, decisions]) =>
    decisions.some(({kind}) => kind === 'create' || kind === 'recreate'),
  );
  return new Set(names.map(([name]) => name));
}

/** What the parts below share: the decisions, and which nodes do what. */
interface Work {
  readonly plan: PlanBuilder;
  readonly input: UpInput;
  readonly resources: ResourceDecisions;
  readonly services: ReadonlyMap<string, readonly ReplicaDecision[]>;
  readonly stops: Map<ContainerId, NodeId>;
  readonly removals: Map<ContainerId, NodeId>;
  /** By key: what must be done before a container can be created with it. */
  readonly networksReady: Map<string, NodeId>;
  readonly volumesReady: Map<string, NodeId>;
  /** By service: containers that wait for their start, and what must be done before. */
  readonly startable: Map<
    string,
    {readonly container: ContainerRef; readonly after: readonly NodeId[]; readonly why: Cause}[]
  >;
  /** By service: what must be done before a service that depends on it may start. */
  readonly started: Map<string, readonly NodeId[]>;
  readonly awaited: Map<string, NodeId>;
}

function createWork(
  plan: PlanBuilder,
  input: UpInput,
  resources: ResourceDecisions,
  services: ReadonlyMap<string, readonly ReplicaDecision[]>,
): Work {
  return {
    plan,
    input,
    resources,
    services,
    stops: new Map(),
    removals: new Map(),
    networksReady: new Map(),
    volumesReady: new Map(),
    startable: new Map(),
    started: new Map(),
    awaited: new Map(),
  };
}

function planOrphans(work: Work): void {
  const {project, observed, options} = work.input;
  const orphans = findOrphans(project, observed.containers);
  if (options.removeOrphans === true) {
    for (const orphan of [...orphans].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      remove(work, orphan, {reason: orphan.oneOff ? 'left over from a run' : 'no service in the stack file has it'});
    }
  } else if (options.ignoreOrphans !== true) {
    noteOrphans(work.plan, orphans);
  }
}

/** A network or volume that is made anew must be free first: its containers stop, and a volume's containers go. */
function planResources(work: Work): void {
  const {plan, input, resources} = work;
  for (const [key, decision] of resources.networks) {
    const name = input.project.networks[key]?.name;
    if (decision.kind === 'keep' || name === undefined) continue;
    let removal: NodeId | undefined;
    if (decision.kind === 'remake') {
      const attached = input.observed.containers.filter(
        (container) => Object.hasOwn(container.networks, name) && isUp(container),
      );
      const stops = attached
        .sort(compareContainers)
        .map((container) => stop(work, container, {reason: `network "${name}" is made anew`}));
      removal = plan.add({kind: 'removeNetwork', name}, decision.why, stops);
    }
    work.networksReady.set(key, plan.add({kind: 'createNetwork', network: key, name}, decision.why, [removal]));
  }
  for (const [key, decision] of resources.volumes) {
    const name = input.project.volumes[key]?.name;
    if (decision.kind === 'keep' || name === undefined) continue;
    let removal: NodeId | undefined;
    if (decision.kind === 'remake') {
      const users = input.observed.containers.filter(({mounts}) =>
        mounts.some((mount) => mount.type === 'volume' && mount.name === name),
      );
      const removals = users
        .sort(compareContainers)
        .map((container) => remove(work, container, {reason: `volume "${name}" is made anew`}));
      removal = plan.add({kind: 'removeVolume', name}, decision.why, removals);
    }
    work.volumesReady.set(key, plan.add({kind: 'createVolume', volume: key, name}, decision.why, [removal]));
  }
}

function planContainers(work: Work, service: string): void {
  const definition = work.input.project.services[service];
  if (definition === undefined) return;
  const decisions = work.services.get(service) ?? [];
  const startable: {container: ContainerRef; after: readonly NodeId[]; why: Cause}[] = [];
  work.startable.set(service, startable);
  const removals = decisions.flatMap((decision) =>
    decision.kind === 'remove' ? [remove(work, decision.container, decision.why)] : [],
  );
  for (const decision of decisions) {
    if (decision.kind === 'keep') {
      // Whether it starts is known once all dependents that must stop have been stopped: see planStarts.
    } else if (decision.kind === 'create') {
      const name = containerName(work.input.project.name, service, definition, decision.replica);
      const create = work.plan.add({kind: 'createContainer', service, replica: decision.replica, name}, decision.why, [
        ...resourcesReady(work, definition),
        ...(name === definition.container_name ? removals : []),
      ]);
      startable.push({
        container: {kind: 'planned', node: create, name, service},
        after: [create],
        why: {reason: 'new container'},
      });
    } else if (decision.kind === 'recreate') {
      startable.push(
        planRecreate(work, {
          service,
          definition,
          container: decision.container,
          why: decision.why,
          leftovers: removals,
        }),
      );
    } else if (decision.kind === 'finish') {
      startable.push(
        planFinish(work, {service, definition, container: decision.container, replaced: decision.replaced}),
      );
    }
  }
}

/**
 * As Compose does it: the new container is made under a temporary name, so that a failure leaves the old one as it is;
 * then the old one stops and goes, the new one gets its name. Only where a volume is made anew the old one goes first.
 */
function planRecreate(
  work: Work,
  recreate: {
    readonly service: string;
    readonly definition: Service;
    readonly container: ObservedContainer;
    readonly why: Cause;
    readonly leftovers: readonly NodeId[];
  },
): {container: ContainerRef; after: readonly NodeId[]; why: Cause} {
  const {service, definition, container: old, why} = recreate;
  const {plan, input} = work;
  const dependentStops = stopDependents(work, service);
  const name = containerName(input.project.name, service, definition, old.number);
  const action = {kind: 'createContainer', service, replica: old.number, replaces: old.id} as const;
  const ready = [...resourcesReady(work, definition), ...recreate.leftovers];
  const started: Cause = {reason: 'new container'};
  const gone = work.removals.get(old.id);
  if (gone !== undefined) {
    const create = plan.add({...action, name}, why, [...ready, ...dependentStops, gone]);
    return {container: {kind: 'planned', node: create, name, service}, after: [create], why: started};
  }
  const temporary = temporaryName(old.id, name);
  const create = plan.add({...action, name: temporary}, why, ready);
  const removal = remove(work, old, {reason: 'replaced by a new container'}, [create, ...dependentStops]);
  const planned: ContainerRef = {kind: 'planned', node: create, name: temporary, service};
  const rename = plan.add(
    {kind: 'renameContainer', container: planned, name},
    {reason: 'takes the place of the old container'},
    [create, removal],
  );
  return {container: {...planned, name}, after: [create, rename], why: started};
}

function planFinish(
  work: Work,
  finish: {
    readonly service: string;
    readonly definition: Service;
    readonly container: ObservedContainer;
    readonly replaced: ObservedContainer | undefined;
  },
): {container: ContainerRef; after: readonly NodeId[]; why: Cause} {
  const {service, definition, container, replaced} = finish;
  const name = containerName(work.input.project.name, service, definition, container.number);
  const why: Cause = {reason: 'finishes an interrupted recreate'};
  const after = replaced === undefined ? [] : [remove(work, replaced, why, stopDependents(work, service))];
  const rename = work.plan.add({kind: 'renameContainer', container: reference(container), name}, why, after);
  return {container: {...reference(container), name}, after: [rename], why};
}

/** Stops the services that ask for it (`restart: true`) before what they depend on is replaced. They start again after it. */
function stopDependents(work: Work, service: string): readonly NodeId[] {
  const {project, observed} = work.input;
  return (dependents(dependencyGraph(project))[service] ?? []).flatMap((dependent) => {
    if (project.services[dependent]?.depends_on?.[service]?.restart !== true) return [];
    const source = project.provenance.at(`services.${dependent}.depends_on.${service}.restart`);
    const running = observed.containers.filter(
      (container) => container.service === dependent && !container.oneOff && isUp(container),
    );
    return running
      .sort(compareContainers)
      .map((container) =>
        stop(work, container, {reason: `depends on ${service}, which is recreated`, ...(source && {source})}),
      );
  });
}

function planStarts(work: Work, service: string): void {
  const definition = work.input.project.services[service];
  if (definition === undefined) return;
  const startable = [...(work.startable.get(service) ?? []), ...keptToStart(work, service)];
  const inherited = Object.keys(definition.depends_on ?? {})
    .sort()
    .flatMap((dependency) => work.started.get(dependency) ?? []);
  if (startable.length === 0) {
    work.started.set(service, inherited);
    return;
  }
  const dependencies = dependenciesMet(work, service, definition);
  work.started.set(
    service,
    startable.map(({container, after, why}) =>
      work.plan.add({kind: 'startContainer', container}, why, [...after, ...dependencies]),
    ),
  );
}

function keptToStart(
  work: Work,
  service: string,
): readonly {container: ContainerRef; after: readonly NodeId[]; why: Cause}[] {
  const {memory} = work.input;
  return (work.services.get(service) ?? []).flatMap((decision) => {
    if (decision.kind !== 'keep') return [];
    const {container} = decision;
    const stopped = work.stops.get(container.id);
    if (stopped !== undefined)
      return [{container: reference(container), after: [stopped], why: {reason: 'stopped for what it depends on'}}];
    if (container.status === 'paused') {
      work.plan.note({level: 'warning', message: `container "${container.name}" is paused and stays so`});
      return [];
    }
    if (isUp(container) || memory.started.has(container.id)) return [];
    const reason = container.status === 'created' ? 'created, not started' : `not running (${container.status})`;
    return [{container: reference(container), after: [], why: {reason}}];
  });
}

/** The nodes that must be done before the service may start. */
function dependenciesMet(work: Work, service: string, definition: Service): readonly NodeId[] {
  const {project} = work.input;
  return Object.entries(definition.depends_on ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, {condition, required}]) => {
      const dependency = project.services[name];
      if (dependency === undefined) return [];
      const started = work.started.get(name) ?? [];
      if (condition === 'service_started' || replicaCount(dependency) === 0) return started;
      const key = `${name} ${condition} ${required}`;
      const known = work.awaited.get(key);
      if (known !== undefined) return [known];
      const source = project.provenance.at(`services.${service}.depends_on.${name}`);
      const why: Cause = {reason: `${service} depends on it`, ...(source && {source})};
      const node = work.plan.add({kind: 'awaitCondition', service: name, condition, required}, why, started);
      work.awaited.set(key, node);
      return [node];
    });
}

function resourcesReady(work: Work, definition: Service): readonly (NodeId | undefined)[] {
  return [
    ...Object.keys(definition.networks ?? {}).map((key) => work.networksReady.get(key)),
    ...(definition.volumes ?? []).map((mount) =>
      mount.source === undefined ? undefined : work.volumesReady.get(mount.source),
    ),
  ];
}

function stop(work: Work, container: ObservedContainer, why: Cause, after: readonly NodeId[] = []): NodeId {
  const known = work.stops.get(container.id);
  if (known !== undefined) return known;
  const {timeoutSeconds} = work.input.options;
  const node = work.plan.add(
    {kind: 'stopContainer', container: reference(container), ...(timeoutSeconds === undefined ? {} : {timeoutSeconds})},
    why,
    after,
  );
  work.stops.set(container.id, node);
  return node;
}

/** Stops it first where it runs. Its anonymous volumes stay. */
function remove(work: Work, container: ObservedContainer, why: Cause, after: readonly NodeId[] = []): NodeId {
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

function reference(container: ObservedContainer): ContainerRef {
  return {kind: 'existing', id: container.id, name: container.name, service: container.service};
}
