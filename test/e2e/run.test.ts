import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {openTerminal} from '../support/terminal.ts';
import {loadImages} from '../support/test-images.ts';
import {startCommand} from '../support/watching.ts';

const sleeps = 'image: busybox, command: sleep 600, init: true, stop_grace_period: 0s';

let host: TestHost;

beforeAll(async () => {
  host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: once
services:
  web: {${sleeps}, environment: {MODE: stack}, ports: ["127.0.0.1::80"], depends_on: {db: {condition: service_healthy}}}
  db: {${sleeps}, healthcheck: {test: "true", interval: 200ms}}
  talk:
    image: busybox
    command: sh -c "while :; do echo tick; sleep 0.1; done"
    stop_grace_period: 0s
`,
  );
});

afterAll(async () => {
  expect((await host.tscompose(['down'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
  await host[Symbol.asyncDispose]();
});

const names = async () =>
  (await host.tscompose(['ps', '-a', '--format', '{{.Name}} {{.State}}'])).stdout
    .split('\n')
    .filter((line) => line !== '');

test('a command runs in a container of its own, once what the service needs is there, and its exit code is ours', async () => {
  const ran = await host.tscompose([
    'run',
    '--rm',
    '-e',
    'MODE=own',
    'web',
    'sh',
    '-c',
    'echo "$MODE"; echo no >&2; exit 7',
  ]);
  expect(ran).toMatchObject({code: 7, stdout: 'own\n', stderr: expect.stringContaining('\nno\n')});
  // Its own service was not started, and it has removed itself.
  expect(await names()).toEqual(['once-db-1 running']);
});

test('what is piped in is its input, to the end', async () => {
  const ran = await host.tscompose(['run', '--rm', '--no-deps', 'web', 'sh', '-c', 'cat; echo end'], {
    input: 'one\ntwo\n',
  });
  expect(ran).toMatchObject({code: 0, stdout: 'one\ntwo\nend\n'});
});

test('flags mount, publish and say what is run; a dollar sign is no variable', async () => {
  mkdirSync(join(host.directory, 'src'));
  writeFileSync(join(host.directory, 'src/file'), 'content\n');
  const words = ['--entrypoint', 'sh -c', '-u', '33', '-w', '/src', '-v', './src:/src', '-e', 'PRICE=$5', '-l', 'a=b'];
  const ran = await host.tscompose(['run', '--rm', ...words, 'web', 'cat file; id -u; echo "$PRICE"']);
  expect(ran).toMatchObject({code: 0, stdout: 'content\n33\n$5\n'});
});

test('variables come from files and from the environment of the project, rights are given and taken', async () => {
  writeFileSync(join(host.directory, '.env'), 'KNOWN=dot env\n');
  writeFileSync(join(host.directory, 'own.env'), 'MODE=file\nBASED=${KNOWN}!\n');
  const show = 'echo "$MODE, $BASED, $KNOWN, ${MISSING-none}"; grep CapBnd /proc/self/status';
  const flags = [
    '--env-from-file',
    'own.env',
    '-e',
    'KNOWN',
    '-e',
    'MISSING',
    '--cap-drop',
    'ALL',
    '--cap-add',
    'CHOWN',
  ];
  const ran = await host.tscompose(['run', '-q', '--rm', '--no-deps', ...flags, 'web', 'sh', '-c', show]);
  expect(ran).toMatchObject({
    code: 0,
    stdout: 'file, dot env!, dot env, none\nCapBnd:\t0000000000000001\n',
    stderr: '',
  });
  const missing = await host.tscompose(['run', '--env-from-file', 'no.env', 'web', 'true']);
  expect(missing).toMatchObject({code: 65, stderr: expect.stringContaining('cannot read environment file "no.env"')});
});

test('in the background its input stays open, and "kill" is for it too', async () => {
  const ran = await host.tscompose(['run', '-d', '--no-deps', '--name', 'once-shell', 'web', 'cat']);
  expect(ran.code).toBe(0);
  expect(await names()).toContain('once-shell running');
  expect((await host.tscompose(['kill', 'web'])).code).toBe(0);
  await eventually(async () => expect(await names()).toContain('once-shell exited'));
  expect((await host.tscompose(['down'])).code).toBe(0);
});

/** Processes with all of these words. */
function processesWith(...words: readonly string[]): readonly number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => {
      try {
        const line = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
        return words.every((word) => line.includes(word));
      } catch {
        return false;
      }
    })
    .map(Number);
}

test('a signal goes to the command, at a terminal too', async () => {
  await using terminal = openTerminal(host, {columns: 70, rows: 20});
  // Another worker may run the same test.
  const name = `once-told-${process.pid}`;
  const script = "trap 'echo told; exit 9' HUP; echo ready; while :; do sleep 0.1; done";
  terminal.type(`tscompose run --rm --no-deps --name ${name} web sh -c "${script}"\r`);
  await terminal.shows(/^ready$/m);
  const [client, ...more] = processesWith('run', '--no-deps', name);
  expect(more).toEqual([]);
  process.kill(client ?? 0, 'SIGHUP');
  // The prompt is there again: what is typed before that may still be the container's.
  await terminal.shows(/^told\n\$$/m);
  terminal.type('echo "code $?"\r');
  await terminal.shows(/^code 9$/m);
});

test('in the background it goes on, is seen by "ps -a" alone, publishes what it is told to, and goes with the stack', async () => {
  const ran = await host.tscompose(['run', '-d', '--name', 'once-job', '-p', '127.0.0.1::80', 'web']);
  expect(ran).toMatchObject({code: 0, stdout: expect.stringMatching(/^[0-9a-f]{64}\n$/)});
  const ports = await host.tscompose(['ps', '-a', '--format', '{{.Name}} {{.Ports}}']);
  expect(ports.stdout).toMatch(/^once-job 127\.0\.0\.1:\d+->80\/tcp$/m);
  expect((await host.tscompose(['ps', '-q'])).stdout).not.toContain(ran.stdout.trim());
  const again = await host.tscompose(['run', '--rm', '--name', 'once-job', 'web', 'true']);
  expect(again).toMatchObject({
    code: 1,
    stderr: 'error: the name "once-job" is taken by another container\nhint: choose another --name, or leave it out\n',
  });
  expect((await host.tscompose(['down'])).code).toBe(0);
  expect(await names()).toEqual([]);
});

test('nothing stays of a command that is not there', async () => {
  const ran = await host.tscompose(['run', '--rm', '--no-deps', 'web', 'nowhere']);
  expect(ran).toMatchObject({
    code: 127,
    stderr: expect.stringContaining('error: execute "nowhere": executable file not found in $PATH\n'),
  });
  expect(await names()).toEqual([]);
});

test('a service that is not there, and flags that cannot be, are told before anything is done', async () => {
  const missing = await host.tscompose(['run', '-v', './src:/src', 'wbe', 'ls']);
  expect(missing).toMatchObject({code: 1, stderr: 'error: no such service: "wbe"\nhint: did you mean "web"?\n'});
  const wrong = await host.tscompose(['run', '-v', '::', 'web', 'ls']);
  expect(wrong).toMatchObject({code: 65, stderr: expect.stringContaining('"::" has an empty part')});
  const label = await host.tscompose(['run', '-l', 'a', 'web']);
  expect(label).toMatchObject({code: 64, stderr: 'error: --label "a" has no value\nhint: write KEY=VALUE\n'});
  const terminal = await host.tscompose(['run', '-t', 'web'], {input: ''});
  expect(terminal).toMatchObject({code: 64, stderr: expect.stringContaining('--tty needs a terminal')});
  const both = await host.tscompose(['run', '-P', '-p', '80', 'web']);
  expect(both).toMatchObject({code: 64, stderr: 'error: --publish and --service-ports cannot be given together\n'});
  expect(await names()).toEqual([]);
});

test('what is run is no part of a stack that is up in the foreground: its words and its end are not told there', async () => {
  await using up = startCommand(host, ['up', '--abort-on-container-exit', 'talk']);
  const ticks = () => up.stdout().split('tick').length;
  await eventually(() => expect(ticks()).toBeGreaterThan(1));
  expect(await host.tscompose(['run', '--rm', 'talk', 'echo', 'apart'])).toMatchObject({code: 0, stdout: 'apart\n'});
  const then = ticks();
  await eventually(() => expect(ticks()).toBeGreaterThan(then + 5));
  expect(up.stdout()).not.toMatch(/apart|exited/);
  expect(await up.interrupt()).toBe(130);
});

test('at a terminal it has one, with its size', async () => {
  await using terminal = openTerminal(host, {columns: 70, rows: 20});
  terminal.type('tscompose run --rm --no-deps web sh\r');
  await terminal.shows(/^\/ #$/m);
  terminal.type('stty size; exit 3\r');
  // The prompt is there again: what is typed before that may still be the container's.
  await terminal.shows(/^20 70\n\$$/m);
  terminal.type('echo "code $?"\r');
  await terminal.shows(/^code 3$/m);
});
