import {expect, test} from 'vitest';
import {eventually, makeHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {finish, read, someTime, startCommand, write} from '../support/watching.ts';

const idle = 'image: busybox, stop_grace_period: 0s, command: sleep 600';

test('rebuild: a save is built and served by new containers; a build that fails leaves those that are there', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  write(
    host,
    'compose.yaml',
    `name: built
services:
  web:
    build: ./web
    stop_grace_period: 0s
    command: sleep 600
    develop:
      watch:
        - {path: ./web, action: rebuild, ignore: [notes]}
    healthcheck: {test: [CMD, test, -e, /word], interval: 100ms, start_period: 10s, start_interval: 50ms}
  after: {${idle}, depends_on: {web: {condition: service_started, restart: true}}}
  other: {${idle}}
`,
  );
  write(host, 'web/.dockerignore', 'secret\n');
  write(host, 'web/Dockerfile', 'FROM busybox\nRUN head -c 16 /dev/urandom | md5sum > /once\nCOPY word* /\n');
  write(host, 'web/word', 'one');
  const refused = await host.tscompose(['up', '--watch', '--no-build']);
  expect(refused.stderr).toContain('--no-build: service "web" has a watch action "rebuild"');
  expect(refused.code).toBe(64);
  // An image of an earlier save, which watching does not begin with.
  expect((await host.tscompose(['build'])).code).toBe(0);
  write(host, 'web/word', 'two');
  await using watch = startCommand(host, ['watch']);
  await watch.says(/container built-after-1 started/);
  const web = (path: string) => read(host, 'web', `cat ${path}`);
  expect(await web('/word')).toBe('two');
  const once = await web('/once');
  const nameless = async () =>
    (await host.tscompose(['engine', 'images', '-q', '--filter', 'dangling=true'])).stdout.trim().split('\n');
  const before = await nameless();
  expect(before).toHaveLength(1);
  expect((await host.tscompose(['stop', 'other'])).code).toBe(0);

  // What the build leaves out, and what the rule ignores, sets nothing off: the next save is the first one.
  write(host, 'web/secret', 'secret');
  write(host, 'web/notes', 'notes');
  write(host, 'web/word', 'three');
  await watch.says(
    new RegExp(`^web rebuilt ← web/word, serving after ${someTime}: ${someTime} build, ${someTime} to healthy$`, 'm'),
  );
  expect(await web('/word')).toBe('three');
  // Only what changed was built, and what somebody stopped stays so.
  expect(await web('/once')).toBe(once);
  const states = (await host.tscompose(['ps', '-a', '--format', '{{.Service}} {{.State}}'])).stdout;
  expect(states.trim().split('\n').sort()).toEqual(['after running', 'other exited', 'web running']);
  expect(watch.stderr()).toMatch(/container built-after-1 stopped/);

  // The place is told, and who runs goes on.
  write(
    host,
    'web/Dockerfile',
    'FROM busybox\nRUN head -c 16 /dev/urandom | md5sum > /once\nRUN exit 3\nCOPY word* /\n',
  );
  await watch.says(
    /^web not rebuilt ← web\/Dockerfile; tried again with the next save\n(?: {2}.*\n)*? {2}.*web\/Dockerfile:3:\d+/m,
  );
  expect(await web('/word')).toBe('three');

  write(
    host,
    'web/Dockerfile',
    'FROM busybox\nRUN head -c 16 /dev/urandom | md5sum > /once\nRUN sleep 1\nCOPY word* /\n',
  );
  // While that is built.
  await watch.says(/RUN sleep 1/);
  write(host, 'web/word', 'four!');
  write(host, 'web/word2', 'five');
  await eventually(async () => expect(await web('/word /word2')).toBe('four!five'));
  // One more build after the one that went on, whatever that one had read by then.
  await eventually(() => expect(watch.stderr().match(/^web rebuilt ← web\/word/gm)?.length).toBeGreaterThan(1));
  // Of the images that watching replaced none is left.
  await eventually(async () => expect(await nameless()).toEqual(before));
  await watch.interrupt();
  await finish(host);
});
