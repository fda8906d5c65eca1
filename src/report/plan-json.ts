import type {Action, Plan, PlanNode} from '../plan/action.ts';
import {countChanges} from './plan-changes.ts';
import {nodeSubject} from './subject.ts';

/** A plan for programs: additive only, `version` is raised when a member changes its meaning. */
export function planJson(plan: Plan): Readonly<Record<string, unknown>> {
  return {
    version: 1,
    project: plan.project,
    nodes: plan.nodes.map(nodeJson),
    consents: plan.consents,
    notices: plan.notices,
    summary: countChanges(plan),
  };
}

export function nodeJson(node: PlanNode): Readonly<Record<string, unknown>> {
  const {kind, ...action} = node.action.kind === 'runHook' ? withoutValues(node.action) : node.action;
  return {id: node.id, kind, subject: nodeSubject(node), action, why: node.why, after: node.after};
}

/** The environment of a command may hold what is nobody's business: its names have to do. */
function withoutValues({run, ...action}: Action<'runHook'>): Omit<Action<'runHook'>, 'run'> & {readonly run: object} {
  const {environment, ...stated} = run;
  return {...action, run: {...stated, ...(environment && {environment: Object.keys(environment).sort()})}};
}
