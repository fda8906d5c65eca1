import type {Project} from '../model/types.ts';
import type {Plan} from './action.ts';
import {createPlanBuilder} from './builder.ts';
import type {Observed} from './observed.ts';
import {compareContainers} from './replicas.ts';
import {serviceContainers} from './selection.ts';

export interface PauseInput {
  readonly project: Project | undefined;
  readonly observed: Observed;
  readonly options: {readonly services?: readonly string[]; readonly change: 'pause' | 'unpause'};
}

/**
 * Pauses what runs, or lets go on what is paused; in no order, as in Compose. What is so already is left as it is (where
 * Compose fails), so that a command that was killed half-way can be given again.
 */
export function planPause({project, observed, options: {services, change}}: PauseInput): Plan {
  const plan = createPlanBuilder(observed.project, project?.workingDir);
  const before = change === 'pause' ? 'running' : 'paused';
  const containers = serviceContainers(plan, {project, observed, services});
  for (const {id, name, service} of containers.filter(({status}) => status === before).sort(compareContainers)) {
    const container = {kind: 'existing', id, name, service} as const;
    plan.add({kind: `${change}Container`, container}, {reason: `asked to ${change}`}, []);
  }
  return plan.build();
}
