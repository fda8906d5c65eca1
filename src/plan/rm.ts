import type {Project} from '../model/types.ts';
import type {Plan} from './action.ts';
import {createPlanBuilder} from './builder.ts';
import {knownDependencies} from './graph.ts';
import {isUp, type Observed} from './observed.ts';
import {compareContainers} from './replicas.ts';
import {isOfStack, serviceContainers} from './selection.ts';
import {stopInOrder} from './stop.ts';

export interface RmInput {
  readonly project: Project | undefined;
  readonly observed: Observed;
  readonly options: {
    readonly services?: readonly string[];
    /** What runs is stopped, and goes too. */
    readonly stop: boolean;
    readonly volumes: boolean;
  };
}

/** Removes containers that do not run; orphans, networks and named volumes stay. */
export function planRm({project, observed, options: {services, stop, volumes}}: RmInput): Plan {
  const plan = createPlanBuilder(observed.project, project?.workingDir);
  const named = serviceContainers(plan, {project, observed, services});
  const containers = named.filter(
    (container) => (stop || !isUp(container)) && (services !== undefined || isOfStack(project, container)),
  );
  const dependencies = knownDependencies(project, observed.containers);
  const {nodes} = stopInOrder(plan, {project, dependencies, containers, timeoutSeconds: undefined});
  for (const {id, name, service} of [...containers].sort(compareContainers)) {
    const container = {kind: 'existing', id, name, service} as const;
    plan.add({kind: 'removeContainer', container, removeAnonymousVolumes: volumes}, {reason: 'asked to remove'}, [
      nodes.get(id),
    ]);
  }
  return plan.build();
}
