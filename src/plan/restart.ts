import {sharesNamespaceOf} from '../model/attributes/links.ts';
import type {Project} from '../model/types.ts';
import type {NodeId, Plan} from './action.ts';
import {createPlanBuilder} from './builder.ts';
import {knownDependencies} from './graph.ts';
import {addMissingHooks, restartWithHooks} from './hooks.ts';
import type {Memory} from './input.ts';
import type {Observed} from './observed.ts';
import {dependencyOrder, withDependents} from './order.ts';
import {compareContainers} from './replicas.ts';
import {dependencyNames, requireService} from './selection.ts';

export interface RestartInput {
  readonly project: Project | undefined;
  readonly observed: Observed;
  readonly options: {
    readonly services?: readonly string[];
    readonly timeoutSeconds?: number;
    readonly noDependents?: boolean;
  };
  readonly memory: Memory;
}

/**
 * Restarts containers as they are. Of the dependencies only those with `restart: true` count, and those on services whose
 * namespaces are shared, since these end: a service that has one on a restarted service restarts too, after it.
 */
export function planRestart({project, observed, options, memory}: RestartInput): Plan {
  const plan = createPlanBuilder(observed.project, project?.workingDir);
  const containers = observed.containers.filter(({oneOff}) => !oneOff);
  for (const service of options.services ?? []) requireService(plan, service, project, containers);
  const all = knownDependencies(project, containers);
  const known = {...project?.disabledServices, ...project?.services};
  const following = Object.fromEntries(
    Object.entries(all).map(([service, of]) => [
      service,
      Object.fromEntries(
        Object.entries(of).filter(([name, {restart}]) => restart === true || sharesNamespaceOf(known[service], name)),
      ),
    ]),
  );
  const graph = dependencyNames(following);
  const selected = selectServices(graph, options);
  const restarted = new Map<string, readonly NodeId[]>();
  const awaited = new Map<string, NodeId>();
  for (const service of dependencyOrder(graph)) {
    const replicas = selected.has(service)
      ? containers.filter(({service: of}) => of === service).sort(compareContainers)
      : [];
    const own = replicas.filter(({id}) => !memory.restarted.has(id));
    const missingHooks = replicas
      .filter(({id}) => memory.restarted.has(id))
      .flatMap((container) => addMissingHooks(plan, {project, container, memory}) ?? []);
    const before = (graph[service] ?? []).flatMap((dependency) => restarted.get(dependency) ?? []);
    if (own.length === 0) {
      restarted.set(service, [...before, ...missingHooks]);
      continue;
    }
    const conditions = Object.entries(following[service] ?? {})
      .sort()
      .flatMap(([dependency, {condition, required}]) => {
        const after = restarted.get(dependency) ?? [];
        const restartedBefore = containers.some(({id, service: of}) => of === dependency && memory.restarted.has(id));
        if (condition === 'service_started' || (after.length === 0 && !restartedBefore)) return [];
        const key = `${dependency} ${condition} ${required}`;
        const node =
          awaited.get(key) ??
          plan.add(
            {kind: 'awaitCondition', service: dependency, condition, required},
            {reason: `${service} depends on it`},
            after,
          );
        awaited.set(key, node);
        return [node];
      });
    const {timeoutSeconds} = options;
    const named = options.services === undefined || options.services.includes(service);
    const why = {reason: named ? 'asked to restart' : 'depends on a service that restarts'};
    const restarts = own.map((container) =>
      restartWithHooks(plan, {project, container, timeoutSeconds}, why, [...before, ...conditions]),
    );
    restarted.set(service, [...restarts, ...missingHooks]);
  }
  return plan.build();
}

function selectServices(
  graph: Readonly<Record<string, readonly string[]>>,
  options: RestartInput['options'],
): ReadonlySet<string> {
  if (options.services === undefined) return new Set(Object.keys(graph));
  return options.noDependents === true ? new Set(options.services) : withDependents(graph, options.services);
}
