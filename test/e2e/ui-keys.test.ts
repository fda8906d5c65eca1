import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {openTerminal, type TerminalSession} from './terminal-session.ts';

const plain = {image: 'busybox', stop_grace_period: '0s', network_mode: 'none'};
const forever = 'exec sleep 100000';

/** The runs of a container count themselves. */
const counted = `n=$$(cat /n 2>/dev/null || echo 0); n=$$((n + 1)); echo $$n >/n; echo "run $$n begins"; ${forever}`;

const stack = {
  name: 'shop',
  services: {
    web: {...plain, command: ['sh', '-c', `for i in $$(seq 1 60); do echo "request $$i served"; done; ${forever}`]},
    db: {
      ...plain,
      command: ['sh', '-c', `echo "LOG: ready"; echo "ERROR: a needle in the hay"; echo "WARN slow"; ${forever}`],
      healthcheck: {test: ['CMD-SHELL', 'echo connection refused; exit 2'], interval: '200ms', retries: 2},
    },
    again: {...plain, command: ['sh', '-c', counted]},
    pair: {...plain, command: ['sh', '-c', `echo "I am $$HOSTNAME"; ${forever}`], deploy: {replicas: 2}},
  },
};

let host: TestHost;

beforeAll(async () => {
  host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(join(host.directory, 'compose.yaml'), JSON.stringify(stack));
  const up = await host.tscompose(['up', '-d']);
  expect(up).toMatchObject({code: 0});
});

afterAll(async () => {
  try {
    expect(await host.tscompose(['down', '-t', '0'])).toMatchObject({code: 0});
    expect(host.leftovers()).toEqual([]);
  } finally {
    await host[Symbol.asyncDispose]();
  }
});

async function openUi(): Promise<TerminalSession> {
  const terminal = await openTerminal(host, {columns: 100, rows: 30});
  try {
    terminal.type('tscompose ui\n');
    await terminal.shows('4/4 up');
    await terminal.shows('request 60 served');
    return terminal;
  } catch (error) {
    await terminal[Symbol.asyncDispose]();
    throw error;
  }
}

test('keys move, open replicas and overlays, and change between table and logs', async () => {
  await using terminal = await openUi();
  await terminal.shows(/^▸web +● running/m);
  terminal.keys('Down', 'j');
  await terminal.shows(/^▸again/m);
  terminal.keys('End');
  await terminal.shows(/^▸pair ×2/m);
  terminal.keys('Enter');
  await terminal.shows('├ shop-pair-1');
  terminal.keys('Down', 'Down');
  await terminal.shows(/^▸└ shop-pair-2/m);
  terminal.keys('l');
  await terminal.shows('logs of pair 2');
  terminal.keys('Left', 'l', 'Home');
  await terminal.hides('shop-pair-1');
  terminal.keys('?');
  await terminal.shows('─ help ─');
  // A key that comes with its escape in one piece is one with Alt.
  terminal.keys('Escape');
  await terminal.hides('─ help ─');
  terminal.keys('v');
  await terminal.shows('─ events ─');
  terminal.keys('q');
  await terminal.hides('─ events ─');
  terminal.keys('Tab');
  await terminal.shows('x last error');
  terminal.keys('Home');
  await terminal.shows(/held · \d+ newer/);
  terminal.keys('G');
  await terminal.shows('following');
});

test('what is wrong is told with its reason', async () => {
  await using terminal = await openUi();
  await terminal.shows('✗ db unhealthy');
  terminal.keys('Down', 'w');
  await terminal.shows('─ why db ─');
  await terminal.shows(/health +unhealthy, \d+ .*probes failed.*, the last: exit 2/);
  await terminal.shows('connection refused');
  await terminal.shows('tscompose ps --why db');
  // The command says the same.
  const {stdout} = await host.tscompose(['ps', '--why', 'db']);
  expect(stdout).toMatch(
    /^shop-db-1 {2}✗ unhealthy .*\n {2}health +unhealthy, \d+ .*, the last: exit 2\n +connection refused\n/,
  );
});

test('a search finds while it is typed, goes on, and a filter leaves only what fits', async () => {
  await using terminal = await openUi();
  terminal.keys('/');
  terminal.type('served');
  await terminal.shows('search: served');
  await terminal.shows('(60 of 60)');
  terminal.keys('Enter', 'n', 'n');
  await terminal.shows('(58 of 60)');
  await terminal.shows('request 58 served');
  terminal.keys('Escape');
  await terminal.hides('(58 of 60)');
  terminal.keys('f');
  terminal.type('level:warn');
  await terminal.shows('only level:warn (2)');
  terminal.keys('Enter');
  await terminal.hides('served');
  await terminal.shows('ERROR: a needle in the hay');
  await terminal.shows('WARN slow');
  terminal.keys('Escape');
  await terminal.hides('only level:warn');
  terminal.keys('x');
  await terminal.shows('/level:error (1 of 1)');
});

test('a service is restarted, stopped after a yes, and started; the screen names the commands', async () => {
  await using terminal = await openUi();
  const state = async (): Promise<unknown> => {
    const {stdout} = await host.tscompose(['ps', '-a', '--format', 'json', 'web']);
    return (JSON.parse(stdout) as {readonly State: string}).State;
  };
  terminal.keys('r');
  await terminal.shows(/✓ tscompose restart web +done/);
  await terminal.shows('1 ← command');
  terminal.keys('s');
  await terminal.shows('Stop web?');
  terminal.keys('n');
  await terminal.hides('Stop web?');
  expect(await state()).toBe('running');
  terminal.keys('s');
  await terminal.shows('Stop web?');
  terminal.keys('y');
  await terminal.shows(/^▸web ± +○ stopped/m);
  await terminal.shows('3/4 up');
  expect(await state()).toBe('exited');
  terminal.keys('s');
  await terminal.shows(/✓ tscompose start web +done/);
  await terminal.shows('4/4 up');
  expect(await state()).toBe('running');
});

test('the log of the instance before this one is shown, also what was written before the screen was opened', async () => {
  expect((await host.tscompose(['restart', 'again'])).code).toBe(0);
  await using terminal = await openUi();
  await terminal.shows('run 2 begins');
  terminal.keys('Down', 'Down', 'P');
  await terminal.shows('previous logs of again');
  await terminal.hides('run 2 begins');
  await terminal.shows('run 1 begins');
  terminal.keys('Escape');
  await terminal.shows('run 2 begins');
  // So is why it was restarted.
  terminal.keys('w');
  await terminal.shows(/restarts +1 .*← restarted by a command/);
  expect(await host.tscompose(['ps', '--why', 'again'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/\n {2}restarts {2}1 {2}.* ← restarted by a command\n$/),
  });
  expect(await host.tscompose(['ps', '--why', '-q'])).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('--why and --quiet cannot be given together'),
  });
});

test('what others do is seen: a restart from another terminal, with its events', async () => {
  await using terminal = await openUi();
  expect((await host.tscompose(['stop', 'web'])).code).toBe(0);
  await terminal.shows(/^▸web ± +○ stopped/m);
  expect((await host.tscompose(['start', 'web'])).code).toBe(0);
  await terminal.shows(/^▸web +● running/m);
  terminal.keys('v');
  // The newest event is shown without the overlay too.
  await terminal.shows(/web +· shop-web-1 was stopped, with code \d+/);
  await terminal.shows('shop-web-1 started');
  // Nothing of it is left once it is closed.
  terminal.keys('Escape');
  await terminal.hides('─ events ─');
  terminal.keys('q');
  await eventually(() => expect(() => terminal.programPid()).toThrow('does not run'));
});
