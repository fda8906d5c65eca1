import {setTimeout as delay} from 'node:timers/promises';
import {expect, test} from 'vitest';
import {hasKind} from '../../src/base/errors.ts';
import type {ProjectParts} from '../plan/fixtures.ts';
import {downProject, engineFor, runOn, upProject} from './harness.ts';

const shop: ProjectParts = {
  services: {
    web: {networks: {default: null}, depends_on: {db: {condition: 'service_healthy', required: true}}, scale: 3},
    db: {networks: {default: null}},
  },
  networks: {default: {}},
};

function shopEngine(afterMs = 5) {
  const engine = engineFor(shop);
  engine.addImage('db', {health: 'healthy', afterMs});
  return engine;
}

test.each([{locks: true}, {locks: false}])('eight up at once make one correct stack: %o', async (options) => {
  const engine = shopEngine();
  await Promise.all(Array.from({length: 8}, () => upProject(shop, runOn(engine, options), {}, {})));
  expect(engine.names('running')).toEqual(['shop-db-1', 'shop-web-1', 'shop-web-2', 'shop-web-3']);
  expect(engine.names()).toHaveLength(4);
  expect([...engine.networks.keys()]).toEqual(['shop_default']);
});

test('a down during up --wait wins', async () => {
  const engine = shopEngine(60_000);
  const run = runOn(engine);
  const outcome = upProject(shop, run, {}, {}).catch((error: unknown) => error);
  while (!run.events.some(({kind}) => kind === 'waiting')) await delay(5);
  await downProject(shop, runOn(engine));
  const error = await outcome;
  expect(hasKind(error, 'canceled') && error.message).toMatch(
    /^container "shop-(db|web)-\d" was removed by another command$/,
  );
  expect([engine.containers.size, engine.networks.size]).toEqual([0, 0]);
  expect(run.events.at(-1)).toMatchObject({kind: 'summary', summary: {outcome: 'canceled'}});
});

test('a down that is killed after its first stop does not make the waiting up start anything', async () => {
  const engine = shopEngine(60_000);
  const run = runOn(engine);
  const outcome = upProject(shop, run, {}, {}).catch((error: unknown) => error);
  while (!run.events.some(({kind}) => kind === 'waiting')) await delay(5);
  let changes = 0;
  const killed = runOn(engine, {
    before: () => {
      changes += 1;
      if (changes > 1) throw new Error('killed');
    },
  });
  await downProject(shop, killed).catch(() => undefined);
  const error = await outcome;
  expect(hasKind(error, 'canceled', 'dependencyFailed')).toBe(true);
  expect(engine.names('running')).toEqual([]);
});

test('another up that replaces the containers while this one waits is no down', async () => {
  const engine = shopEngine(1000);
  const first = runOn(engine);
  const waiting = upProject(shop, first, {}, {});
  while (!first.events.some(({kind}) => kind === 'waiting')) await delay(5);
  await upProject(shop, runOn(engine), {recreate: 'force'}, {});
  await waiting;
  expect(engine.names('running')).toHaveLength(4);
});

test('an interrupt ends a wait at once, and what runs stays', async () => {
  const engine = shopEngine(60_000);
  const run = runOn(engine);
  const outcome = upProject(shop, run, {}, {}).catch((error: unknown) => error);
  while (!run.events.some(({kind}) => kind === 'waiting')) await delay(5);
  run.abort();
  expect(hasKind(await outcome, 'canceled')).toBe(true);
  expect(engine.names('running')).toEqual(['shop-db-1']);
});

test('a name that a stranger holds is told after some attempts, without locks too', async () => {
  const parts: ProjectParts = {services: {a: {container_name: 'taken'}}};
  for (const locks of [true, false]) {
    const engine = engineFor(parts);
    await engine.client().createContainer({name: 'taken', Image: 'a'});
    const run = runOn(engine, {locks});
    await expect(upProject(parts, run)).rejects.toMatchObject({
      kind: 'conflict',
      message: /"taken"/,
    });
  }
});

/** The command dies at its n-th change: nothing that it still tries has any effect. */
test('whatever change a command is killed at, the next up converges and the next down leaves nothing', async () => {
  const changed: ProjectParts = {
    ...shop,
    services: {...shop.services, db: {networks: {default: null}, user: '7'}, web: {...shop.services['web'], user: '7'}},
  };
  let kills = 0;
  for (let at = 0; ; at++) {
    const engine = shopEngine(1);
    let changes = 0;
    let killed = false;
    const dying = {
      before: () => {
        changes += 1;
        killed ||= changes > at;
        if (killed) throw new Error('killed');
      },
    };
    await upProject(shop, runOn(engine, dying), {}, {}).catch(() => undefined);
    if (!killed) await upProject(changed, runOn(engine, dying), {}, {}).catch(() => undefined);
    const wanted = at % 2 === 0 ? changed : shop;
    await upProject(wanted, runOn(engine), {}, {});
    expect(engine.names('running')).toEqual(['shop-db-1', 'shop-web-1', 'shop-web-2', 'shop-web-3']);
    expect(engine.names()).toHaveLength(4);
    await downProject(shop, runOn(engine), {volumes: true});
    expect([engine.containers.size, engine.networks.size, engine.volumes.size]).toEqual([0, 0, 0]);
    if (!killed) break;
    kills += 1;
  }
  expect(kills).toBeGreaterThan(20);
});
