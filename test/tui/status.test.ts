import {expect, test} from 'vitest';
import {pendingOf} from '../../src/tui/pending.ts';
import {healthText, isDone, replicaStatus, serviceStatus, shortCause} from '../../src/tui/status.ts';
import type {ContainerSnapshot, PendingPlan, ServiceState} from '../../src/tui/types.ts';
import {container, emptyScene, fold, health, now} from './scenes.ts';

function service(wanted: number, ...containers: readonly Partial<ContainerSnapshot>[]): ServiceState {
  const state = fold(
    emptyScene(80, 24).state,
    {kind: 'stack', project: 'shop', services: [{name: 'web', wanted}]},
    {kind: 'snapshot', containers: containers.map((more, index) => container('web', index + 1, more))},
  );
  const [first] = state.services;
  if (first === undefined) throw new Error('there is no service');
  return first;
}

function statusOf(more: Partial<ContainerSnapshot>): string {
  const [replica] = service(1, more).replicas;
  if (replica === undefined) throw new Error('there is no replica');
  const {glyph, word} = replicaStatus(replica);
  return `${glyph} ${word}`;
}

test.each([
  [{}, 'running running'],
  [{health: health('healthy')}, 'running running'],
  [{health: health('starting')}, 'busy starting'],
  [{health: health('unhealthy')}, 'bad unhealthy'],
  [{phase: 'starting'}, 'busy starting'],
  [{phase: 'stopping'}, 'busy stopping'],
  [{phase: 'removing'}, 'busy removing'],
  [{phase: 'restarting'}, 'restarting restarting'],
  [{phase: 'paused'}, 'paused paused'],
  [{phase: 'created'}, 'idle created'],
  [{phase: 'dead'}, 'bad dead'],
  [{phase: 'exited', exitCode: 0}, 'idle exited 0'],
  [{phase: 'exited', exitCode: 0, stopRequested: true}, 'idle stopped'],
  [{phase: 'exited', exitCode: 143}, 'idle stopped'],
  [{phase: 'exited', exitCode: 137}, 'idle killed'],
  [{phase: 'exited', exitCode: 137, stopRequested: true}, 'idle stopped'],
  [{phase: 'exited', exitCode: 137, oomKilled: true}, 'bad oom-killed'],
  [{phase: 'exited', exitCode: 2}, 'bad exited 2'],
  [{phase: 'exited', exitCode: undefined}, 'bad exited ?'],
] as const)('a container that is %j is shown as "%s"', (more, shown) => {
  expect(statusOf(more)).toBe(shown);
});

test('the worst of the replicas speaks for a service, and one without any says why', () => {
  expect(serviceStatus(service(3, {}, {phase: 'restarting'}, {health: health('unhealthy')})).word).toBe('unhealthy');
  expect(serviceStatus(service(1)).word).toBe('missing');
  expect(serviceStatus(service(0)).word).toBe('not wanted');
});

test('a job is done where all of it ended well by itself', () => {
  expect(isDone(service(1, {phase: 'exited', exitCode: 0}))).toBe(true);
  expect(isDone(service(1, {phase: 'exited', exitCode: 0, stopRequested: true}))).toBe(false);
  expect(isDone(service(2, {phase: 'exited', exitCode: 0}, {}))).toBe(false);
  expect(isDone(service(1))).toBe(false);
});

test('a job that is done is not waited for, though the plan starts it again', () => {
  const plan: PendingPlan = {
    changes: 2,
    summary: '1 to start · 1 to create',
    text: '',
    services: ['web', 'mail'],
    starts: ['web'],
    questions: [],
  };
  const done = [service(1, {phase: 'exited', exitCode: 0})];
  expect(pendingOf({plan, services: done})).toEqual({changes: 1, services: ['mail']});
  const failed = [service(1, {phase: 'exited', exitCode: 1})];
  expect(pendingOf({plan, services: failed})).toEqual({changes: 2, services: ['web', 'mail']});
  expect(pendingOf({plan: {...plan, starts: []}, services: done}).changes).toBe(2);
  expect(pendingOf({plan: undefined, services: done})).toEqual({changes: 0, services: []});
});

test.each([
  [health('healthy'), 'ok', 'ok'],
  [health('healthy', {failures: 1, exitCode: 1, output: 'slow'}), 'ok, last exit 1: slow', 'ok'],
  [health('starting'), 'probing', 'probing'],
  [health('starting', {failures: 2, exitCode: 1, output: '\n refused\nmore'}), 'exit 1: refused', 'exit 1'],
  [health('unhealthy', {failures: 3, exitCode: -1}), 'timeout', 'timeout'],
  [health('unhealthy', {failures: 3, exitCode: 7, output: '\x1b[31mno\x1b[0m'}), 'exit 7: no', 'exit 7'],
])('health %j reads "%s"', (info, text, short) => {
  const {replicas} = service(1, {health: info});
  expect(healthText(replicas)).toMatchObject({text, short});
});

test('the health of the worst replica is told, of what does not run none', () => {
  const {replicas} = service(2, {health: health('healthy')}, {health: health('unhealthy', {exitCode: 2})});
  expect(healthText(replicas).text).toBe('exit 2');
  expect(healthText(service(1, {phase: 'exited', exitCode: 1, health: health('unhealthy')}).replicas).text).toBe('');
});

test('causes have a word or two for the table', () => {
  const words = (['exit', 'oom', 'monitorLost', 'watch', 'unhealthy', 'command', 'recreated'] as const).map((kind) =>
    shortCause({time: now, kind, exitCode: 1}),
  );
  expect(words).toEqual(['exit 1', 'oom', 'monitor', 'save', 'health', 'command', 'recreated']);
});
