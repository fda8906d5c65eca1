import {expect, test} from 'vitest';
import type {Service} from '../../../src/model/types.ts';
import {up} from '../../../src/reconcile/commands.ts';
import {lowerProject} from '../../../src/reconcile/lowering.ts';
import type {WatchEngine} from '../../../src/watch/session/engine.ts';
import {createRestarts} from '../../../src/watch/session/restarts.ts';
import {project} from '../../plan/fixtures.ts';
import {runOn} from '../../reconcile/harness.ts';
import {MemoryEngine} from '../../reconcile/memory-engine.ts';

async function begin(services: Readonly<Record<string, Partial<Service>>>) {
  const engine = new MemoryEngine();
  for (const image of Object.keys(services)) engine.addImage(image);
  const run = runOn(engine);
  const stack = project({services});
  const options = {features: new Set<string>(['files']), version: '1.0.0'};
  await up({project: stack, ...lowerProject(stack, options), options: {}}, run.context);
  engine.calls.length = 0;
  // Restarts ask no more of it than the reconciler does.
  const client = run.context.engine as WatchEngine;
  const restarts = createRestarts({engine: client, project: () => stack, converge: run.context});
  return {engine, restarts, ids: (name: string) => [engine.named(name).id]};
}

test('a service that nobody follows is restarted by one call a container; one that is gone is no failure', async () => {
  const {engine, restarts, ids} = await begin({api: {scale: 2}, web: {}});
  await restarts.restart('api', [...ids('shop-api-1'), ...ids('shop-api-2'), 'gone']);
  expect(engine.calls).toEqual(['restart shop-api-1', 'restart shop-api-2']);
});

test('followers come after what they follow; what is asked for meanwhile comes together', async () => {
  const follows = {db: {condition: 'service_started', required: true, restart: true}} as const;
  const {engine, restarts, ids} = await begin({db: {}, api: {depends_on: follows}, other: {}});
  await Promise.all([
    restarts.restart('db', ids('shop-db-1')),
    restarts.restart('db', ids('shop-db-1')),
    restarts.restart('db', ids('shop-db-1')),
  ]);
  const of = (name: string) => engine.calls.filter((call) => call.endsWith(name));
  expect(engine.calls.filter((call) => call.includes('other'))).toEqual([]);
  expect(engine.named('shop-api-1').status).toBe('running');
  // Once for the first, once for the two that came while it was at work.
  const times = (name: string) => of(name).filter((call) => /^(restart|start) /.test(call)).length;
  expect([times('shop-db-1'), times('shop-api-1')]).toEqual([times('shop-db-1'), times('shop-db-1')]);
  expect(times('shop-db-1')).toBeLessThanOrEqual(2);
  const first = (name: string) =>
    engine.calls.findIndex((call) => /^(restart|start) /.test(call) && call.endsWith(name));
  expect(first('shop-db-1')).toBeLessThan(first('shop-api-1'));
});
