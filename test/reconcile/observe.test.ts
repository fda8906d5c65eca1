import {expect, test} from 'vitest';
import {TscomposeError} from '../../src/base/errors.ts';
import type {EngineClient} from '../../src/reconcile/engine-client.ts';
import {observe} from '../../src/reconcile/observe.ts';
import {project} from '../plan/fixtures.ts';
import {engineFor, runOn, upProject} from './harness.ts';

const parts = {services: {a: {networks: {default: null}}, b: {networks: {default: null}}}, networks: {default: {}}};

/** The engine's client, counting what is asked of it. */
function counted(client: EngineClient): {client: EngineClient; asked: string[]} {
  const asked: string[] = [];
  const count = <A extends readonly unknown[], R>(name: string, call: (...args: A) => R) => {
    return (...args: A): R => {
      asked.push(name);
      return call(...args);
    };
  };
  return {
    asked,
    client: {
      ...client,
      listContainers: count('containers', client.listContainers),
      listNetworks: count('networks', client.listNetworks),
      listVolumes: count('volumes', client.listVolumes),
      getImage: count('image', client.getImage),
      getContainer: count('container', client.getContainer),
    },
  };
}

test('few calls: a list each, and an image each that the file names', async () => {
  const engine = engineFor(parts);
  await upProject(parts, runOn(engine));
  const {client, asked} = counted(engine.client());
  const world = await observe(client, 'shop', {project: project(parts), compare: true});
  expect(asked.sort()).toEqual(['containers', 'image', 'image', 'networks', 'volumes']);
  expect(world.containers.map(({name, service, number, status}) => [name, service, number, status]).sort()).toEqual([
    ['shop-a-1', 'a', 1, 'running'],
    ['shop-b-1', 'b', 1, 'running'],
  ]);
  expect(Object.keys(world.containers[0]?.networks ?? {})).toEqual(['shop_default']);
});

test('only what is the project’s or has a name it uses is seen', async () => {
  const engine = engineFor(parts);
  await upProject(parts, runOn(engine));
  const client = engine.client();
  await client.createNetwork({Name: 'foreign'});
  await client.createVolume({Name: 'foreign'});
  await client.createContainer({name: 'foreign', Image: 'a'});
  const seen = async (of: ReturnType<typeof project> | undefined) => {
    const {containers, networks, volumes} = await observe(client, 'shop', {project: of, compare: true});
    return [containers.length, networks.map(({name}) => name).sort(), volumes.map(({name}) => name)];
  };
  expect(await seen(undefined)).toEqual([2, ['shop_default'], []]);
  const named = project({
    ...parts,
    networks: {default: {}, lan: {name: 'foreign', external: true}},
    volumes: {disk: {name: 'foreign', external: true}},
  });
  expect(await seen(named)).toEqual([2, ['foreign', 'shop_default'], ['foreign']]);
});

test('a container without spec is inspected only to be compared, and may be gone by then', async () => {
  const engine = engineFor(parts);
  const client = engine.client();
  await client.createContainer({
    name: 'shop-a-1',
    Image: 'a',
    Labels: {'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'a'},
  });
  const compared = await observe(client, 'shop', {project: project(parts), compare: true});
  expect(compared.containers[0]?.inspected?.Name).toBe('/shop-a-1');
  const {asked, client: counting} = counted(client);
  await observe(counting, 'shop', {project: project(parts), compare: false});
  expect(asked).not.toContain('container');
  const gone: EngineClient = {
    ...client,
    getContainer: (id) => ({
      ...client.getContainer(id),
      inspect: () => Promise.reject(new TscomposeError('notFound', 'gone')),
    }),
  };
  expect((await observe(gone, 'shop', {project: project(parts), compare: true})).containers).toEqual([]);
});

test('an image is looked for as what each wants it for', async () => {
  const engine = engineFor({services: {a: {image: 'app'}}});
  const asked: [string, string | undefined][] = [];
  const client: EngineClient = {
    ...engine.client(),
    getImage: (name) => ({
      ...engine.client().getImage(name),
      inspect: async (options) => {
        asked.push([name, options?.platform]);
        if (options?.platform === 'linux/arm64') throw new TscomposeError('notFound', 'it is here for another one');
        return await engine.client().getImage(name).inspect();
      },
    }),
  };
  const look = async (services: Parameters<typeof project>[0]['services']) => {
    asked.splice(0);
    const world = await observe(client, 'shop', {project: project({services}), images: true, compare: false});
    return {asked: [...asked], found: Object.keys(world.images)};
  };
  const [arm64, amd64] = [
    {image: 'app', platform: 'linux/arm64'},
    {image: 'app', platform: 'linux/amd64'},
  ];
  expect(await look({a: arm64, b: arm64})).toEqual({asked: [['app', 'linux/arm64']], found: []});
  expect(await look({a: arm64, b: amd64, c: {image: 'app'}})).toEqual({
    asked: [
      ['app', undefined],
      ['app', 'linux/amd64'],
      ['app', 'linux/arm64'],
    ],
    found: ['app', 'app for linux/amd64'],
  });
  expect(await look({a: {image: 'app'}})).toEqual({asked: [['app', undefined]], found: ['app']});
});
