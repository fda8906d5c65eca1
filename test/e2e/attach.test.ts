import {spawn} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually, makeHost, projectDirectory, type TestHost} from '../support/host.ts';
import {openTerminal} from '../support/terminal.ts';
import {loadImages} from '../support/test-images.ts';
import {startCommand} from '../support/watching.ts';

const fast = 'image: busybox, stop_grace_period: 0s';

async function startStack(host: TestHost): Promise<void> {
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: join
services:
  console: {${fast}, command: sh, tty: true, stdin_open: true}
  deaf: {${fast}, command: sh -c "trap '' INT; while :; do sleep 0.2; done"}
  plain: {${fast}, command: sh -c 'while read x; do echo "got $$x"; echo "and $$x" >&2; done', stdin_open: true}
  count:
    image: busybox
    stop_grace_period: 0s
    scale: 2
    command:
      - sh
      - -c
      - |
        trap 'echo interrupted; exit 9' INT
        trap 'echo told' USR1
        while :; do echo "$$(hostname) ticks"; sleep 0.1; done
`,
  );
  expect(await host.tscompose(['up', '-d'])).toMatchObject({code: 0});
}

async function takeDown(host: TestHost): Promise<void> {
  expect((await host.tscompose(['down'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
}

const idsOf = async (host: TestHost, service: string) =>
  (await host.tscompose(['ps', '-a', '-q', service])).stdout.trim().split('\n');

test('a terminal is joined with that of the service: keys, size, detach keys, exit code', async () => {
  await using host = await makeHost();
  await startStack(host);
  {
    await using terminal = openTerminal(host, {columns: 70, rows: 20});
    terminal.type('tscompose attach console\r');
    await terminal.shows('attached to join-console-1: Ctrl-P Ctrl-Q lets go of it');
    terminal.type('stty size\r');
    await terminal.shows(/^20 70$/m);
    terminal.resize(90, 25);
    // The new size is on its way.
    await eventually(() => {
      terminal.type('stty size\r');
      expect(terminal.screen()).toMatch(/^25 90$/m);
    });
    // Ctrl-C is a key, as in any terminal: once the shell reads keys no more.
    terminal.type('echo $((2 + 2)) sheep; sleep 600\r');
    await terminal.shows(/^4 sheep$/m);
    terminal.type('\x03');
    terminal.type('echo still $((1 + 1))\r');
    await terminal.shows(/^still 2$/m);
    terminal.type('\x10\x11');
    // The prompt is there again: what is typed before that may still be the container's.
    await terminal.shows(/^detached from join-console-1, which goes on\n\$$/m);
    terminal.type('echo code $?; stty -a | grep -c " echo "\r');
    await terminal.shows(/^code 0\n1$/m);

    terminal.type('clear; tscompose attach --detach-keys ctrl-x,q console\r');
    await terminal.shows('Ctrl-X q lets go of it');
    terminal.type('echo a\x18q');
    await terminal.shows(/which goes on[\s\S]*\$$/);

    terminal.type('clear\r');
    await terminal.shows(/^\$$/);
    terminal.type('tscompose attach console\r');
    await terminal.shows('attached to');
    // What was typed before is there still.
    terminal.type('\rexit 7\r');
    await terminal.shows(/^\$$/m);
    terminal.type('echo code $?\r');
    await terminal.shows('code 7');
    terminal.type('clear; tscompose attach console\r');
    await terminal.shows('error: service "console" is not running');
  }
  await takeDown(host);
});

test('without a terminal both streams stay apart, and the end of the input ends nothing else', async () => {
  await using host = await makeHost();
  await startStack(host);
  const child = spawn(
    'nsenter',
    [
      `--net=/run/netns/${host.namespace}`,
      '--',
      process.execPath,
      join(projectDirectory, 'dist/cli.cjs'),
      'attach',
      'plain',
    ],
    {cwd: host.directory, env: {...host.env}},
  );
  const output = {stdout: '', stderr: ''};
  child.stdout.on('data', (data) => (output.stdout += data));
  child.stderr.on('data', (data) => (output.stderr += data));
  const exited = new Promise((resolve) => child.on('close', resolve));
  child.stdin.end('one\ntwo\n');
  await eventually(() => expect(output).toEqual({stdout: 'got one\ngot two\n', stderr: 'and one\nand two\n'}));
  // It reads on: another may write to it.
  const again = host.tscompose(['attach', 'plain'], {input: 'three\n', onSpawn: () => {}});
  await eventually(() => expect(output.stdout).toBe('got one\ngot two\ngot three\n'));
  expect(child.exitCode).toBeNull();
  expect((await host.tscompose(['stop', 'plain'])).code).toBe(0);
  expect(await exited).toBe(137);
  expect(await again).toMatchObject({code: 137, stdout: 'got three\n'});
  await takeDown(host);
});

test('signals are handed over, unless they are not to be; three interrupts let go of a process that takes none', async () => {
  await using host = await makeHost();
  await startStack(host);
  const [first = '', second = ''] = await idsOf(host, 'count');
  {
    await using attached = startCommand(host, ['attach', '--index', '2', 'count']);
    await eventually(() => expect(attached.stdout()).toContain(`${second.slice(0, 12)} ticks`));
    process.kill(attached.pid, 'SIGUSR1');
    await eventually(() => expect(attached.stdout()).toContain('told\n'));
    expect(await attached.interrupt()).toBe(9);
    expect(attached.stdout()).toContain('interrupted\n');
    expect(attached.stdout()).not.toContain(first.slice(0, 12));
  }
  {
    await using attached = startCommand(host, ['attach', '--sig-proxy=false', 'count']);
    await eventually(() => expect(attached.stdout()).toContain(`${first.slice(0, 12)} ticks`));
    expect(await attached.interrupt()).toBe(130);
  }
  expect((await host.tscompose(['ps', '--format', 'json', 'count'])).stdout).toContain('"State":"running"');
  {
    await using terminal = openTerminal(host, {columns: 100});
    terminal.type('tscompose attach deaf\r');
    await terminal.shows('attached to join-deaf-1: Ctrl-C is handed to it, three times lets go of it');
    await terminal.shows('nothing that is typed reaches it: it has no "stdin_open: true"');
    await eventually(() => {
      terminal.type('\x03');
      expect(terminal.screen()).toContain('detached from join-deaf-1, which goes on');
    });
    await terminal.shows(/\$$/);
    terminal.type('echo code $?\r');
    await terminal.shows('code 130');
  }
  {
    // Closing a terminal ends no service.
    await using terminal = openTerminal(host);
    terminal.type('tscompose attach deaf\r');
    await terminal.shows('attached to join-deaf-1');
  }
  await eventually(async () =>
    expect((await host.tscompose(['events', '--since', '1m', '--until', '0s', 'deaf'])).stdout).toContain(' attach '),
  );
  expect((await host.tscompose(['ps', '--format', 'json', 'deaf'])).stdout).toContain('"State":"running"');
  expect(await host.tscompose(['attach', '--index', '3', 'count'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('error: replica 3 of service "count" is not running'),
  });
  expect(await host.tscompose(['attach', '--detach-keys', 'control-p', 'count'])).toMatchObject({code: 64});
  expect(await host.tscompose(['attach'])).toMatchObject({code: 64});
  await takeDown(host);
});
