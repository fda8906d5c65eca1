import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {makeHost, type TestHost} from '../support/host.ts';
import {skopeo, startRegistry, type TestRegistry} from '../support/registry.ts';
import {loadImages} from '../support/test-images.ts';

/** A stack that is built and pushed to a registry which wants a password. */
let host: TestHost;
let registry: TestRegistry;
const within = () => ['nsenter', `--net=/run/netns/${host.namespace}`];

beforeAll(async () => {
  host = await makeHost();
  registry = await startRegistry({within: within(), htpasswd: true});
  await loadImages(host, ['busybox']);
  const image = (name: string) => `${registry.host}/shop/${name}`;
  const build = (text: string, more: object = {}) => ({context: '.', dockerfile_inline: text, ...more});
  const services = {
    base: {
      image: image('base:1'),
      build: build('FROM busybox\nRUN echo base >/base\n', {tags: [image('base:latest')]}),
    },
    app: {
      image: image('app'),
      build: build('FROM base\nRUN grep base /base\n', {additional_contexts: {base: 'service:base'}}),
    },
    unnamed: {build: build('FROM busybox\nLABEL a=b\n')},
    foreign: {image: 'busybox'},
  };
  writeFileSync(join(host.directory, 'compose.yaml'), JSON.stringify({name: 'shop', services}));
});

afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  const left = host.leftovers();
  await host[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

async function tags(repository: string): Promise<readonly string[]> {
  const words = [
    'list-tags',
    '--tls-verify=false',
    '--creds',
    'ada:lovelace',
    `docker://${registry.host}/${repository}`,
  ];
  const {code, stdout, stderr} = await skopeo(words, within());
  if (code !== 0 && stderr.includes('404')) return [];
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  return (JSON.parse(stdout) as {readonly Tags: readonly string[]}).Tags;
}

test('without a login it is built, and nothing is pushed', async () => {
  const {code, stderr} = await host.tscompose(['build', '--push']);
  expect(code).not.toBe(0);
  expect(stderr).toContain('no basic auth credentials');
  expect(await tags('shop/base')).toEqual([]);
});

test('with one every name of what is built is pushed, and says what it is not', async () => {
  const login = await host.tscompose(['engine', 'login', '-u', 'ada', '--password-stdin', registry.host], {
    input: 'lovelace',
  });
  expect(login).toMatchObject({code: 0});
  const built = await host.tscompose(['build', '--push']);
  expect({code: built.code, stderr: built.code === 0 ? '' : built.stderr}).toEqual({code: 0, stderr: ''});
  expect(built.stderr).toContain('service "unnamed": nothing is pushed: its image has no name of its own');
  expect(built.stderr).toContain('service "foreign": nothing is pushed: it is not built');
  expect([...(await tags('shop/base'))].sort()).toEqual(['1', 'latest']);
  expect(await tags('shop/app')).toEqual(['latest']);
  // What is there is what was built.
  const image = `${registry.host}/shop/app`;
  const idOf = async () => (await host.tscompose(['engine', 'images', '-q', '--no-trunc', image])).stdout;
  const id = await idOf();
  expect(id).toMatch(/^sha256:/);
  expect(await host.tscompose(['engine', 'rmi', image])).toMatchObject({code: 0});
  expect(await host.tscompose(['engine', 'pull', '-q', image])).toMatchObject({code: 0});
  expect(await idOf()).toBe(id);
});
