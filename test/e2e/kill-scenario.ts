import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {expect} from 'vitest';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {randomNumbers} from '../support/random.ts';
import {loadImages} from '../support/test-images.ts';

const stack = `name: victim
services:
  one:
    image: busybox
    command: sleep 600
    init: true
    networks: [a]
    volumes: ["data:/data"]
    ports: ["127.0.0.1:18080:80"]
    healthcheck: {test: [CMD, "true"], interval: 5s, start_period: 5s, start_interval: 100ms}
  two:
    image: busybox
    command: sleep 600
    init: true
    networks: [a, b]
    depends_on: {one: {condition: service_healthy}}
    secrets: [token]
  three: {image: busybox, command: sleep 600, init: true, networks: [b], deploy: {replicas: 2}}
networks: {a: {}, b: {internal: true}}
volumes: {data: {}}
secrets: {token: {environment: TOKEN}}
`;

const env = {TOKEN: 'secret'};

/**
 * Ends the command line with SIGKILL at random moments of `up` and `down`, and now and then a monitor. After each, the next
 * `up -d --wait` must converge or the next `down -v` must leave nothing.
 */
export async function runKills(count: number, seed: number): Promise<void> {
  const random = randomNumbers(seed);
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(join(host.directory, 'compose.yaml'), stack);
  const longest = {
    up: await timed(() => succeed(host, 'up', '-d', '--wait')),
    down: await timed(() => succeed(host, 'down', '-v', '-t', '1')),
  };
  for (let round = 0; round < count; round += 1) {
    const command = random() < 0.6 ? 'up' : 'down';
    if (command === 'down') await succeed(host, 'up', '-d', '--wait');
    const at = random() * longest[command];
    const what = `seed ${seed}, round ${round}: ${command} killed after ${at.toFixed(0)} ms`;
    await killed(host, command === 'up' ? ['up', '-d', '--wait'] : ['down', '-v', '-t', '1'], at);
    if (random() < 0.3) killMonitor(host, random());
    if (random() < 0.5) {
      await succeed(host, 'up', '-d', '--wait', what);
      const {stdout} = await host.tscompose(['ps', '--format', 'json'], {env});
      expect({what, running: stdout.trim().split('\n').length}).toEqual({what, running: 4});
    }
    await succeed(host, 'down', '-v', '-t', '1', what);
    // The helper of whoever was killed ends by itself.
    await eventually(() => expect({what, left: host.leftovers()}).toEqual({what, left: []}));
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = Date.now();
  await work();
  return Date.now() - start;
}

/** The last word may say what happened before; it is shown when the command fails. */
async function succeed(host: TestHost, ...words: string[]): Promise<void> {
  const what = words.at(-1)?.startsWith('seed ') === true ? words.pop() : undefined;
  const {code, stderr} = await host.tscompose(words, {env, timeoutMs: 60_000});
  expect({what, words, code, stderr: code === 0 ? '' : stderr}).toEqual({what, words, code: 0, stderr: ''});
}

async function killed(host: TestHost, words: readonly string[], afterMs: number): Promise<void> {
  let end = (): void => {};
  const done = host.tscompose(words, {env, onSpawn: (child) => (end = () => child.kill('SIGKILL'))});
  await delay(afterMs);
  end();
  await done;
}

/** A monitor chosen by a number in [0, 1). */
function killMonitor(host: TestHost, choice: number): void {
  const containers = join(host.run, 'containers');
  const pids = readdirSync(containers).flatMap((id) => {
    try {
      return [
        (JSON.parse(readFileSync(join(containers, id, 'state.json'), 'utf8')) as {readonly monitor: number}).monitor,
      ];
    } catch {
      return [];
    }
  });
  const pid = pids[Math.floor(choice * pids.length)];
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
