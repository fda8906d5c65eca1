import {setTimeout as delay} from 'node:timers/promises';
import {expect, test} from 'vitest';
import type {Clock} from '../../src/base/clock.ts';
import type {ContainerId} from '../../src/plan/action.ts';
import type {Condition} from '../../src/reconcile/conditions.ts';
import {waitForChange} from '../../src/reconcile/wait.ts';
import type {ProgressContent} from '../../src/report/event.ts';
import {MemoryEngine} from './memory-engine.ts';

/** Sleeps only until it is told to wake up. */
const sleepless: Clock = {
  now: () => Date.now(),
  sleep: (_ms, signal) => new Promise((resolve) => signal?.addEventListener('abort', () => resolve())),
};

async function running(engine: MemoryEngine, image: string): Promise<Condition> {
  const client = engine.client();
  const {id} = await client.createContainer({
    name: image,
    Image: image,
    Labels: {'com.docker.compose.project': 'shop'},
  });
  await client.getContainer(id).start();
  return {
    service: image,
    condition: 'service_healthy',
    containers: [{id: id as ContainerId, name: image}],
    failurePrefix: '',
  };
}

function options(
  engine: MemoryEngine,
  parts: Partial<Parameters<typeof waitForChange>[0]>,
): Parameters<typeof waitForChange>[0] {
  return {
    engine: engine.client(),
    project: 'shop',
    any: [],
    all: [],
    clock: sleepless,
    report: () => undefined,
    signal: new AbortController().signal,
    ...parts,
  };
}

test('an event wakes it up, without any looking again', async () => {
  const engine = new MemoryEngine();
  engine.addImage('db', {health: 'healthy', afterMs: 60_000});
  engine.addImage('other', {health: 'healthy', afterMs: 60_000});
  const any = [await running(engine, 'db'), await running(engine, 'other')];
  const events: ProgressContent[] = [];
  const report = (event: ProgressContent) => {
    // Once both have been looked at.
    if (events.push(event) === 2) setTimeout(() => engine.probe(engine.named('db'), 'healthy'), 5);
  };
  await waitForChange(options(engine, {any, report}));
  expect(events.map((event) => event.kind === 'waiting' && event.detail)).toEqual([
    'db is starting',
    'other is starting',
  ]);
});

test('all that are waited for together must hold, and one failure is enough', async () => {
  const engine = new MemoryEngine();
  engine.addImage('quick', {health: 'healthy', afterMs: 5});
  engine.addImage('slow', {health: 'healthy', afterMs: 50});
  engine.addImage('bad', {health: 'unhealthy', afterMs: 25});
  engine.addImage('never', {health: 'healthy', afterMs: 60_000});
  const begin = Date.now();
  await waitForChange(options(engine, {all: [await running(engine, 'quick'), await running(engine, 'slow')]}));
  expect(Date.now() - begin).toBeGreaterThanOrEqual(40);
  await waitForChange(options(engine, {all: [await running(engine, 'never'), await running(engine, 'bad')]}));
});

test('a container that goes ends the wait', async () => {
  const engine = new MemoryEngine();
  engine.addImage('db', {health: 'healthy', afterMs: 60_000});
  const condition = await running(engine, 'db');
  const waiting = waitForChange(options(engine, {any: [condition]}));
  await delay(5);
  await engine
    .client()
    .getContainer(condition.containers[0]?.id ?? '')
    .remove({force: true});
  await waiting;
});

test('without events it looks again from time to time', async () => {
  const engine = new MemoryEngine();
  engine.addImage('db', {health: 'healthy', afterMs: 60_000});
  const deaf = {...engine.client(), getEvents: () => Promise.reject(new Error('no events'))};
  let looks = 0;
  const clock: Clock = {
    now: () => Date.now(),
    sleep: async () => {
      looks += 1;
      await delay(5);
      if (looks === 3) engine.probe(engine.named('db'), 'healthy');
    },
  };
  await waitForChange(options(engine, {any: [await running(engine, 'db')], engine: deaf, clock}));
  expect(looks).toBe(3);
});

test('the signal ends it', async () => {
  const engine = new MemoryEngine();
  engine.addImage('db', {health: 'healthy', afterMs: 60_000});
  const controller = new AbortController();
  const waiting = waitForChange(options(engine, {any: [await running(engine, 'db')], signal: controller.signal}));
  controller.abort();
  await waiting;
});
