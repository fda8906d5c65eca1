import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {expect, test} from 'vitest';
import {makeHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

test('eight "up -d" of one project at once all succeed and make one correct stack', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: crowd
services:
  web: {image: busybox, command: sleep 600, init: true, deploy: {replicas: 3}, volumes: ["data:/data"], depends_on: [db]}
  db: {image: busybox, command: sleep 600, init: true}
volumes: {data: {}}
`,
  );
  const results = await Promise.all(Array.from({length: 8}, () => host.tscompose(['up', '-d'])));
  expect(results.map(({code, stderr}) => (code === 0 ? 0 : stderr))).toEqual(Array.from({length: 8}, () => 0));
  const {stdout} = await host.tscompose(['ps', '-a', '--format', 'json']);
  const containers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as {readonly Name: string; readonly State: string});
  expect(containers.map(({Name, State}) => `${Name} ${State}`).sort()).toEqual([
    'crowd-db-1 running',
    'crowd-web-1 running',
    'crowd-web-2 running',
    'crowd-web-3 running',
  ]);
  expect((await host.tscompose(['plan', '--exit-code'])).code).toBe(0);
  expect((await host.tscompose(['down', '-v', '-t', '1'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});

test('a down during "up --wait" wins: the up ends canceled and nothing is left', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: duel
services:
  slow: {image: busybox, command: sleep 600, init: true, healthcheck: {test: [CMD, "false"], interval: 1s, start_period: 300s}}
  late: {image: busybox, command: sleep 600, init: true, depends_on: {slow: {condition: service_healthy}}}
`,
  );
  const up = host.tscompose(['up', '-d', '--wait']);
  for (let round = 0; round < 200; round += 1) {
    const {stdout} = await host.tscompose(['ps', '-q']);
    if (stdout.trim() !== '') break;
    await delay(50);
  }
  expect((await host.tscompose(['down', '-v', '-t', '1'])).code).toBe(0);
  const ended = await up;
  expect(ended.code).toBe(130);
  expect(ended.stderr).toMatch(/canceled/);
  expect(host.leftovers()).toEqual([]);
});
