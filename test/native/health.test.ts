import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type Container, eventually, type LaunchMachine, openLaunchMachine} from './launch-machine.ts';

let machine: LaunchMachine;

beforeAll(async () => {
  machine = await openLaunchMachine();
});
afterAll(async () => {
  await machine.close();
});

interface Probe {
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  readonly startPeriodMs?: number;
  readonly startIntervalMs?: number;
  readonly retries?: number;
  readonly words: readonly string[];
}

const shell = (script: string) => ['sh', '-c', script];

async function start(probe: Probe, words: readonly string[] = ['sleep', '1000']): Promise<Container> {
  const container = machine.container({
    words,
    monitor: [
      {
        kind: 'health',
        intervalMs: 100,
        timeoutMs: 60_000,
        startPeriodMs: 0,
        startIntervalMs: 50,
        retries: 3,
        restart: false,
        ...probe,
      },
    ],
  });
  await container.launch();
  return container;
}

const health = (container: Container) => container.state()?.health;
const changes = (container: Container) =>
  machine
    .events()
    .filter(({id, action}) => id === container.id && action.startsWith('health_status'))
    .map(({action}) => action);

/** Makes an empty file in the container. */
const touch = (container: Container, path: string) => writeFileSync(`/proc/${container.state()?.pid}/root${path}`, '');

test('starts as starting, becomes healthy, and says so once', async () => {
  const container = await start({
    words: shell('until test -e /tmp/go; do sleep 0.02; done; echo fine; hostname'),
  });
  expect(health(container)).toEqual({status: 'starting', failingStreak: 0, log: []});
  touch(container, '/tmp/go');
  await eventually(() => (health(container)?.log.length ?? 0) >= 3);
  expect(health(container)).toMatchObject({status: 'healthy', failingStreak: 0});
  expect(health(container)?.log[0]).toMatchObject({exitCode: 0, output: 'fine\nbox\n'});
  expect(changes(container)).toEqual(['health_status: healthy']);
  await container.stop({graceMs: 0});
});

test('becomes unhealthy after the number of retries, and healthy again', async () => {
  // The fourth waits until it is looked at what the three made.
  const container = await start({
    words: shell(
      'echo x >> /tmp/n; test $(wc -l < /tmp/n) -le 3 || until test -f /tmp/good; do sleep 0.02; done; test -f /tmp/good || { echo bad >&2; exit 3; }',
    ),
  });
  await eventually(() => health(container)?.status === 'unhealthy');
  expect(health(container)?.log).toHaveLength(3);
  expect(health(container)?.log.at(-1)).toMatchObject({exitCode: 3, output: 'bad\n'});
  expect(health(container)?.failingStreak).toBe(3);
  touch(container, '/tmp/good');
  await eventually(() => health(container)?.status === 'healthy');
  expect(health(container)?.failingStreak).toBe(0);
  await eventually(() => changes(container).length >= 2);
  expect(changes(container)).toEqual(['health_status: unhealthy', 'health_status: healthy']);
  await container.stop({graceMs: 0});
});

test('keeps the last five results', async () => {
  const container = await start({intervalMs: 20, words: shell('echo x >> /tmp/n; wc -l < /tmp/n')});
  await eventually(() => Number(health(container)?.log.at(-1)?.output ?? 0) >= 7);
  const numbers = health(container)?.log.map(({output}) => Number(output)) ?? [];
  expect(numbers).toHaveLength(5);
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
  await container.stop({graceMs: 0});
});

test('failures in the start period do not count, and it probes at its own interval', async () => {
  const startPeriodMs = 8000;
  const container = await start({intervalMs: 60_000, startPeriodMs, startIntervalMs: 50, retries: 2, words: ['false']});
  const begun = Date.parse(container.state()?.startedAt ?? '');
  await eventually(() => (health(container)?.log.length ?? 0) >= 3);
  expect(health(container)).toMatchObject({status: 'starting', failingStreak: 0});
  await new Promise((resolve) => setTimeout(resolve, begun + startPeriodMs + 2500 - Date.now()));
  // Afterwards the next one is a minute away: at most the one that was due by then began a moment late.
  const late = health(container)?.log.filter(({start}) => Date.parse(start) > begun + startPeriodMs + 1000);
  expect(late?.length).toBeLessThanOrEqual(1);
  await container.stop({graceMs: 0});
});

test('a success in the start period ends it', async () => {
  const container = await start({
    intervalMs: 50,
    startPeriodMs: 60_000,
    startIntervalMs: 20,
    retries: 2,
    words: shell('test -e /tmp/once && exit 1; touch /tmp/once'),
  });
  await eventually(() => health(container)?.status === 'unhealthy');
  await eventually(() => changes(container).length >= 2);
  expect(changes(container)).toEqual(['health_status: healthy', 'health_status: unhealthy']);
  await container.stop({graceMs: 0});
});

test('one that takes too long is killed with what it started', async () => {
  const container = await start({timeoutMs: 2000, retries: 1, words: shell('echo begun; sleep 1234; echo never')});
  await eventually(() => health(container)?.status === 'unhealthy');
  const exceeded = 'Health check exceeded timeout (2s)';
  expect(health(container)?.log[0]).toMatchObject({exitCode: -1, output: expect.stringContaining(exceeded)});
  // Where the machine is busy, one may be killed before it says anything.
  await eventually(() => health(container)?.log.some(({output}) => output === `${exceeded}: begun\n`) === true);
  await eventually(() => (health(container)?.log.length ?? 0) >= 2);
  const sleepers = () =>
    readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid))
      .filter((pid) => {
        try {
          return (
            readFileSync(`/proc/${pid}/cmdline`, 'utf8') === 'sleep\u00001234\u0000' &&
            readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(container.id)
          );
        } catch {
          return false;
        }
      });
  await eventually(() => sleepers().length <= 1);
  await container.stop({graceMs: 0});
});

test('output is cut', async () => {
  const container = await start({words: shell('printf %05000d 0')});
  await eventually(() => (health(container)?.log.length ?? 0) >= 1);
  const output = health(container)?.log[0]?.output ?? '';
  expect(output).toBe(`${'0'.repeat(4096)}...`);
  await container.stop({graceMs: 0});
});

test('one that leaves something running with its output open does not hang', async () => {
  const container = await start({words: shell('sleep 1000 & echo started')});
  await eventually(() => health(container)?.status === 'healthy');
  expect(health(container)?.log[0]).toMatchObject({exitCode: 0, output: 'started\n'});
  await container.stop({graceMs: 0});
});

test('one that cannot be executed says why', async () => {
  const container = await start({retries: 1, words: ['no-such-probe']});
  await eventually(() => health(container)?.status === 'unhealthy');
  expect(health(container)?.log[0]).toMatchObject({
    exitCode: 127,
    output: 'execute "no-such-probe": executable file not found in $PATH',
  });
  await container.stop({graceMs: 0});
});

describe('confinement', () => {
  test("a probe is the container's user, with its capabilities and cgroups", async () => {
    const container = machine.container({
      words: ['sleep', '1000'],
      monitor: [
        {
          kind: 'health',
          intervalMs: 50,
          timeoutMs: 60_000,
          startPeriodMs: 0,
          startIntervalMs: 50,
          retries: 1,
          restart: false,
          words: shell(
            'id -u; grep CapEff /proc/self/status; ls /proc/self/fd | wc -l; cat /proc/self/cgroup | grep -vc ":/$"; echo $HOME',
          ),
        },
      ],
      process: [{kind: 'user', user: 'app'}],
    });
    await container.launch();
    await eventually(() => (health(container)?.log.length ?? 0) >= 1);
    expect(health(container)?.log[0]?.output).toBe('1000\nCapEff:\t0000000000000000\n4\n0\n/home/app\n');
    await container.stop({graceMs: 0});
  });
});

test('stopping in the middle of a probe waits for nothing', async () => {
  const container = await start({intervalMs: 10, timeoutMs: 500_000, words: ['sleep', '500']});
  await eventually(() => readFileSync(`${container.cgroups[0]}/cgroup.procs`, 'utf8').trim().split('\n').length === 2);
  const started = Date.now();
  await container.stop({graceMs: 0});
  expect(Date.now() - started).toBeLessThan(30_000);
});

test('a restart begins anew', async () => {
  const container = machine.container({
    // Ends after two probes: what the first one found is known when the second one begins.
    words: shell(': >/probes; until test $(wc -l </probes) -ge 2; do sleep 0.02; done; exit 1'),
    monitor: [
      {kind: 'restart', policy: 'always', maxRetries: 0},
      {
        kind: 'health',
        intervalMs: 30,
        timeoutMs: 60_000,
        startPeriodMs: 0,
        startIntervalMs: 50,
        retries: 1,
        restart: false,
        words: shell('echo >>/probes'),
      },
    ],
  });
  await container.launch();
  await eventually(() => changes(container).length >= 2);
  expect(changes(container).slice(0, 2)).toEqual(['health_status: healthy', 'health_status: healthy']);
  await container.stop({graceMs: 0});
});

describe('a run that is unhealthy', () => {
  const events = (container: Container) => machine.events().filter(({id}) => id === container.id);
  const actions = (container: Container) => events(container).map(({action}) => action);
  const patience = {kind: 'stop', signal: 'SIGTERM', graceMs: 60_000} as const;

  test.each([
    ['no', 0],
    ['on-failure', 0],
    ['always', 0],
  ])('is ended and begun anew where that is asked, with the policy %s', async (policy, maxRetries) => {
    const container = machine.container({
      // Ends well when it is asked to, and is healthy from its second run on.
      words: shell('trap "rm /begun; exit 0" TERM; echo >>/runs; touch /begun; while :; do sleep 0.02; done'),
      monitor: [
        patience,
        {kind: 'restart', policy, maxRetries},
        {
          ...{kind: 'health', intervalMs: 30, timeoutMs: 60_000, startPeriodMs: 0, startIntervalMs: 30, retries: 2},
          restart: true,
          words: shell('until test -e /begun; do sleep 0.02; done; test $(wc -l </runs) -gt 1'),
        },
      ],
    });
    await container.launch();
    await eventually(() => changes(container).includes('health_status: healthy'));
    expect(actions(container)).toEqual(['start', 'health_status: unhealthy', 'die', 'start', 'health_status: healthy']);
    const die = events(container).find(({action}) => action === 'die');
    expect(die?.attributes).toMatchObject({exitCode: '0', cause: 'unhealthy'});
    expect(container.state()).toMatchObject({status: 'running', restartCount: 1});
    await container.stop({graceMs: 0});
  });

  test('is not while it starts up, and no more often than the policy allows', async () => {
    const container = machine.container({
      words: shell('trap "exit 0" TERM; while :; do sleep 0.02; done'),
      monitor: [
        {kind: 'restart', policy: 'on-failure', maxRetries: 1},
        {
          ...{kind: 'health', intervalMs: 30, timeoutMs: 60_000, startPeriodMs: 2000, startIntervalMs: 20, retries: 1},
          restart: true,
          words: ['false'],
        },
      ],
    });
    await container.launch();
    const ended = await container.ended();
    expect(actions(container)).toEqual([
      ...['start', 'health_status: unhealthy', 'die'],
      ...['start', 'health_status: unhealthy', 'die'],
    ]);
    // Once, to begin with; and after it was ended, once more.
    expect(ended.health?.log.length).toBeGreaterThan(1);
  });

  test('stays down where somebody stopped it meanwhile', async () => {
    const container = machine.container({
      words: shell('trap "" TERM; while :; do sleep 0.02; done'),
      monitor: [
        patience,
        {kind: 'restart', policy: 'always', maxRetries: 0},
        {
          ...{kind: 'health', intervalMs: 30, timeoutMs: 60_000, startPeriodMs: 0, startIntervalMs: 30, retries: 1},
          restart: true,
          words: ['false'],
        },
      ],
    });
    await container.launch();
    await eventually(() => changes(container).includes('health_status: unhealthy'));
    await container.stop({graceMs: 0});
    await container.ended();
    expect(actions(container).filter((action) => action === 'start')).toEqual(['start']);
  });
});
