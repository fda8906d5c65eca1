import {didYouMean} from '../base/suggest.ts';
import type {Project} from '../model/types.ts';
import type {PlanBuilder} from './builder.ts';
import type {Dependencies} from './graph.ts';
import type {Observed, ObservedContainer} from './observed.ts';
import type {DependencyGraph} from './order.ts';

interface Selection {
  readonly project: Project | undefined;
  readonly observed: Observed;
  /** Absent: all. */
  readonly services: readonly string[] | undefined;
  /** Those that were made for a single command too. */
  readonly oneOffs?: boolean;
}

/** The containers of the services that were named; a name that nothing knows is a problem. */
export function serviceContainers(
  plan: PlanBuilder,
  {project, observed, services, oneOffs = false}: Selection,
): readonly ObservedContainer[] {
  const replicas = observed.containers.filter(({oneOff}) => oneOffs || !oneOff);
  if (services === undefined) return replicas;
  for (const service of services) requireService(plan, service, project, replicas);
  return replicas.filter(({service}) => services.includes(service));
}

/** Whether the stack file has its service; without a stack file all are of it. */
export function isOfStack(project: Project | undefined, {service}: Pick<ObservedContainer, 'service'>): boolean {
  return project === undefined || Object.hasOwn({...project.disabledServices, ...project.services}, service);
}

export function requireService(
  plan: PlanBuilder,
  service: string,
  project: Project | undefined,
  containers: readonly ObservedContainer[],
): void {
  const known = {...project?.disabledServices, ...project?.services};
  if (Object.hasOwn(known, service) || containers.some((container) => container.service === service)) return;
  const names = [...Object.keys(known), ...containers.map((container) => container.service)];
  plan.problem({
    kind: 'notFound',
    message: `no such service: "${service}"`,
    hint: didYouMean(service, names) ?? '"tscompose ps -a" shows what there is',
  });
}

export function dependencyNames(dependencies: Dependencies): DependencyGraph {
  return Object.fromEntries(Object.entries(dependencies).map(([service, of]) => [service, Object.keys(of)]));
}
