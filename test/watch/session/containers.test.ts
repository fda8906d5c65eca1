import {expect, test} from 'vitest';
import {composeLabels} from '../../../src/api/labels.ts';
import type {EngineEvent} from '../../../src/api/types/system.ts';
import {TscomposeError} from '../../../src/base/errors.ts';
import {type ContainerNews, followContainers} from '../../../src/watch/session/containers.ts';
import type {WatchEngine} from '../../../src/watch/session/engine.ts';
import {whenKnown} from '../../../src/watch/session/filling.ts';
import {whenTakenDown} from '../../../src/watch/session/taken-down.ts';
import {manualClock} from '../manual-clock.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** An engine with containers and events that the test tells of. */
function engine() {
  const containers = new Map<string, object>();
  const queue: EngineEvent[] = [];
  let wake: () => void = () => {};
  const add = (id: string, labels: Readonly<Record<string, string>> = {}) => {
    containers.set(id, {
      Id: id,
      Name: `/shop-api-${id}`,
      Created: '2026-01-01T00:00:00.5Z',
      Config: {Labels: {[composeLabels.service]: 'api', ...labels}, Healthcheck: {Test: ['CMD', 'true']}},
      Mounts: [
        {Type: 'bind', Destination: '/bound'},
        {Type: 'volume', Destination: '/data'},
      ],
      State: {Running: false},
    });
  };
  const calls = {
    listContainers: async () => [...containers.keys()].map((Id) => ({Id})),
    getContainer: (id: string) => ({
      inspect: async () => {
        const found = containers.get(id);
        if (found === undefined) throw new TscomposeError('notFound', `no such container: ${id}`);
        return found;
      },
    }),
    getEvents: async ({abortSignal}: {readonly abortSignal: AbortSignal}) =>
      (async function* () {
        abortSignal.addEventListener('abort', () => wake());
        while (!abortSignal.aborted) {
          const event = queue.shift();
          if (event !== undefined) yield event;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      })(),
    lockProject: async () => undefined,
  };
  return {
    client: calls as unknown as WatchEngine,
    add,
    gone: (id: string) => containers.delete(id),
    async tell(Action: string, id: string, attributes: Readonly<Record<string, string>> = {}) {
      queue.push({Action, Actor: {ID: id, Attributes: attributes}} as unknown as EngineEvent);
      wake();
      await turn();
      await turn();
    },
  };
}

test('containers are told of as they come, run, change and go; those of run are nobody of ours', async () => {
  const {client, add, gone, tell} = engine();
  const abort = new AbortController();
  add('1');
  const containers = await followContainers({engine: client, project: 'shop', signal: abort.signal});
  const news: ContainerNews[] = [];
  using _subscription = containers.subscribe((item) => news.push(item));
  const told = () => news.splice(0).map((item) => `${item.kind} ${item.container.id}`);
  expect(containers.of('api')).toEqual([
    {
      id: '1',
      name: 'shop-api-1',
      service: 'api',
      createdAt: Date.parse('2026-01-01T00:00:00.500Z'),
      binds: ['/bound'],
      mounts: ['/bound', '/data'],
      probed: true,
      running: false,
    },
  ]);
  add('2');
  add('run', {[composeLabels.oneOff]: 'True'});
  for (const id of ['2', 'run', 'vanished']) await tell('create', id);
  await tell('start', '2');
  await tell('health_status: unhealthy', '2');
  await tell('health_status: healthy', '2');
  expect(told()).toEqual(['came 1', 'came 2', 'started 2', 'health 2', 'health 2']);
  await tell('rename', '2', {name: '/shop-api-9'});
  expect(containers.of('api').map(({name, running}) => [name, running])).toEqual([
    ['shop-api-1', false],
    ['shop-api-9', true],
  ]);
  await tell('die', '2');
  gone('2');
  await tell('destroy', '2');
  expect(told()).toEqual(['died 2', 'gone 2']);
  expect(containers.count()).toBe(1);
  abort.abort();
  await containers.ended;
});

test('one that is known soon is waited for, one that never comes is not for long', async () => {
  const {client, add, tell} = engine();
  const abort = new AbortController();
  const clock = manualClock();
  const containers = await followContainers({engine: client, project: 'shop', signal: abort.signal});
  const soon = whenKnown(containers, {id: '1', clock, signal: abort.signal});
  add('1');
  await tell('create', '1');
  expect(await soon).toMatchObject({id: '1'});
  expect(await whenKnown(containers, {id: '1', clock, signal: abort.signal})).toMatchObject({id: '1'});
  const never = whenKnown(containers, {id: 'other', clock, signal: abort.signal});
  await clock.advance(1_000);
  expect(await never).toBeUndefined();
  abort.abort();
});

test('a stack is down when its last container went and none was made in its place', async () => {
  const {client, add, gone, tell} = engine();
  const abort = new AbortController();
  const clock = manualClock();
  add('1');
  const containers = await followContainers({engine: client, project: 'shop', signal: abort.signal});
  let down = false;
  void whenTakenDown({engine: client, containers, project: 'shop', clock, signal: abort.signal}).then(() => {
    down = true;
  });
  // Replaced: there is another one by the time that it looks.
  gone('1');
  await tell('destroy', '1');
  add('2');
  await tell('create', '2');
  await clock.advance(1_000);
  expect(down).toBe(false);
  gone('2');
  await tell('destroy', '2');
  await clock.advance(999);
  expect(down).toBe(false);
  await clock.advance(1);
  expect(down).toBe(true);
  abort.abort();
});
