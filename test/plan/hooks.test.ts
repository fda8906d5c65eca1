import {expect, test} from 'vitest';
import {planDown} from '../../src/plan/down.ts';
import {emptyMemory} from '../../src/plan/input.ts';
import {planReplica} from '../../src/plan/replica.ts';
import {planRestart} from '../../src/plan/restart.ts';
import {planStart} from '../../src/plan/start.ts';
import {planStop} from '../../src/plan/stop.ts';
import {planUp} from '../../src/plan/up.ts';
import {container, imagesOf, observed, project, running, upInput} from './fixtures.ts';
import {formatPlan} from './format.ts';

const shop = project({
  services: {
    db: {post_start: [{command: ['one']}, {command: ['two']}], pre_stop: [{command: ['last']}]},
    web: {depends_on: {db: {condition: 'service_started', required: true}}},
  },
  lines: {'services.db.post_start[1]': 7, 'services.db.pre_stop[0]': 9},
});
const memory = emptyMemory;

test('hooks come after the start and before the stop of each replica, and before whatever waits for either', () => {
  const nothing = observed({images: imagesOf(shop)});
  expect(formatPlan(planUp(upInput(shop, nothing)))).toBe(
    `
[] -> #1 createContainer db-1, no existing container
[] -> #2 createContainer web-1, no existing container
[1] -> #3 startContainer db-1, new container
[3] -> #4 runHook db-1 post_start 1, after its start
[4] -> #5 runHook db-1 post_start 2, after its start
[2,5] -> #6 startContainer web-1, new container`.trim(),
  );
  expect(formatPlan(planDown({project: shop, observed: running(shop), options: {}}))).toBe(
    `
[] -> #1 stopContainer web-1, asked to stop
[1] -> #2 runHook db-1 pre_stop 1, before its stop
[2] -> #3 stopContainer db-1, asked to stop
[1] -> #4 removeContainer web-1, down
[3] -> #5 removeContainer db-1, down`.trim(),
  );
  const restarted = planRestart({project: shop, observed: running(shop), options: {services: ['db']}, memory});
  expect(formatPlan(restarted)).toBe(
    `
[] -> #1 runHook db-1 pre_stop 1, before its stop
[1] -> #2 restartContainer db-1, asked to restart
[2] -> #3 runHook db-1 post_start 1, after its start
[3] -> #4 runHook db-1 post_start 2, after its start`.trim(),
  );
  expect(restarted.nodes.map(({why}) => why.source?.line)).toEqual([9, undefined, undefined, 7]);
});

test('replacing and scaling down stop with hooks too', () => {
  const world = {...running(shop), containers: [container(shop, 'db', {image: 'sha256:older'})]};
  expect(formatPlan(planUp(upInput(project({services: {db: shop.services.db ?? {}}}), world)))).toContain(
    `
[1] -> #2 runHook db-1 pre_stop 1, before its stop
[2] -> #3 stopContainer db-1, replaced by a new container`.trim(),
  );
  const none = project({services: {db: {...shop.services.db, scale: 0}}});
  expect(formatPlan(planUp(upInput(none, running(shop), {ignoreOrphans: true})))).toBe(
    `
[] -> #1 runHook db-1 pre_stop 1, before its stop
[1] -> #2 stopContainer db-1, scaled to 0
[2] -> #3 removeContainer db-1, scaled to 0`.trim(),
  );
});

test('nothing is run in what has ended, or is about to be started again by its policy', () => {
  for (const [status, nodes] of [
    ['exited', []],
    ['restarting', ['stopContainer']],
    ['paused', ['stopContainer']],
  ] as const) {
    const world = observed({containers: [container(shop, 'db', {status})]});
    const {nodes: planned, notices} = planStop({project: shop, observed: world, options: {}});
    expect(planned.map(({action}) => action.kind)).toEqual(nodes);
    expect(notices.map(({message}) => message)).toEqual(
      status === 'paused' ? ['container "shop-db-1" is paused: it is stopped without its pre_stop hooks'] : [],
    );
  }
});

test('the stack file says what is run: what it does not have has no hooks', () => {
  const world = observed({containers: [container(shop, 'db')]});
  const plan = planStop({project: undefined, observed: world, options: {}});
  expect(plan.nodes.map(({action}) => action.kind)).toEqual(['stopContainer']);
});

test('up and start go on with hooks that a running container lacks; those that wait for it wait for them', () => {
  const db = {...container(shop, 'db'), hooksDone: 1};
  const world = observed({containers: [db, container(shop, 'web', {status: 'exited'})], images: imagesOf(shop)});
  const expected = `
[] -> #1 runHook db-1 post_start 2, has not run since its start
[1] -> #2 startContainer web-1, not running (exited)`.trim();
  expect(formatPlan(planUp(upInput(shop, world)))).toBe(expected);
  expect(formatPlan(planStart({project: shop, observed: world, options: {}, memory}))).toBe(expected);
  const complete = {...world, containers: [{...db, hooksDone: 2}]};
  expect(formatPlan(planStart({project: shop, observed: complete, options: {services: ['db']}, memory}))).toBe('');
  // What the command did itself counts more than what was seen of it.
  const own = {...memory, started: new Set([db.id]), hooksDone: new Map([[db.id, 2]])};
  expect(formatPlan(planStart({project: shop, observed: world, options: {services: ['db']}, memory: own}))).toBe('');
});

test('one replica alone is stopped, started and restarted with its hooks, whoever depends on it', () => {
  const plan = (change: 'start' | 'stop' | 'restart', parts: Parameters<typeof container>[2] = {}) => {
    const db = container(shop, 'db', {...parts, number: 2});
    const world = observed({containers: [container(shop, 'db'), db, container(shop, 'web')]});
    return formatPlan(planReplica({project: shop, observed: world, id: db.id, change, memory}));
  };
  expect(plan('stop')).toBe(
    '[] -> #1 runHook db-2 pre_stop 1, before its stop\n[1] -> #2 stopContainer db-2, asked to stop',
  );
  expect(plan('start', {status: 'exited'})).toBe(
    `
[] -> #1 startContainer db-2, not running (exited)
[1] -> #2 runHook db-2 post_start 1, after its start
[2] -> #3 runHook db-2 post_start 2, after its start`.trim(),
  );
  expect(
    plan('restart')
      .split('\n')
      .map((line) => line.split(' ')[3]),
  ).toEqual(['runHook', 'restartContainer', 'runHook', 'runHook']);
  expect([plan('start'), plan('stop', {status: 'exited'})]).toEqual(['', '']);
  const gone = container(shop, 'db', {number: 3});
  const input = {project: shop, observed: observed(), id: gone.id, change: 'stop', memory} as const;
  expect(() => planReplica(input)).toThrow('container 646233000000 is gone');
});

test('a second wave of a restart still holds dependents back where a hook is missing', () => {
  const following = project({
    services: {
      db: shop.services.db ?? {},
      web: {depends_on: {db: {condition: 'service_healthy', restart: true, required: true}}},
    },
  });
  const db = container(following, 'db');
  const own = {...memory, restarted: new Set([db.id]), hooksDone: new Map([[db.id, 1]])};
  const world = observed({containers: [db, container(following, 'web')]});
  expect(formatPlan(planRestart({project: following, observed: world, options: {}, memory: own}))).toBe(
    `
[] -> #1 runHook db-1 post_start 2, has not run since its start
[1] -> #2 awaitCondition db service_healthy, web depends on it
[1,2] -> #3 restartContainer web-1, asked to restart`.trim(),
  );
});
