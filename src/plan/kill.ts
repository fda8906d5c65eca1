import type {Project} from '../model/types.ts';
import type {Plan} from './action.ts';
import {createPlanBuilder} from './builder.ts';
import {isUp, type Observed} from './observed.ts';
import {compareContainers} from './replicas.ts';
import {isOfStack, serviceContainers} from './selection.ts';

export interface KillInput {
  readonly project: Project | undefined;
  readonly observed: Observed;
  readonly options: {
    readonly services?: readonly string[];
    readonly signal?: string;
    /** Also what no service of the stack file accounts for. */
    readonly removeOrphans?: boolean;
  };
}

/** Sends a signal to what runs, to containers of single commands too, at once and in no order, as in Compose. */
export function planKill({project, observed, options}: KillInput): Plan {
  const {services, signal, removeOrphans = false} = options;
  const plan = createPlanBuilder(observed.project, project?.workingDir);
  for (const {id, name, service} of serviceContainers(plan, {project, observed, services, oneOffs: true})
    .filter((one) => isUp(one) && (services !== undefined || removeOrphans || isOfStack(project, one)))
    .sort(compareContainers)) {
    const container = {kind: 'existing', id, name, service} as const;
    plan.add({kind: 'killContainer', container, ...(signal !== undefined && {signal})}, {reason: 'asked to kill'}, []);
  }
  return plan.build();
}
