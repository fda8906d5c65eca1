import {TscomposeError} from '../base/errors.ts';

/** What each service depends on; names that are no keys are ignored. */
export type DependencyGraph = Readonly<Record<string, readonly string[]>>;

/** Services so that each comes after what it depends on; otherwise by name. */
export function dependencyOrder(graph: DependencyGraph): readonly string[] {
  const order: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (service: string): void => {
    if (state.get(service) === 'done') return;
    if (state.get(service) === 'open') {
      // The loader refuses cycles with their path; labels of containers are not checked by anybody.
      throw new TscomposeError('invalid', `dependency cycle at service "${service}"`);
    }
    state.set(service, 'open');
    for (const dependency of [...(graph[service] ?? [])].sort())
      if (Object.hasOwn(graph, dependency)) visit(dependency);
    state.set(service, 'done');
    order.push(service);
  };
  for (const service of Object.keys(graph).sort()) visit(service);
  return order;
}

/** The reverse edges: which services depend on each. */
export function dependents(graph: DependencyGraph): Readonly<Record<string, readonly string[]>> {
  const reverse: Record<string, string[]> = {};
  for (const service of Object.keys(graph).sort()) reverse[service] = [];
  for (const service of Object.keys(graph).sort()) {
    for (const dependency of graph[service] ?? []) reverse[dependency]?.push(service);
  }
  return reverse;
}

/** The services and everything that depends on them, directly or through others. */
export function withDependents(graph: DependencyGraph, services: readonly string[]): ReadonlySet<string> {
  const reverse = dependents(graph);
  const found = new Set<string>();
  const add = (service: string): void => {
    if (found.has(service)) return;
    found.add(service);
    for (const dependent of reverse[service] ?? []) add(dependent);
  };
  for (const service of services) add(service);
  return found;
}
