import type {Action, Cause, NodeId, Plan, PlanNode} from '../../src/plan/action.ts';
import type {ProgressContent, ProgressEvent} from '../../src/report/event.ts';
import {emptyState, reduce, type ViewState} from '../../src/report/state.ts';

/** A node by its action; the numbers only have to differ. */
export function node(id: number, action: Action, why: Cause = {reason: 'test'}): PlanNode {
  return {id: id as NodeId, action, why, after: []};
}

export function plan(...nodes: readonly PlanNode[]): Plan {
  return {project: 'shop', nodes, consents: [], notices: []};
}

/** The state after events that came a second apart, the first at time 0. */
export function stateAfter(...contents: readonly ProgressContent[]): ViewState {
  return contents.map((content, index): ProgressEvent => ({time: index * 1000, ...content})).reduce(reduce, emptyState);
}

export const network = node(1, {kind: 'createNetwork', network: 'default', name: 'shop_default'});
export const create = node(2, {kind: 'createContainer', service: 'db', replica: 1, name: 'shop-db-1'});
export const start = node(3, {
  kind: 'startContainer',
  container: {kind: 'planned', node: 2 as NodeId, name: 'shop-db-1', service: 'db'},
});
export const wait = node(4, {kind: 'awaitCondition', service: 'db', condition: 'service_healthy', required: true});
export const createWeb = node(5, {kind: 'createContainer', service: 'web', replica: 1, name: 'shop-web-1'});

/** How an `up` goes whose database never gets healthy. */
export const unhealthyRun: readonly ProgressContent[] = [
  {kind: 'planned', wave: 1, plan: plan(network, create, start, wait, createWeb)},
  {kind: 'nodeStarted', node: network},
  {kind: 'nodeDone', node: network, tookMs: 1000},
  {kind: 'nodeStarted', node: create},
  {kind: 'nodeDone', node: create, tookMs: 1000},
  {kind: 'nodeStarted', node: start},
  {kind: 'nodeDone', node: start, tookMs: 1000},
  {
    kind: 'waiting',
    wait: {service: 'db', containers: ['shop-db-1'], condition: 'service_healthy'},
    detail: 'shop-db-1 is starting, last probe exit 2: no\u001b[31m answer\n',
  },
  {
    kind: 'nodeFailed',
    node: wait,
    failure: {
      kind: 'dependencyFailed',
      message: 'dependency failed to start: container shop-db-1 is unhealthy',
      evidence: {
        container: 'shop-db-1',
        probe: {exitCode: 2, output: 'no answer'},
        log: ['FATAL: \u001b]0;evil\u0007disk'],
      },
    },
  },
  {kind: 'nodeSkipped', node: createWeb, reason: 'needs service "db", which failed'},
  {kind: 'summary', command: 'up', summary: {outcome: 'failed', tookMs: 9000, done: 3, failed: 1, skipped: 1}},
];
