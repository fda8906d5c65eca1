import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually, makeHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {startCommand} from '../support/watching.ts';

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
  const aborted = await host.tscompose(['up', '--abort-on-container-exit']);
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
  expect((await host.tscompose(['up', '--abort-on-container-exit'])).code).toBe(7);
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
  const up = await host.tscompose(['up']);
  expect(up).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('| shown'),
    stderr: expect.stringContaining(warning),
  });
  for (const args of [['logs'], ['logs', '-f']]) {
    expect(await host.tscompose(args)).toMatchObject({
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
  only: {${fast}, command: sh -c 'echo begin; while :; do echo tick; sleep 0.1; done'}
`,
  );
  await using up = startCommand(host, ['up']);
  await eventually(() => expect(up.stdout()).toContain('| tick\n'), 30_000);
  await using logs = startCommand(host, ['logs', '-f', '--tail', '0']);
  await eventually(() => expect(logs.stdout()).toContain('| tick\n'), 30_000);
  expect((await host.tscompose(['restart'])).code).toBe(0);
  const begins = (text: string) => text.match(/\| begin$/gm)?.length;
  await eventually(() => expect([begins(up.stdout()), begins(logs.stdout())]).toEqual([2, 1]), 30_000);
  expect((await host.tscompose(['stop'])).code).toBe(0);
  expect([await up.exited, await logs.exited]).toEqual([0, 0]);
  expect(begins(up.stdout())).toBe(2);
  expect(logs.stdout().replaceAll('only-1  | tick\n', '')).toBe('only-1  | begin\n');
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
  crash: {${fast}, command: sh -c 'sleep 0.02; exit 4', restart: always}
`,
  );
  const up = await host.tscompose(['up', '--wait', '--wait-timeout', '3']);
  expect(up).toMatchObject({code: 124, stderr: expect.stringContaining('not healthy after 3s')});
  expect((await host.tscompose(['down'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});

test('up of named services shows and awaits these alone, and leaves what they depend on running', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: named
services:
  base: {${fast}, command: sh -c 'echo base; exec sleep 600'}
  main: {${fast}, command: sh -c 'sleep 0.3; printf last; exit 2', depends_on: [base]}
`,
  );
  const up = (...args: string[]) => host.tscompose(['up', ...args]);
  const running = async () => (await host.tscompose(['ps', '--services'])).stdout;
  // The news of an end comes after the last words.
  const end = 'main-1  | last\nmain-1 exited with code 2\n';
  expect(await up('main')).toMatchObject({code: 0, stdout: end});
  expect(await running()).toBe('base\n');
  expect(await up('--no-attach', 'base')).toMatchObject({code: 0, stdout: end});
  expect(await running()).toBe('base\n');
  expect((await host.tscompose(['stop'])).code).toBe(0);
  const both = await up('--attach-dependencies', 'main');
  expect(both).toMatchObject({code: 0, stdout: expect.stringContaining('base-1  | base\n')});
  expect(both.stdout).toContain(end);
  expect(await running()).toBe('base\n');
  const failed = await up('--abort-on-container-failure', '--attach', 'main');
  expect(failed).toMatchObject({code: 2, stdout: end, stderr: expect.stringContaining('stopping: named-main-1 ended')});
  expect(await running()).toBe('');
  expect(await up('--attach', 'nobody')).toMatchObject({
    code: 1,
    stderr: 'error: --attach: no such service: "nobody"\n',
  });
  expect(await up('-d', '--attach', 'main')).toMatchObject({
    code: 64,
    stderr: 'error: --detach and --attach cannot be given together\n',
  });
  expect((await host.tscompose(['down'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});

test('--always-recreate-deps makes what the named services depend on anew', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: deps
services:
  base: {${fast}, command: sleep 600}
  main: {${fast}, command: sleep 600, depends_on: [base]}
`,
  );
  const ids = async () => {
    const ids = async (service: string) => (await host.tscompose(['ps', '-q', service])).stdout;
    return {base: await ids('base'), main: await ids('main')};
  };
  expect((await host.tscompose(['up', '-d'])).code).toBe(0);
  const first = await ids();
  expect((await host.tscompose(['up', '-d', '--force-recreate', 'main'])).code).toBe(0);
  const second = await ids();
  expect({base: second.base === first.base, main: second.main === first.main}).toEqual({base: true, main: false});
  expect((await host.tscompose(['up', '-d', '--always-recreate-deps', 'main'])).code).toBe(0);
  const third = await ids();
  expect({base: third.base === second.base}).toEqual({base: false});
  expect((await host.tscompose(['down'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});
