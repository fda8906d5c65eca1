import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {randomNumbers} from '../support/random.ts';
import {type FaultBed, makeFaultBed} from './faults/bed.ts';
import {places} from './faults/walk.ts';

const seed = Number(process.env['TSCOMPOSE_TEST_SEED'] ?? Date.now() % 1_000_000);
const level = process.env['TSCOMPOSE_TEST_LEVEL'] ?? 'ci';
const parts = level === 'long' ? 'all' : 8;
const timeout = level === 'long' ? 3_600_000 : 300_000;

const stack = `name: victim
services:
  one:
    image: busybox
    command: sleep 600
    init: true
    volumes: ["data:/data"]
    ports: ["127.0.0.1:18080:80"]
    secrets: [token]
  two: {image: busybox, command: sleep 600, init: true, depends_on: [one]}
volumes: {data: {}}
secrets: {token: {environment: HOME}}
`;

/** Commands of the built program, killed at one operation after another: each time the next one must do. */
async function walkStack(scenario: string, next: (bed: FaultBed, what: string) => Promise<void>): Promise<void> {
  await using bed = await makeFaultBed();
  writeFileSync(join(bed.host.directory, 'compose.yaml'), stack);
  const {code, operations} = await bed.script({action: 'count'}, scenario);
  expect(code).toBe(0);
  await next(bed, 'not interrupted');
  for (const first of places(operations.length, parts, randomNumbers(seed))) {
    const run = await bed.script({action: 'kill', first}, scenario);
    await next(bed, `killed at ${run.operations.find((line) => line.endsWith('!'))} (seed ${seed})`);
  }
}

async function succeeds({host}: FaultBed, what: string, ...words: readonly string[]): Promise<string> {
  const {code, stdout, stderr} = await host.tscompose(words, {timeoutMs: 60_000});
  expect({what, words, code, stderr: code === 0 ? '' : stderr}).toEqual({what, words, code: 0, stderr: ''});
  return stdout;
}

describe(`commands about a stack, killed at an operation (TSCOMPOSE_TEST_SEED=${seed})`, () => {
  test('after "up" another one converges', {timeout}, () =>
    walkStack('arm; $tscompose up -d', async (bed, what) => {
      await succeeds(bed, what, 'up', '-d', '--wait');
      const running = (await succeeds(bed, what, 'ps', '--format', 'json')).trim().split('\n');
      expect({what, running: running.length}).toEqual({what, running: 2});
      await succeeds(bed, what, 'down', '-v', '-t', '1');
      await bed.checkUntouched(what);
    }),
  );

  test('after "down" another one leaves nothing', {timeout}, () =>
    walkStack('$tscompose up -d && arm && $tscompose down -v -t 1', async (bed, what) => {
      await succeeds(bed, what, 'down', '-v', '-t', '1');
      await bed.checkUntouched(what);
    }),
  );
});
