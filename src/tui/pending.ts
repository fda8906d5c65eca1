import {isDone} from './status.ts';
import type {UiState} from './types.ts';

/**
 * What waits to be applied. A job that has done its work is not waited for, though the plan says truly that `up` runs it
 * again: else a stack with one would never be as its file says.
 */
export interface Pending {
  readonly changes: number;
  /** That it touches. */
  readonly services: readonly string[];
}

export function pendingOf({plan, services}: Pick<UiState, 'plan' | 'services'>): Pending {
  if (plan === undefined) return {changes: 0, services: []};
  const done = services.filter((service) => plan.starts.includes(service.name) && isDone(service));
  const names = new Set(done.map(({name}) => name));
  // Starting the containers of one service is one change.
  return {changes: plan.changes - done.length, services: plan.services.filter((name) => !names.has(name))};
}

/** Whether there is a plan that would change something. */
export function canApply({plan}: Pick<UiState, 'plan'>): boolean {
  return plan !== undefined && plan.problem === undefined && plan.changes > 0;
}
