import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {machineFiles} from '../../../src/base/file-source.ts';
import {lockedProject, pinsOf} from '../../../src/cli/lock/locked-project.ts';
import {wantedImages} from '../../../src/cli/lock/wanted-images.ts';
import {loadProject} from '../../../src/model/load.ts';

let directory: string;

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsc-wanted-'));
  const write = (path: string, text: string) => writeFileSync(join(directory, path), text);
  mkdirSync(join(directory, 'web'));
  write(
    'compose.yaml',
    `name: shop
services:
  db: {image: "postgres:16", volumes: [{type: image, source: "files", target: /files}]}
  fixed: {image: "redis:7@${digest('f')}"}
  base: {image: "shop/base:1", build: {context: web, dockerfile_inline: "FROM alpine"}}
  uses: {image: "shop/base:1"}
  far: {build: "https://example.com/far.git"}
  web:
    build:
      context: web
      target: last
      args: {NODE: "22"}
      additional_contexts: {ground: "service:base", tools: "docker-image://tools:3"}
`,
  );
  write(
    'web/Dockerfile',
    `ARG NODE=20
FROM node:\${NODE} AS busybox
FROM never:1 AS unused
FROM ground AS mine
FROM busybox AS last
COPY --from=nginx:1 /a /b
COPY --from=tools /a /b
COPY --from=mine /a /b
RUN --mount=from=debian@${digest('d')},target=/d true
FROM after:1
`,
  );
});

afterAll(() => rmSync(directory, {recursive: true}));

async function load() {
  const {project} = await loadProject({workingDirectory: directory, environment: {}}, machineFiles);
  return project;
}

test('what a stack takes from elsewhere is its images, those it mounts and those that its targets are built upon', async () => {
  const {images, builds, unread} = await wantedImages({cwd: directory}, await load());
  expect([...images.values()].map(({reference, path}) => [reference, path]).sort()).toEqual([
    ['docker.io/library/alpine:latest', 'services.base.build'],
    ['docker.io/library/files:latest', 'services.db.volumes'],
    ['docker.io/library/nginx:1', 'services.web.build'],
    ['docker.io/library/node:22', 'services.web.build'],
    ['docker.io/library/postgres:16', 'services.db.image'],
    ['docker.io/library/tools:3', 'services.web.build'],
  ]);
  expect(unread).toEqual(['far']);
  expect(Object.fromEntries(builds)).toEqual({
    base: ['docker.io/library/alpine:latest'],
    web: ['docker.io/library/node:22', 'docker.io/library/nginx:1', 'docker.io/library/tools:3'],
  });
});

test('a locked stack has a digest behind each name, and pulls nothing that it builds', async () => {
  const project = await load();
  const {images} = await wantedImages({cwd: directory}, project);
  const lock = {shown: 'compose.lock.yaml', images: new Map([...images.keys()].map((name) => [name, digest('a')]))};
  const {
    project: {services},
    unpulled,
  } = lockedProject(project, lock);
  expect([...unpulled]).toEqual(['shop/base:1']);
  expect(services['db']).toMatchObject({
    image: `postgres:16@${digest('a')}`,
    volumes: [{source: `files@${digest('a')}`}],
  });
  expect(services['fixed']?.image).toBe(`redis:7@${digest('f')}`);
  expect(services['uses']?.image).toBe('shop/base:1');
  expect(services['base']).toMatchObject({image: 'shop/base:1', pull_policy: 'never'});
  expect(services['web']?.build?.additional_contexts).toEqual({
    ground: 'service:base',
    tools: `docker-image://tools:3@${digest('a')}`,
  });
  expect(pinsOf(lock)).toMatchObject({'docker.io/library/node:22': `node:22@${digest('a')}`});
});

test('everything that is not locked is told at once, with its place', async () => {
  const project = await load();
  expect(() => lockedProject(project, {shown: 'compose.lock.yaml', images: new Map()})).toThrow(
    expect.objectContaining({
      kind: 'invalid',
      diagnostics: [
        expect.objectContaining({line: 3, message: 'image "postgres:16" is not in compose.lock.yaml'}),
        expect.objectContaining({line: 3, message: 'image "files:latest" is not in compose.lock.yaml'}),
        expect.objectContaining({line: 13, message: 'image "tools:3" is not in compose.lock.yaml'}),
      ],
    }),
  );
});

test('of services that nobody asked for, what others are built upon is locked, and what they build is still the stack’s own', async () => {
  const lock = {shown: 'compose.lock.yaml', images: new Map([['docker.io/library/ground:1', digest('a')]])};
  const build = {context: directory, additional_contexts: {ground: 'service:ground'}};
  const loaded = await load();
  const some = {
    ...loaded,
    services: {web: {build}, uses: {image: 'shop/base:1'}},
    disabledServices: {
      ground: {image: 'ground:1'},
      base: {image: 'shop/base:1', build: {context: directory}},
      other: {image: 'never-asked-for:1'},
    },
  };
  const {project, unpulled} = lockedProject(some, lock);
  expect(project.disabledServices).toMatchObject({
    ground: {image: `ground:1@${digest('a')}`},
    other: {image: 'never-asked-for:1'},
  });
  expect(project.services['uses']?.image).toBe('shop/base:1');
  expect([...unpulled]).toEqual(['shop/base:1']);
});
