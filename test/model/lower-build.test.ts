import {expect, test} from 'vitest';
import type {BuildBody} from '../../src/api/types/build.ts';
import {findLimits} from '../../src/model/limits.ts';
import {lowerBuild, serviceBuilds} from '../../src/model/lower-build.ts';
import {failure, load} from './memory-files.ts';

const files = {dockerfile: {text: 'FROM scratch\n', shown: 'Dockerfile'}};
const environment = {SSH_AUTH_SOCK: '/run/agent.sock'};

async function lowered(build: string): Promise<BuildBody> {
  const {project} = await load({
    '/stack/compose.yaml': `name: shop\nservices:\n  web:\n    build: ${build}\nsecrets: {key: {file: key.txt}}\n`,
  });
  const [first] = serviceBuilds(project);
  if (first === undefined) throw new Error('nothing is built');
  return lowerBuild(first, {project, environment, files});
}

test('a build that says nothing is the directory, and the name of the service', async () => {
  expect(await lowered('.')).toEqual({
    ...files,
    ...{context: '/stack', arguments: {}, contexts: {}, tags: ['shop-web'], noCache: [], network: 'default'},
    labels: {'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web'},
    ...{extraHosts: [], secrets: [], agents: [], ulimits: [], allow: []},
  });
});

test.each<readonly [string, string, Partial<BuildBody>]>([
  ['args', '{context: ., args: {ONE: uno, TWO: null}}', {arguments: {ONE: 'uno'}}],
  ['args as a list', '{context: ., args: [ONE=uno]}', {arguments: {ONE: 'uno'}}],
  ['entitlements', '{context: ., entitlements: [network.host]}', {allow: ['network.host']}],
  ['privileged', '{context: ., privileged: true}', {allow: ['security.insecure']}],
  ['isolation', '{context: ., isolation: default}', {}],
  ['network', '{context: ., network: host}', {network: 'host'}],
  ['no_cache', '{context: ., no_cache: true}', {noCache: true}],
  ['no_cache_filter', '{context: ., no_cache_filter: [one, two]}', {noCache: ['one', 'two']}],
  ['no_cache_filter alone', '{context: ., no_cache_filter: one}', {noCache: ['one']}],
  ['a secret by its name', '{context: ., secrets: [key]}', {secrets: [{id: 'key', content: {path: '/stack/key.txt'}}]}],
  [
    'a secret with all it can say',
    '{context: ., secrets: [{source: key, target: id, uid: "7", gid: "8", mode: 0440}]}',
    {secrets: [{id: 'id', uid: 7, gid: 8, mode: 0o440, content: {path: '/stack/key.txt'}}]},
  ],
  ['ssh', '{context: ., ssh: [default]}', {agents: [{id: 'default', socket: '/run/agent.sock'}]}],
  ['ssh by socket', '{context: ., ssh: [own=./own.sock]}', {agents: [{id: 'own', socket: '/stack/own.sock'}]}],
  ['shm_size', '{context: ., shm_size: 16m}', {shmSize: 16 << 20}],
  ['tags', '{context: ., tags: ["more:1"]}', {tags: ['shop-web', 'more:1']}],
  ['pull', '{context: ., pull: true}', {pull: true}],
  ['target', '{context: ., target: base}', {target: 'base'}],
  ['ulimits', '{context: ., ulimits: {nofile: {soft: 1, hard: 2}}}', {ulimits: [{Name: 'nofile', Soft: 1, Hard: 2}]}],
  ['ulimits alone', '{context: ., ulimits: {nproc: 3}}', {ulimits: [{Name: 'nproc', Soft: 3, Hard: 3}]}],
  ['extra_hosts', '{context: ., extra_hosts: ["a.b:10.0.0.1"]}', {extraHosts: ['a.b:10.0.0.1']}],
])('%s', async (_name, build, expected) => {
  expect(await lowered(build)).toMatchObject(expected);
});

test('a service that is built upon is its image, which no registry is asked for where the stack builds it', async () => {
  const {project} = await load(`name: shop
services:
  web: {build: {context: ., additional_contexts: {one: "service:base", two: "service:made"}}}
  base: {image: "base:1", build: .}
  made: {image: "made:1"}
`);
  const builds = serviceBuilds(project);
  expect(builds.map(({image}) => image)).toEqual(['base:1', 'shop-web']);
  const [, web] = builds;
  expect(web && lowerBuild(web, {project, environment, files}).contexts).toEqual({
    one: {kind: 'image', reference: 'base:1', built: true},
    two: {kind: 'image', reference: 'made:1', built: false},
  });
});

test.each<readonly [string, string, Partial<BuildBody>]>([
  [
    'a repository',
    '"https://host.example/a.git#main:sub"',
    {source: {kind: 'git', url: 'https://host.example/a.git#main:sub'}},
  ],
  ['a repository by ssh', '"git@host.example:a.git"', {source: {kind: 'git', url: 'git@host.example:a.git'}}],
  ['an archive', '{context: "http://host.example/a.tgz"}', {source: {kind: 'http', url: 'http://host.example/a.tgz'}}],
])('a context that is %s is fetched', async (_name, build, expected) => {
  const body = await lowered(build);
  expect(body).toMatchObject(expected);
  expect(body.context).toBeUndefined();
});

test('additional contexts of every kind', async () => {
  const {contexts} = await lowered(
    `{context: ., additional_contexts: [here=./x, repo=github.com/a/b, web=https://host.example/a.tar,
      'image=docker-image://redis@sha256:${'0'.repeat(64)}', 'layout=oci-layout://./l:v1']}`,
  );
  expect(contexts).toEqual({
    here: {kind: 'directory', path: '/stack/x'},
    repo: {kind: 'git', url: 'github.com/a/b'},
    web: {kind: 'http', url: 'https://host.example/a.tar'},
    image: {kind: 'image', reference: `redis@sha256:${'0'.repeat(64)}`},
    layout: {kind: 'layout', path: expect.stringMatching(/^\/stack\/(?:\.\/)?l$/), tag: 'v1'},
  });
});

test.each(['s3://bucket/x', 'oci-layout://x', 'docker-image://x', 'service:x'])(
  'a main context "%s" is refused by name',
  async (context) => {
    const {project} = await load({'/stack/compose.yaml': `services:\n  web:\n    build: {context: "${context}"}\n`});
    expect(JSON.stringify(findLimits(project))).toContain('context');
  },
);

test('labels of the stack go before its own', async () => {
  const {labels} = await lowered('{context: ., labels: {x: y, com.docker.compose.project: other}}');
  expect(labels).toEqual({x: 'y', 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web'});
});

test('an owner of a secret that is no number is refused by name', async () => {
  const build = '{context: ., secrets: [{source: key, uid: bob}]}';
  await expect(lowered(build)).rejects.toMatchObject({
    message: 'services.web.build.secrets[0].uid: "bob" is no number',
    diagnostics: [{file: 'compose.yaml', line: 4, column: 54}],
  });
});

const upon = (service: string) => ({
  '/stack/compose.yaml': `name: shop
services:
  web: {build: {context: ., additional_contexts: {x: "service:${service}"}}}
  base: {build: {context: ., additional_contexts: {web: "service:web"}}}
`,
});

test('a service that is not there to be built upon is told with its place', async () => {
  expect(await failure(upon('bse'))).toMatchObject({
    message: 'services.web: the service "bse" is not defined',
    diagnostics: [{hint: 'did you mean "base"?', file: 'compose.yaml', line: 3, column: 54}],
  });
});

test('images that are built upon each other in a circle are told with a place', async () => {
  const {project} = await load(upon('base'));
  expect(() => serviceBuilds(project)).toThrow(
    expect.objectContaining({
      message: 'images are built upon each other in a circle: shop-base → shop-web → shop-base',
      hint: 'build one of them upon an image of its own',
      diagnostics: [expect.objectContaining({file: 'compose.yaml', line: 4, column: 30})],
    }),
  );
});

test('two ways to build one image are told where the second one stands', async () => {
  const {project} = await load({
    '/stack/compose.yaml': 'services:\n  a: {image: x, build: .}\n  b: {image: x, build: {context: ., target: t}}\n',
  });
  expect(() => serviceBuilds(project)).toThrow(
    expect.objectContaining({
      message: 'services "a" and "b" build image "x" in different ways',
      diagnostics: [expect.objectContaining({line: 3, column: 17})],
    }),
  );
});

test.each([
  ['isolation: hyperv', 'build.isolation'],
  ['entitlements: [network.host, device]', 'build.entitlements[1]'],
])('%s is refused', async (attribute, path) => {
  const {project} = await load({'/stack/compose.yaml': `services: {web: {build: {context: ., ${attribute}}}}`});
  expect(findLimits(project).map((limit) => limit.path)).toEqual([`services.web.${path}`]);
});
