import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {exitCodes} from '../../src/base/errors.ts';
import {attributeTable} from '../../src/model/attributes/index.ts';
import {placeCdiFile} from '../support/cdi-file.ts';
import {makeHost, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {gpuFile} from './attributes/held/rights.ts';
import {held} from './attributes/held.ts';
import {type Refused, refused} from './attributes/refused.ts';
import {layOut, type RunningStack, runningOn} from './attributes/stack.ts';
import {heldFiles, heldResources, heldServices} from './attributes/stack-file.ts';

/** Attributes that depend on what the kernel has: see `attributes-cgroups.test.ts`. */
const ofKernel = ['cgroup_parent', 'cpu_rt_period', 'cpu_rt_runtime', 'mem_swappiness', 'oom_kill_disable'];
/** Attributes that say what a command shows or does: see `hooks.test.ts` for what it does at a stop. */
const ofCommands = ['attach', 'develop', 'pre_stop'];

test('every attribute is held or refused, and what has a limit is seen refused', () => {
  const all = [...attributeTable.keys(), 'extends'];
  const told = new Set([...Object.keys(held), ...Object.keys(refused), ...ofKernel, ...ofCommands]);
  expect([...told].sort()).toEqual(all.sort());
  const limited = [...attributeTable].filter(([, {limits = []}]) => limits.some(({by}) => by !== 'swarm'));
  const seen = Object.keys(refused);
  expect(limited.map(([name]) => name).filter((name) => !seen.includes(name))).toEqual([]);
});

describe('what containers have', () => {
  let host: TestHost;
  let stack: RunningStack;
  let gpus: Disposable;

  beforeAll(async () => {
    gpus = placeCdiFile(gpuFile);
    host = await makeHost();
    await loadImages(host, ['busybox']);
    const services = Object.entries(heldServices).map(([name, plain]) => {
      const says = Object.values(held).flatMap(({service, says: said}) => (service === name ? [said] : []));
      return [name, Object.assign({}, plain, ...says)] as const;
    });
    layOut(host, {services: Object.fromEntries(services), ...heldResources}, heldFiles);
    const up = await host.tscompose(['up', '-d']);
    expect({code: up.code, stderr: up.code === 0 ? '' : up.stderr}).toEqual({code: 0, stderr: ''});
    stack = runningOn(host);
  });

  afterAll(async () => {
    const {code, stderr} = await host.tscompose(['down', '-v', '-t', '1']);
    const left = host.leftovers();
    await host[Symbol.asyncDispose]();
    gpus[Symbol.dispose]();
    expect({code, stderr: code === 0 ? '' : stderr, left}).toEqual({code: 0, stderr: '', left: []});
  });

  test.each(Object.entries(held))('%s', async (_attribute, {has}) => {
    await has(stack);
  });
});

test('attach: what a service that is not attached prints is not shown by "up"', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const says = (words: string): object => ({image: 'busybox', command: ['echo', words]});
  layOut(host, {services: {loud: says('shown'), quiet: {...says('hidden'), attach: false}}});
  const {stdout} = await host.tscompose(['up']);
  expect(stdout).toContain('shown');
  expect(stdout).not.toContain('hidden');
  expect((await host.tscompose(['down', '-v', '-t', '1'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});

describe('what is refused', () => {
  const flat = (table: Readonly<Record<string, readonly Refused[]>>) =>
    Object.entries(table).flatMap(([attribute, cases]) =>
      cases.map((row, index) => ({attribute, row, service: `${attribute.replaceAll('_', '-')}-${index}`})),
    );

  test('is told all at once, by name and place, before anything is changed', async () => {
    await using host = await makeHost();
    await loadImages(host, ['busybox']);
    const rows = flat(refused);
    const services = rows.map(({attribute, row, service}) => {
      const image = attribute === 'provider' ? {} : {image: 'busybox'};
      return [service, {...image, ...row.beside, [attribute]: row.says}] as const;
    });
    layOut(host, {
      services: {other: {image: 'busybox'}, ...Object.fromEntries(services)},
      networks: {outside: {}},
      volumes: {data: {}},
      models: {ai: {model: 'ai/model'}},
    });
    const up = await host.tscompose(['up', '-d']);
    expect(up.code).toBe(exitCodes.invalidStack);
    for (const {attribute, row, service} of rows) {
      const below = row.below === undefined ? '' : row.below.startsWith('[') ? row.below : `.${row.below}`;
      const said = up.stderr
        .split('\n\n')
        .find((text) => text.startsWith(`error[unsupported]: services.${service}.${attribute}${below} `));
      expect(said, `${service}:\n${up.stderr}`).toMatch(/\n *--> compose\.yaml:\d+:\d+\n/);
      expect(said).toContain(row.reason);
    }
    expect(host.leftovers()).toEqual([]);
  });
});

test('what has a meaning in a swarm only is told and changes nothing', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  layOut(host, {
    services: {
      web: {image: 'busybox', command: 'true', deploy: {endpoint_mode: 'vip', placement: {constraints: ['a==b']}}},
    },
  });
  const up = await host.tscompose(['up', '-d']);
  expect(up.code).toBe(0);
  expect(up.stderr).toContain('services.web.deploy: endpoint_mode, placement: no effect outside a swarm');
  expect((await host.tscompose(['down', '-v', '-t', '1'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});
