import {expect, test} from 'vitest';
import type {ProjectParts} from '../plan/fixtures.ts';
import {downProject, engineFor, runOn, upProject} from './harness.ts';

const healthy = {condition: 'service_healthy', required: true} as const;
const started = {condition: 'service_started', required: true} as const;
const completed = {condition: 'service_completed_successfully', required: true} as const;

const shop: ProjectParts = {
  services: {
    web: {networks: {default: null}, depends_on: {api: started}, scale: 2},
    api: {networks: {default: null}, depends_on: {db: healthy, migrate: completed}},
    migrate: {networks: {default: null}, depends_on: {db: healthy}},
    db: {networks: {default: null}, volumes: [{type: 'volume', source: 'data', target: '/data'}]},
  },
  networks: {default: {}},
  volumes: {data: {}},
};

function shopEngine() {
  const engine = engineFor(shop);
  engine.addImage('db', {health: 'healthy', afterMs: 10});
  engine.addImage('migrate', {exit: 0, afterMs: 10});
  return engine;
}

test('a stack with conditions comes up in order, and going up again does nothing but run its job', async () => {
  const engine = shopEngine();
  const run = runOn(engine);
  await upProject(shop, run, {}, {});
  expect(engine.names('running')).toEqual(['shop-api-1', 'shop-db-1', 'shop-web-1', 'shop-web-2']);
  const starts = engine.calls.filter((call) => call.startsWith('start'));
  expect(starts.slice(0, 3)).toEqual(['start shop-db-1', 'start shop-migrate-1', 'start shop-api-1']);
  expect(run.events.at(-1)).toMatchObject({kind: 'summary', command: 'up', summary: {outcome: 'done', failed: 0}});

  engine.calls.length = 0;
  await upProject(shop, runOn(engine));
  expect(engine.calls).toEqual(['start shop-migrate-1']);
});

test('nothing to do is one look and no change', async () => {
  const parts: ProjectParts = {services: {a: {}, b: {depends_on: {a: started}}}};
  const engine = engineFor(parts);
  await upProject(parts, runOn(engine));
  engine.calls.length = 0;
  const run = runOn(engine);
  await upProject(parts, run, {}, {});
  expect(engine.calls).toEqual([]);
  expect(run.events.map(({kind}) => kind)).toEqual(['planned', 'summary']);
});

test('an unhealthy dependency fails what needs it with its probe and log, and nothing else', async () => {
  const parts: ProjectParts = {
    services: {db: {}, api: {depends_on: {db: healthy}}, web: {depends_on: {api: started}}, other: {}},
  };
  const engine = engineFor(parts);
  engine.addImage('db', {health: 'unhealthy', afterMs: 300, probeOutput: 'no answer', log: 'starting\nboom\n'});
  const run = runOn(engine);
  await expect(upProject(parts, run)).rejects.toMatchObject({
    kind: 'dependencyFailed',
    exitCode: 1,
    message: 'dependency failed to start: container shop-db-1 is unhealthy',
  });
  expect(engine.names('running')).toEqual(['shop-db-1', 'shop-other-1']);
  expect(engine.names('created')).toEqual(['shop-api-1', 'shop-web-1']);
  expect(run.lines().filter((line) => !/created|started/.test(line))).toEqual([
    'waiting for service db: shop-db-1 is starting',
    'service db failed: dependency failed to start: container shop-db-1 is unhealthy',
    '  last probe: exit 1: no answer',
    '  shop-db-1 | starting',
    '  shop-db-1 | boom',
    'container shop-api-1 skipped: needs service "db", which failed',
    'container shop-web-1 skipped: needs container "shop-api-1", which needs service "db", which failed',
  ]);
});

test('a dependency that exits, or has no probe, is told in the words of Compose', async () => {
  const parts: ProjectParts = {services: {db: {}, job: {}, api: {depends_on: {db: healthy, job: completed}}}};
  const engine = engineFor(parts);
  engine.addImage('job', {exit: 3});
  await expect(upProject(parts, runOn(engine))).rejects.toMatchObject({
    kind: 'dependencyFailed',
    message: `dependency failed to start: container shop-db-1 has no healthcheck configured\nservice "job" didn't complete successfully: exit 3`,
  });
});

test('an optional dependency that fails is a warning', async () => {
  const parts: ProjectParts = {
    services: {db: {}, slow: {}, api: {depends_on: {db: {...healthy, required: false}, slow: healthy}}},
  };
  const engine = engineFor(parts);
  engine.addImage('db', {health: 'unhealthy'});
  engine.addImage('slow', {health: 'healthy', afterMs: 30});
  const run = runOn(engine);
  await upProject(parts, run);
  expect(engine.names('running')).toContain('shop-api-1');
  expect(run.lines().filter((line) => line.startsWith('warning'))).toEqual([
    'warning: optional dependency "db": dependency failed to start: container shop-db-1 is unhealthy',
  ]);
});

test('all failures are told, what does not need them is done, and what failed is not tried again in later waves', async () => {
  const parts: ProjectParts = {
    services: {a: {}, b: {}, c: {depends_on: {a: started}}, slow: {}, e: {depends_on: {slow: healthy}}},
  };
  const engine = engineFor(parts);
  engine.addImage('slow', {health: 'healthy', afterMs: 20});
  const tried: string[] = [];
  const run = runOn(engine, {
    before: (call) => {
      tried.push(call);
      if (call === 'start shop-a-1') throw Object.assign(new Error('port 80 is in use'), {});
      if (call === 'create shop-b-1') throw new Error('disk is full');
    },
  });
  await expect(upProject(parts, run)).rejects.toThrow(
    'cannot create container "shop-b-1": disk is full\ncannot start container "shop-a-1": port 80 is in use',
  );
  expect(engine.names('running')).toEqual(['shop-e-1', 'shop-slow-1']);
  expect(tried.filter((call) => call === 'start shop-a-1' || call === 'create shop-b-1')).toHaveLength(2);
  expect(run.lines()).toContain('container shop-c-1 skipped: needs container "shop-a-1", which failed');
});

test('--wait: a job that others wait for may end, another one may not, and it is said why', async () => {
  const good: ProjectParts = {services: {job: {}, api: {depends_on: {job: completed}}}};
  const engine = engineFor(good);
  engine.addImage('job', {exit: 0});
  await upProject(good, runOn(engine), {}, {});
  const lone: ProjectParts = {services: {job: {}, api: {}}};
  await expect(upProject(lone, runOn(engine), {}, {})).rejects.toMatchObject({
    message: 'container shop-job-1 exited (0)',
    hint: 'a service that ends is waited for only if another one depends on it with "condition: service_completed_successfully"',
  });
});

test('--wait with a limit ends with what was still missing', async () => {
  const parts: ProjectParts = {services: {db: {}}};
  const engine = engineFor(parts);
  engine.addImage('db', {health: 'healthy', afterMs: 60_000});
  // More than a second of the machine's time, in which the container has been looked at.
  await expect(upProject(parts, runOn(engine), {}, {timeoutMs: 30_000})).rejects.toMatchObject({
    kind: 'timeout',
    exitCode: 124,
    message: 'application not healthy after 30s: shop-db-1 is starting',
  });
});

test('a recreate keeps anonymous volumes, unless they are to be renewed', async () => {
  const parts = (user: string): ProjectParts => ({services: {db: {user}}});
  const engine = engineFor(parts('1'));
  engine.addImage('db', {volumes: ['/var/lib']});
  await upProject(parts('1'), runOn(engine));
  const before = engine.named('shop-db-1').mounts;
  await upProject(parts('2'), runOn(engine));
  expect(engine.named('shop-db-1').mounts.map(({Name}) => Name)).toEqual(before.map(({Name}) => Name));
  expect(engine.calls.slice(-5).map((call) => call.replace(/[0-9a-f]{12}_/, 'TMP_'))).toEqual([
    'create TMP_shop-db-1',
    'stop shop-db-1',
    'remove shop-db-1',
    'rename TMP_shop-db-1 shop-db-1',
    'start shop-db-1',
  ]);
  await upProject(parts('2'), runOn(engine), {renewAnonymousVolumes: true});
  expect(engine.named('shop-db-1').mounts.map(({Name}) => Name)).not.toEqual(before.map(({Name}) => Name));
});

test('volumes without a name go with down -v, also those that outlived their container', async () => {
  const parts = (user: string): ProjectParts => ({
    services: {db: {user, volumes: [{type: 'volume', target: '/cache'}]}},
  });
  const engine = engineFor(parts('1'));
  engine.addImage('db', {volumes: ['/var/lib', '/cache']});
  await upProject(parts('1'), runOn(engine));
  expect(engine.volumes.size).toBe(2);
  await upProject(parts('2'), runOn(engine));
  expect(engine.volumes.size).toBe(2);
  await downProject(parts('2'), runOn(engine));
  expect(engine.volumes.size).toBe(2);
  await downProject(parts('2'), runOn(engine), {volumes: true});
  expect(engine.volumes.size).toBe(0);
});

test('an interrupt between actions leaves the rest undone, and is no success', async () => {
  const parts: ProjectParts = {services: {a: {}, b: {depends_on: {a: started}}}};
  const engine = engineFor(parts);
  const run: ReturnType<typeof runOn> = runOn(engine, {
    before: (call) => {
      if (call === 'start shop-a-1') run.abort();
    },
  });
  await expect(upProject(parts, run)).rejects.toMatchObject({
    kind: 'canceled',
    message: 'interrupted: not everything was done',
  });
  expect([engine.names('running'), engine.names('created')]).toEqual([['shop-a-1'], ['shop-b-1']]);
});

test('consent is asked for without holding the lock, and the answer is kept', async () => {
  const parts = (internal: string): ProjectParts => ({
    services: {db: {volumes: [{type: 'volume', source: 'data', target: '/d'}]}},
    volumes: {data: {driver_opts: {internal}}},
  });
  const engine = engineFor(parts('1'));
  await upProject(parts('1'), runOn(engine));
  const refused = runOn(engine);
  engine.calls.length = 0;
  await upProject(parts('2'), refused);
  expect(engine.calls).toEqual([]);
  expect(refused.lines()).toEqual(['warning: volume "shop_data" differs from the stack file and is used as it is']);

  const run = runOn(engine);
  let asked = 0;
  const ask = async (): Promise<boolean> => {
    asked += 1;
    // Would wait for ever if the lock were held.
    await using _lock = await engine.client().lockProject('shop');
    return true;
  };
  await upProject(parts('2'), {...run, context: {...run.context, ask}});
  expect(asked).toBe(1);
  expect(engine.calls).toEqual([
    'stop shop-db-1',
    'remove shop-db-1',
    'removeVolume shop_data',
    'createVolume shop_data',
    'create shop-db-1',
    'start shop-db-1',
  ]);
});

test('down leaves nothing but volumes, and takes those when asked', async () => {
  const engine = shopEngine();
  await upProject(shop, runOn(engine), {}, {});
  await downProject(shop, runOn(engine));
  expect([engine.containers.size, engine.networks.size, [...engine.volumes.keys()]]).toEqual([0, 0, ['shop_data']]);
  await downProject(shop, runOn(engine), {volumes: true});
  expect(engine.volumes.size).toBe(0);
});

test('a network that others use stays with a warning, and down succeeds', async () => {
  const engine = shopEngine();
  await upProject(shop, runOn(engine), {}, {});
  const {id} = await engine
    .client()
    .createContainer({name: 'stranger', Image: 'web', NetworkingConfig: {EndpointsConfig: {shop_default: {}}}});
  await engine.client().getContainer(id).start();
  const run = runOn(engine);
  await downProject(shop, run);
  expect(engine.names()).toEqual(['stranger']);
  expect(run.lines()).toContain(
    'warning: network "shop_default" stays: cannot remove network "shop_default": 1 containers are attached',
  );
});
