import type {Project} from '../model/types.ts';
import type {ContainerId, NodeId, Plan} from './action.ts';
import {createPlanBuilder, type PlanBuilder} from './builder.ts';
import {type Dependencies, knownDependencies} from './graph.ts';
import {stopWithHooks} from './hooks.ts';
import {isUp, type Observed, type ObservedContainer} from './observed.ts';
import {dependencyOrder, dependents} from './order.ts';
import {compareContainers} from './replicas.ts';
import {dependencyNames, serviceContainers} from './selection.ts';

export interface StopInput {
  readonly project: Project | undefined;
  readonly observed: Observed;
  readonly options: {readonly services?: readonly string[]; readonly timeoutSeconds?: number};
}

/** Stops what runs, dependents before what they depend on. */
export function planStop({project, observed, options}: StopInput): Plan {
  const plan = createPlanBuilder(observed.project, project?.workingDir);
  stopInOrder(plan, {
    project,
    dependencies: knownDependencies(project, observed.containers),
    containers: serviceContainers(plan, {project, observed, services: options.services}),
    timeoutSeconds: options.timeoutSeconds,
  });
  return plan.build();
}

interface StopOrder {
  readonly project: Project | undefined;
  readonly dependencies: Dependencies;
  readonly containers: readonly ObservedContainer[];
  readonly timeoutSeconds: number | undefined;
}

/** Adds the stops of all that run. Returns them by container, and all containers in the order of the work. */
export function stopInOrder(
  plan: PlanBuilder,
  {project, dependencies, containers, timeoutSeconds}: StopOrder,
): {readonly nodes: ReadonlyMap<ContainerId, NodeId>; readonly order: readonly ObservedContainer[]} {
  const graph = dependencyNames(dependencies);
  const reverse = dependents(graph);
  const nodes = new Map<ContainerId, NodeId>();
  const order: ObservedContainer[] = [];
  /** By service: what must have stopped before what it depends on. */
  const stopped = new Map<string, readonly NodeId[]>();
  for (const service of [...dependencyOrder(graph)].reverse()) {
    const before = (reverse[service] ?? []).flatMap((dependent) => stopped.get(dependent) ?? []);
    const own: NodeId[] = [];
    for (const container of containers.filter((candidate) => candidate.service === service).sort(compareContainers)) {
      order.push(container);
      if (!isUp(container)) continue;
      const node = stopWithHooks(plan, {project, container, timeoutSeconds}, {reason: 'asked to stop'}, before);
      nodes.set(container.id, node);
      own.push(node);
    }
    stopped.set(service, own.length > 0 ? own : before);
  }
  return {nodes, order};
}
