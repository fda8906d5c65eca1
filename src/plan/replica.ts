import type {Project} from '../model/types.ts';
import type {ContainerId, Plan} from './action.ts';
import {createPlanBuilder} from './builder.ts';
import {addMissingHooks, restartWithHooks, startWithHooks, stopWithHooks} from './hooks.ts';
import type {Memory} from './input.ts';
import {isUp, type Observed} from './observed.ts';

export interface ReplicaInput {
  readonly project: Project | undefined;
  readonly observed: Observed;
  readonly id: ContainerId;
  readonly change: 'start' | 'stop' | 'restart';
  readonly memory: Memory;
}

/** Changes one container alone: what it depends on, and what depends on it, stays as it is. */
export function planReplica({project, observed, id, change, memory}: ReplicaInput): Plan {
  const plan = createPlanBuilder(observed.project, project?.workingDir);
  const container = observed.containers.find((one) => one.id === id);
  const of = {project, timeoutSeconds: undefined};
  if (container === undefined) {
    plan.problem({kind: 'notFound', message: `container ${id.slice(0, 12)} is gone`});
  } else if (change === 'stop') {
    if (isUp(container)) stopWithHooks(plan, {...of, container}, {reason: 'asked to stop'}, []);
  } else if (change === 'restart') {
    if (!memory.restarted.has(id)) restartWithHooks(plan, {...of, container}, {reason: 'asked to restart'}, []);
  } else if (isUp(container)) {
    addMissingHooks(plan, {project, container, memory});
  } else if (!memory.started.has(id)) {
    const {name, service, status} = container;
    const why = {reason: `not running (${status})`};
    startWithHooks(plan, {project, container: {kind: 'existing', id, name, service}}, why, []);
  }
  return plan.build();
}
