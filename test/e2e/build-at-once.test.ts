import {existsSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

let host: TestHost;

beforeAll(async () => {
  host = await makeHost();
  await loadImages(host, ['busybox']);
  mkdirSync(join(host.directory, 'web'));
  // Each run has a file of its own; the first waits for one that never comes.
  const run = 'id=$(cat /proc/sys/kernel/random/uuid); echo $id > /c/$id; until [ -e /c/go ]; do sleep 0.02; done';
  writeFileSync(
    join(host.directory, 'web', 'Dockerfile'),
    `FROM busybox\nRUN --mount=type=cache,target=/c ${run}\nCMD ["sleep", "1000"]\n`,
  );
  const services = ['name: once\nservices:\n  web:\n    build: web\n    stop_grace_period: 0s\n'];
  writeFileSync(join(host.directory, 'compose.yaml'), services.join(''));
});

afterAll(async () => {
  const left = host.leftovers();
  await host[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

/** What runs of the step wrote. */
function runs(): readonly string[] {
  const mounts = join(host.root, 'build/mounts');
  const [name] = existsSync(mounts) ? readdirSync(mounts).filter((entry) => !entry.includes('.')) : [];
  const data = join(mounts, name ?? '', 'data');
  return name !== undefined && existsSync(data) ? readdirSync(data).map((file) => join(data, file)) : [];
}

test('an up waits for what another build makes, and makes it at once itself when that is killed', async () => {
  let kill = () => {};
  const killed = host.tscompose(['build'], {onSpawn: (process) => (kill = () => process.kill('SIGKILL'))});
  await eventually(() => expect(runs()).toHaveLength(1));
  let said = '';
  const up = host.tscompose(['up', '-d'], {onStderr: (text) => (said += text)});
  await eventually(() => expect(said).toContain('another build makes this step: waiting for what comes of it'));
  expect(runs()).toHaveLength(1);
  kill();
  await killed;
  await eventually(() => expect(runs()).toHaveLength(2));
  writeFileSync(join(runs()[0] ?? '', '..', 'go'), '');
  expect((await up).code).toBe(0);
  expect(runs()).toHaveLength(3);
  expect((await host.tscompose(['down', '--rmi', 'local'])).code).toBe(0);
  // Clears what the killed one ran in.
  expect((await host.tscompose(['engine', 'builder', 'prune', '--all', '--force'])).code).toBe(0);
});
