import type {Project} from '../model/types.ts';
import type {NodeId, Plan} from './action.ts';
import {createPlanBuilder} from './builder.ts';
import {knownDependencies} from './graph.ts';
import {addMissingHooks, startWithHooks} from './hooks.ts';
import type {Memory} from './input.ts';
import {isUp, type Observed} from './observed.ts';
import {dependencyOrder} from './order.ts';
import {compareContainers} from './replicas.ts';
import {dependencyNames, serviceContainers} from './selection.ts';

export interface StartInput {
  readonly project: Project | undefined;
  readonly observed: Observed;
  readonly options: {readonly services?: readonly string[]};
  readonly memory: Memory;
}

/** Starts containers that exist, what they depend on first. Nothing is created. */
export function planStart({project, observed, options, memory}: StartInput): Plan {
  const plan = createPlanBuilder(observed.project, project?.workingDir);
  const dependencies = knownDependencies(project, observed.containers);
  const graph = dependencyNames(dependencies);
  const named = serviceContainers(plan, {project, observed, services: options.services});
  for (const service of options.services ?? Object.keys(project?.services ?? {})) {
    const replicas = project?.services[service]?.scale ?? project?.services[service]?.deploy?.replicas ?? 1;
    if (replicas > 0 && Object.hasOwn(graph, service) && !named.some((container) => container.service === service)) {
      plan.problem({
        kind: 'notFound',
        message: `service "${service}" has no container to start`,
        hint: 'create it with "tscompose up"',
      });
    }
  }
  const selected = options.services === undefined ? Object.keys(graph) : withDependencies(graph, options.services);
  const started = new Map<string, readonly NodeId[]>();
  const awaited = new Map<string, NodeId>();
  for (const service of dependencyOrder(graph)) {
    const inherited = (graph[service] ?? []).flatMap((dependency) => started.get(dependency) ?? []);
    const own = selected.includes(service)
      ? observed.containers.filter((container) => container.service === service && !container.oneOff)
      : [];
    const missingHooks = own.flatMap((container) => addMissingHooks(plan, {project, container, memory}) ?? []);
    const stopped = own.filter((container) => !isUp(container) && !memory.started.has(container.id));
    if (stopped.length === 0) {
      started.set(service, [...inherited, ...missingHooks]);
      continue;
    }
    const conditions: NodeId[] = [];
    for (const [dependency, {condition, required}] of Object.entries(dependencies[service] ?? {}).sort()) {
      if (condition === 'service_started' || !observed.containers.some((container) => container.service === dependency))
        continue;
      const key = `${dependency} ${condition} ${required}`;
      const node =
        awaited.get(key) ??
        plan.add(
          {kind: 'awaitCondition', service: dependency, condition, required},
          {reason: `${service} depends on it`},
          started.get(dependency) ?? [],
        );
      awaited.set(key, node);
      conditions.push(node);
    }
    const starts = stopped
      .sort(compareContainers)
      .map(({id, name, status}) =>
        startWithHooks(
          plan,
          {project, container: {kind: 'existing', id, name, service}},
          {reason: `not running (${status})`},
          [...inherited, ...conditions],
        ),
      );
    started.set(service, [...starts, ...missingHooks]);
  }
  return plan.build();
}

function withDependencies(
  graph: Readonly<Record<string, readonly string[]>>,
  services: readonly string[],
): readonly string[] {
  const found = new Set<string>();
  const add = (service: string): void => {
    if (found.has(service)) return;
    found.add(service);
    for (const dependency of graph[service] ?? []) add(dependency);
  };
  for (const service of services) add(service);
  return [...found];
}
