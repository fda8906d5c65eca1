import {expect, test} from 'vitest';
import {TscomposeError} from '../../../src/base/errors.ts';
import type {WatchRule} from '../../../src/model/types.ts';
import type {ProgressContent} from '../../../src/report/event.ts';
import {type ContainerSync, FileGone, type SyncOutcome} from '../../../src/watch/session/container-sync.ts';
import type {WatchedContainer} from '../../../src/watch/session/containers.ts';
import {createMeter} from '../../../src/watch/session/meter.ts';
import type {ServiceRule} from '../../../src/watch/session/rules.ts';
import type {RanActions} from '../../../src/watch/session/run-actions.ts';
import {createServiceWorker} from '../../../src/watch/session/worker.ts';
import {manualClock} from '../manual-clock.ts';
import {memoryContainer} from './memory-container.ts';
import {memoryContainers} from './memory-containers.ts';

const ruleOf = (action: WatchRule['action']): ServiceRule => ({
  id: `api ${action}`,
  service: 'api',
  rule: {path: '/src', action, target: '/app', ignore: [], include: [], initial_sync: false},
  target: '/app',
});
const restart = ruleOf('sync+restart');
const command = ruleOf('sync+exec');
const idle = {written: 0, deleted: 0};

/** A worker whose containers take what they are given; what was done is written down. */
function begin() {
  const clock = manualClock();
  const containers = memoryContainers();
  const applied: string[] = [];
  const ran: RanActions[] = [];
  const events: ProgressContent[] = [];
  const abort = new AbortController();
  const held = new Set<ServiceRule>();
  let outcome: (paths: ReadonlySet<string>, container: WatchedContainer) => Promise<SyncOutcome> = async (paths) => ({
    written: paths.size,
    deleted: 0,
    changed: new Set([restart]),
  });
  const worker = createServiceWorker({
    service: 'api',
    containers,
    syncOf: (container): ContainerSync => ({
      everything: async () => new Set(['/app/all']),
      async apply(paths) {
        applied.push(`${container.id}: ${[...paths].join(' ')}`);
        return outcome(paths, container);
      },
    }),
    actions: {run: async (actions) => void ran.push(actions), close: () => {}},
    isHeld: (rule) => held.has(rule),
    meter: createMeter(),
    clock,
    report: (event) => events.push(event),
    signal: abort.signal,
  });
  containers.subscribe(({kind, container}) => {
    if (kind === 'started') worker.started(container);
    if (kind === 'died') worker.died(container);
    if (kind === 'gone') worker.gone(container);
  });
  return {
    clock,
    containers,
    worker,
    applied,
    ran,
    held,
    abort,
    failures: () => events.filter((event) => event.kind === 'watchFailed'),
    synced: () => events.filter((event) => event.kind === 'watchSynced'),
    answers(next: typeof outcome) {
      outcome = next;
    },
    container(id: string, parts: Partial<WatchedContainer> = {}) {
      const {container} = memoryContainer({id, name: `shop-api-${id}`, ...parts});
      containers.came(container);
      return container;
    },
    save: (...paths: string[]) =>
      worker.changed({paths: paths.map((path) => `/app/${path}`), rules: [], shown: paths, savedAt: clock.now()}),
  };
}

test('a save goes to every replica and is followed by the action of its rule, once', async () => {
  const {container, save, worker, applied, ran, synced} = begin();
  container('1');
  container('2');
  save('a');
  await worker.idle();
  expect(applied).toEqual(['1: /app/a', '2: /app/a']);
  expect(ran.map(({actions}) => actions.map(({container: {id}, rules}) => [id, rules]))).toEqual([
    [
      ['1', [restart]],
      ['2', [restart]],
    ],
  ]);
  expect(synced()).toMatchObject([{containers: ['shop-api-1', 'shop-api-2'], written: 1, leadsOn: true}]);
});

test('what is saved while it works comes together after it', async () => {
  const {container, save, worker, applied, answers} = begin();
  container('1');
  let finish: () => void = () => {};
  answers(async (paths) => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return {written: paths.size, deleted: 0, changed: new Set()};
  });
  save('a');
  await new Promise((resolve) => setImmediate(resolve));
  save('b');
  save('c');
  finish();
  await new Promise((resolve) => setImmediate(resolve));
  finish();
  await worker.idle();
  expect(applied).toEqual(['1: /app/a', '1: /app/b /app/c']);
});

test('what failed is owed, told once, and tried again ever later; a save tries at once', async () => {
  const {container, save, worker, applied, answers, failures, clock} = begin();
  container('1');
  answers(async () => {
    throw new TscomposeError('exhausted', 'no space left');
  });
  save('a');
  await clock.advance(0);
  expect(failures()).toMatchObject([{pending: 1, retryMs: 200, cause: {paths: ['a']}}]);
  await clock.advance(200);
  await clock.advance(400);
  expect(applied).toHaveLength(3);
  expect(failures()).toHaveLength(1);
  answers(async (paths) => ({written: paths.size, deleted: 0, changed: new Set()}));
  save('b');
  await worker.idle();
  expect(applied.at(-1)).toBe('1: /app/a /app/b');
  await clock.advance(60_000);
  expect(applied).toHaveLength(4);
});

test('a file that went while it was read is told only where nothing comes of it', async () => {
  const {container, save, applied, answers, failures, clock} = begin();
  container('1');
  answers(async () => {
    throw new TscomposeError('conflict', 'a mount point is in the way');
  });
  save('a');
  await clock.advance(0);
  answers(async () => {
    throw new FileGone('conflict', '"/src/a" went away while it was read');
  });
  await clock.advance(200);
  expect(applied).toHaveLength(2);
  expect(failures()).toHaveLength(1);
  await clock.advance(400);
  expect(failures()).toHaveLength(2);
});

test('a container that is gone is no failure, and one that comes gets everything', async () => {
  const {container, save, worker, applied, answers, failures} = begin();
  container('1');
  answers(async () => {
    throw new TscomposeError('notFound', 'no such container');
  });
  save('a');
  await worker.idle();
  expect(failures()).toEqual([]);
  answers(async () => ({...idle, changed: new Set()}));
  worker.came(container('2'));
  await worker.idle();
  expect(applied.at(-1)).toBe('2: /app/all');
});

test('a save restarts a container that does not run; what it missed does not', async () => {
  const {container, save, worker, ran} = begin();
  worker.came(container('1', {running: false}));
  await worker.idle();
  expect(ran).toEqual([]);
  save('a');
  await worker.idle();
  expect(ran).toHaveLength(1);
});

test('a save that could not be brought at first restarts a container that does not run all the same', async () => {
  const {container, save, worker, ran, answers, clock} = begin();
  container('1', {running: false});
  answers(async () => {
    throw new TscomposeError('exhausted', 'no space left');
  });
  save('a');
  await clock.advance(0);
  answers(async (paths) => ({written: paths.size, deleted: 0, changed: new Set([restart])}));
  await clock.advance(200);
  await worker.idle();
  expect(ran).toHaveLength(1);
});

test('commands wait until the container runs, with what set them off', async () => {
  const {container, save, worker, ran, answers, containers} = begin();
  answers(async (paths) => ({written: paths.size, deleted: 0, changed: new Set([command])}));
  container('1', {running: false});
  save('a');
  await worker.idle();
  expect(ran).toEqual([]);
  answers(async () => ({...idle, changed: new Set()}));
  containers.tell('started', '1');
  await worker.idle();
  expect(ran.map(({actions, cause}) => [actions.map(({rules}) => rules), [...cause.paths]])).toEqual([
    [[[command]], ['a']],
  ]);
  containers.tell('died', '1');
  containers.tell('started', '1');
  await worker.idle();
  expect(ran).toHaveLength(1);
});

test('whoever is about to start a container waits for its files, though they cannot be brought, but not for ever', async () => {
  const {container, worker, answers, clock, abort} = begin();
  const order: string[] = [];
  answers(async () => {
    order.push('brought');
    return {...idle, changed: new Set()};
  });
  worker.came(container('1', {running: false}));
  await worker.filled('1').then(() => order.push('started'));
  expect(order).toEqual(['brought', 'started']);
  answers(async () => {
    throw new TscomposeError('exhausted', 'no space left');
  });
  worker.came(container('2', {running: false}));
  const failed = worker.filled('2');
  await clock.advance(0);
  await failed;
  // Not watched, or seen before: nothing is waited for.
  await worker.filled('nobody');
  answers(() => new Promise(() => {}));
  worker.came(container('3', {running: false}));
  await clock.advance(1_000);
  const waiting = worker.filled('3');
  abort.abort();
  await waiting;
});

test('one that somebody started too early, and that ended, is restarted with its files', async () => {
  const {container, worker, answers, ran, containers} = begin();
  let finish: () => void = () => {};
  answers(async () => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return {written: 1, deleted: 0, changed: new Set([restart])};
  });
  worker.came(container('1', {running: false}));
  await new Promise((resolve) => setImmediate(resolve));
  containers.tell('started', '1');
  containers.tell('died', '1');
  finish();
  await worker.idle();
  expect(ran.map(({actions}) => actions.map(({container: {id}}) => id))).toEqual([['1']]);
});

test('a rule that is held back brings its files and does not act', async () => {
  const {container, save, worker, ran, held, synced} = begin();
  held.add(restart);
  container('1');
  save('a');
  await worker.idle();
  expect(ran).toEqual([]);
  expect(synced()).toMatchObject([{written: 1}]);
  expect(synced()[0]).not.toHaveProperty('leadsOn');
});
