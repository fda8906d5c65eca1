import {expect, test} from 'vitest';
import {down, restart, start, stop} from '../../src/reconcile/commands.ts';
import type {ProjectParts} from '../plan/fixtures.ts';
import {project} from '../plan/fixtures.ts';
import {engineFor, runOn, upProject} from './harness.ts';

const parts: ProjectParts = {
  services: {
    db: {},
    api: {depends_on: {db: {condition: 'service_healthy', restart: true, required: true}}},
    web: {depends_on: {api: {condition: 'service_started', required: true}}},
  },
};
const target = {name: 'shop', project: project(parts)};

async function shop() {
  const engine = engineFor(parts);
  engine.addImage('db', {health: 'healthy', afterMs: 200});
  await upProject(parts, runOn(engine));
  engine.calls.length = 0;
  return engine;
}

test('stop goes from dependents to what they depend on, start the other way round and waits', async () => {
  const engine = await shop();
  await stop(target, {}, runOn(engine).context);
  expect(engine.calls).toEqual(['stop shop-web-1', 'stop shop-api-1', 'stop shop-db-1']);
  engine.calls.length = 0;
  const run = runOn(engine);
  await start(target, {}, run.context);
  expect(engine.calls).toEqual(['start shop-db-1', 'start shop-api-1', 'start shop-web-1']);
  expect(run.lines()).toContain('service db is healthy');
});

test('restart takes dependents along after it is healthy again, and nothing twice', async () => {
  const engine = await shop();
  const run = runOn(engine);
  await restart(target, {services: ['db']}, run.context);
  expect(engine.calls).toEqual(['restart shop-db-1', 'restart shop-api-1']);
  expect(run.lines()).toContain('service db is healthy');
});

test('a service that nothing knows is refused', async () => {
  const engine = await shop();
  await expect(stop(target, {services: ['dbx']}, runOn(engine).context)).rejects.toMatchObject({
    kind: 'notFound',
    message: 'no such service: "dbx"',
  });
});

test('without a stack file the labels are enough', async () => {
  const engine = await shop();
  await stop({name: 'shop', project: undefined}, {}, runOn(engine).context);
  expect(engine.names('running')).toEqual([]);
});

test('down with images removes those that nothing else uses, and says which stay', async () => {
  const engine = await shop();
  // Of another stack.
  await engine.client().createContainer({name: 'other', Image: 'api'});
  const run = runOn(engine);
  await down(target, {removeImages: 'all'}, run.context);
  expect([...engine.images.keys()]).toEqual(['api']);
  expect(run.lines().filter((line) => line.startsWith('image'))).toEqual(['image db removed', 'image web removed']);
  expect(run.lines()).toContain('warning: image "api" stays: a container uses it');
});
