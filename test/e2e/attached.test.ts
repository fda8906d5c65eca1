import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {expect, test} from 'vitest';
import {eventually, makeHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

const fast = 'image: busybox, stop_grace_period: 0s';

test('a container that ends while the others still come up ends the stack, a job that is waited for does not', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: early
services:
  first: {${fast}, command: sh -c 'exit 3'}
  last: {${fast}, command: sleep 600, depends_on: {probed: {condition: service_healthy}}}
  probed: {${fast}, command: sleep 600, healthcheck: {test: sleep 0.5, interval: 100ms}}
`,
  );
  const aborted = await host.tscompose(['up', '--abort-on-container-exit'], {timeoutMs: 20_000});
  expect(aborted).toMatchObject({code: 3, stderr: expect.stringContaining('stopping: early-first-1 ended')});
  expect((await host.tscompose(['down'])).code).toBe(0);

  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: early
services:
  job: {${fast}, command: 'true'}
  main: {${fast}, command: sh -c 'exit 7', depends_on: {job: {condition: service_completed_successfully}}}
  other: {${fast}, command: sleep 600}
`,
  );
  expect((await host.tscompose(['up', '--abort-on-container-exit'], {timeoutMs: 20_000})).code).toBe(7);
  expect((await host.tscompose(['down'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});

test('a service without readable logs hides those of no other', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: silent
services:
  quiet: {${fast}, command: echo hidden, logging: {driver: none}}
  loud: {${fast}, command: echo shown}
`,
  );
  const warning = 'warning: no logs of silent-quiet-1: configured logging driver does not support reading';
  const up = await host.tscompose(['up'], {timeoutMs: 20_000});
  expect(up).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('| shown'),
    stderr: expect.stringContaining(warning),
  });
  for (const args of [['logs'], ['logs', '-f']]) {
    expect(await host.tscompose(args, {timeoutMs: 20_000})).toMatchObject({
      code: 0,
      stdout: 'loud-1   | shown\n',
      stderr: `${warning}\n`,
    });
  }
  expect((await host.tscompose(['down'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});

test('up and logs -f go on through a restart of the only container, and end when it is stopped', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: again
services:
  only: {${fast}, command: sh -c 'echo begin; exec sleep 600'}
`,
  );
  const up = host.tscompose(['up'], {timeoutMs: 30_000});
  await eventually(async () => expect((await host.tscompose(['ps', '-q'])).stdout).not.toBe(''));
  const logs = host.tscompose(['logs', '-f', '--tail', '0'], {timeoutMs: 30_000});
  await delay(1000);
  expect((await host.tscompose(['restart'])).code).toBe(0);
  await delay(1000);
  expect((await host.tscompose(['stop'])).code).toBe(0);
  expect(await logs).toMatchObject({code: 0, stdout: 'only-1  | begin\n'});
  const {code, stdout} = await up;
  expect({code, begins: stdout.match(/\| begin$/gm)?.length}).toEqual({code: 0, begins: 2});
  expect((await host.tscompose(['down'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});

test('a service that crashes again and again is not ready, whenever it is looked at', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: loop
services:
  crash: {${fast}, command: sh -c 'sleep 0.1; exit 4', restart: always}
`,
  );
  const up = await host.tscompose(['up', '--wait', '--wait-timeout', '3'], {timeoutMs: 30_000});
  expect(up).toMatchObject({code: 124, stderr: expect.stringContaining('not healthy after 3s')});
  expect((await host.tscompose(['down'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});
