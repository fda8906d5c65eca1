import {expect, test} from 'vitest';
import {planDown} from '../../src/plan/down.ts';
import {emptyMemory} from '../../src/plan/input.ts';
import {planRestart} from '../../src/plan/restart.ts';
import {planStart} from '../../src/plan/start.ts';
import {planStop} from '../../src/plan/stop.ts';
import {container, network, observed, project, running, volume} from './fixtures.ts';
import {formatPlan} from './format.ts';

const shop = project({
  services: {
    web: {networks: {default: null}, depends_on: {api: {condition: 'service_started', restart: true, required: true}}},
    api: {networks: {default: null}, depends_on: {db: {condition: 'service_healthy', required: true}}},
    db: {networks: {default: null}, volumes: [{type: 'volume', source: 'data', target: '/data'}]},
  },
  networks: {default: {}, lan: {external: true, name: 'lan'}},
  volumes: {data: {}, shared: {external: true, name: 'shared'}},
});

test('down stops dependents first, and leaves volumes and what is external', () => {
  expect(formatPlan(planDown({project: shop, observed: running(shop), options: {}}))).toBe(
    `
[] -> #1 stopContainer web-1, asked to stop
[1] -> #2 stopContainer api-1, asked to stop
[2] -> #3 stopContainer db-1, asked to stop
[1] -> #4 removeContainer web-1, down
[2] -> #5 removeContainer api-1, down
[3] -> #6 removeContainer db-1, down
[4,5,6] -> #7 removeNetwork default, down`.trim(),
  );
});

test('down with volumes removes named and anonymous ones', () => {
  const lines = formatPlan(planDown({project: shop, observed: running(shop), options: {volumes: true}})).split('\n');
  expect(lines.slice(3)).toEqual([
    '[1] -> #4 removeContainer web-1 with anonymous volumes, down',
    '[2] -> #5 removeContainer api-1 with anonymous volumes, down',
    '[3] -> #6 removeContainer db-1 with anonymous volumes, down',
    '[4,5,6] -> #7 removeNetwork default, down',
    '[6] -> #8 removeVolume data, down with volumes',
  ]);
});

test('down with images removes them last: all of them, or those that are built and have no name of their own', () => {
  const stated = project({
    services: {a: {image: 'redis'}, b: {image: 'redis'}, c: {build: {context: '/c'}}, d: {image: 'gone'}},
  });
  const {image: _, ...c} = stated.services['c'] ?? {};
  const built = {...stated, services: {...stated.services, c}};
  const images = {redis: {id: 'sha256:redis', config: {}}, 'shop-c': {id: 'sha256:c', config: {}}};
  const world = observed({containers: [container(built, 'a'), container(built, 'c')], images});
  const plan = (options: Parameters<typeof planDown>[0]['options'], of: typeof built | undefined = built) =>
    formatPlan(planDown({project: of, observed: world, options}))
      .split('\n')
      .slice(4);
  expect(plan({removeImages: 'all'})).toEqual([
    '[3,4] -> #5 removeImage redis, down with images',
    '[3,4] -> #6 removeImage c, down with images',
  ]);
  expect(plan({removeImages: 'local'})).toEqual(['[3,4] -> #5 removeImage c, down with images']);
  expect(plan({})).toEqual([]);
  expect(
    formatPlan(planDown({project: built, observed: world, options: {services: ['a'], removeImages: 'all'}})),
  ).toMatch(/removeContainer a-1, down\n\[2\] -> #3 removeImage redis, down with images$/);
  expect(() => planDown({project: undefined, observed: world, options: {removeImages: 'all'}})).toThrow(
    'which images to remove is known from the stack file only',
  );
});

test('down of services touches neither networks nor volumes', () => {
  const plan = planDown({project: shop, observed: running(shop), options: {services: ['web'], volumes: true}});
  expect(formatPlan(plan)).toBe(
    '[] -> #1 stopContainer web-1, asked to stop\n[1] -> #2 removeContainer web-1 with anonymous volumes, down',
  );
});

test('an orphan stays, and with it the network it uses, unless asked', () => {
  const orphan = container(shop, 'legacy', {networks: {shop_default: 'id-shop_default'}});
  const world = observed({containers: [orphan], networks: [network(shop, 'default')]});
  expect(formatPlan(planDown({project: shop, observed: world, options: {}}))).toBe(
    `
warning: container of this project that no service in the stack file has: shop-legacy-1
warning: network "shop_default" stays: still used by shop-legacy-1`.trim(),
  );
  expect(formatPlan(planDown({project: shop, observed: world, options: {removeOrphans: true}}))).toBe(
    `
[] -> #1 stopContainer legacy-1, asked to stop
[1] -> #2 removeContainer legacy-1, down
[2] -> #3 removeNetwork default, down`.trim(),
  );
});

test('without a stack file everything with the label goes, in the order that labels tell', () => {
  const labels = {'com.docker.compose.depends_on': 'db:service_healthy:false'};
  const world = observed({
    containers: [container(shop, 'db'), container(shop, 'zed', {labels})],
    networks: [network(shop, 'default'), network(shop, 'old')],
    volumes: [volume(shop, 'data'), volume(shop, 'older')],
  });
  expect(formatPlan(planDown({project: undefined, observed: world, options: {volumes: true}}))).toBe(
    `
[] -> #1 stopContainer zed-1, asked to stop
[1] -> #2 stopContainer db-1, asked to stop
[1] -> #3 removeContainer zed-1 with anonymous volumes, down
[2] -> #4 removeContainer db-1 with anonymous volumes, down
[4] -> #5 removeNetwork default, down
[] -> #6 removeNetwork old, down
[4] -> #7 removeVolume data, down with volumes
[] -> #8 removeVolume older, down with volumes`.trim(),
  );
});

test('stop goes through stopped services to what they depend on', () => {
  const world = running(shop);
  const containers = world.containers.map((one) => (one.service === 'api' ? {...one, status: 'exited' as const} : one));
  expect(formatPlan(planStop({project: shop, observed: {...world, containers}, options: {timeoutSeconds: 3}}))).toBe(
    '[] -> #1 stopContainer web-1, asked to stop\n[1] -> #2 stopContainer db-1, asked to stop',
  );
});

test('start starts what exists, conditions included, and names what does not', () => {
  const world = running(shop);
  const containers = world.containers.map((one) => ({...one, status: 'exited' as const}));
  const input = {project: shop, observed: {...world, containers}, memory: emptyMemory};
  expect(formatPlan(planStart({...input, options: {}}))).toBe(
    `
[] -> #1 startContainer db-1, not running (exited)
[1] -> #2 awaitCondition db service_healthy, api depends on it
[1,2] -> #3 startContainer api-1, not running (exited)
[3] -> #4 startContainer web-1, not running (exited)`.trim(),
  );
  expect(() => planStart({...input, observed: observed(), options: {services: ['web']}})).toThrow(
    expect.objectContaining({kind: 'notFound', message: 'service "web" has no container to start'}),
  );
  expect(() => planStart({...input, options: {services: ['wbe']}})).toThrow('no such service: "wbe"');
});

test('restart takes along only those that ask for it', () => {
  expect(
    formatPlan(planRestart({project: shop, observed: running(shop), options: {services: ['db']}, memory: emptyMemory})),
  ).toBe('[] -> #1 restartContainer db-1, asked to restart');
  expect(
    formatPlan(
      planRestart({project: shop, observed: running(shop), options: {services: ['api']}, memory: emptyMemory}),
    ),
  ).toBe(
    '[] -> #1 restartContainer api-1, asked to restart\n[1] -> #2 restartContainer web-1, depends on a service that restarts',
  );
  const only = {services: ['api'], noDependents: true};
  expect(formatPlan(planRestart({project: shop, observed: running(shop), options: only, memory: emptyMemory}))).toBe(
    '[] -> #1 restartContainer api-1, asked to restart',
  );
});
