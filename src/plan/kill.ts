import type {Project} from '../model/types.ts';
import type {Plan} from './action.ts';
import {createPlanBuilder} from './builder.ts';
import {isUp, type Observed} from './observed.ts';
import {compareContainers} from './replicas.ts';
import {serviceContainers} from './selection.ts';

export interface KillInput {
  readonly project: Project | undefined;
  readonly observed: Observed;
  readonly options: {readonly services?: readonly string[]; readonly signal?: string};
}

/** Sends a signal to what runs, at once and in no order, as in Compose. */
export function planKill({project, observed, options: {services, signal}}: KillInput): Plan {
  const plan = createPlanBuilder(observed.project, project?.workingDir);
  for (const {id, name, service} of serviceContainers(plan, {project, observed, services})
    .filter(isUp)
    .sort(compareContainers)) {
    const container = {kind: 'existing', id, name, service} as const;
    plan.add({kind: 'killContainer', container, ...(signal !== undefined && {signal})}, {reason: 'asked to kill'}, []);
  }
  return plan.build();
}
