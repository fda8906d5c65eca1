import {existsSync, readFileSync, readlinkSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {callMonitor} from '../../src/engine/helper/control.ts';
import {
  type ContainerOptions,
  eventually,
  type LaunchMachine,
  openLaunchMachine,
  type State,
} from './launch-machine.ts';

let machine: LaunchMachine;

beforeAll(async () => {
  machine = await openLaunchMachine();
});
afterAll(async () => {
  await machine.close();
});

const shell = (script: string) => ['sh', '-c', script];

function withPolicy(policy: string, maxRetries: number, script: string, options: ContainerOptions = {}) {
  return machine.container({
    ...options,
    words: shell(script),
    monitor: [{kind: 'restart', policy, maxRetries}, ...(options.monitor ?? [])],
  });
}

describe('policy', () => {
  test.each([
    ['no', 0, 'exit 1', 0, 1],
    ['on-failure', 0, 'exit 0', 0, 0],
    ['on-failure', 2, 'exit 5', 2, 5],
    ['on-failure', 3, 'echo x >> /tmp/n; test $(wc -l < /tmp/n) -ge 3', 2, 0],
  ])('%s with at most %d retries: %s', async (policy, maxRetries, script, restartCount, exitCode) => {
    const container = withPolicy(policy, maxRetries, script);
    await container.launch();
    expect(await container.ended()).toMatchObject({status: 'exited', restartCount, exitCode});
  });

  test.each(['always', 'unless-stopped'])(
    '%s runs again after success and failure, until it is stopped',
    async (policy) => {
      const container = withPolicy(policy, 0, 'echo run; exit 0');
      const {monitor} = await container.launch();
      await eventually(() => (container.state()?.restartCount ?? 0) >= 2);
      expect(container.state()?.monitor).toBe(monitor);
      await container.stop({graceMs: 60_000});
      expect(container.exit()).toMatchObject({status: 'exited', stoppedByUser: true});
      expect(container.text()).toBe('run\n'.repeat((container.exit()?.restartCount ?? 0) + 1));
    },
  );

  test('a container that somebody killed stays ended', async () => {
    const container = withPolicy('always', 0, 'sleep 1000');
    await container.launch();
    await callMonitor(container.paths.control, {kind: 'kill', signal: 'SIGKILL'});
    expect(await container.ended()).toMatchObject({exitCode: 137, restartCount: 0, stoppedByUser: true});
  });

  test('one that is killed between two runs has no other run', async () => {
    const container = withPolicy('always', 0, 'exit 6');
    await container.launch();
    await eventually(() => container.state()?.status === 'restarting' && (container.state()?.restartCount ?? 0) >= 1);
    await callMonitor(container.paths.control, {kind: 'kill', signal: 'SIGKILL'});
    expect(await container.ended()).toMatchObject({status: 'exited', stoppedByUser: true});
  });

  test('one that died of a signal from elsewhere runs again', async () => {
    const container = withPolicy('on-failure', 0, 'sleep 1000');
    const {pid} = await container.launch();
    process.kill(pid, 'SIGKILL');
    await eventually(() => container.state()?.restartCount === 1 && container.state()?.status === 'running');
    await container.stop({graceMs: 0});
  });
});

test('waits longer each time: 100 ms, doubled', async () => {
  const container = withPolicy('always', 0, 'exit 1');
  await container.launch();
  await eventually(() => (container.state()?.restartCount ?? 0) >= 4);
  await container.stop();
  const starts = readFileSync(machine.journal, 'utf8')
    .split('\n')
    .filter((line) => line.includes(container.id))
    .map((line) => JSON.parse(line) as {action: string; time: number});
  const waits: number[] = [];
  for (const [index, event] of starts.entries()) {
    const next = starts[index + 1];
    if (event.action === 'die' && next?.action === 'start') waits.push((next.time - event.time) / 1e6);
  }
  expect(waits.length).toBeGreaterThanOrEqual(4);
  for (const [index, wait] of waits.slice(0, 4).entries()) expect(wait).toBeGreaterThanOrEqual(100 * 2 ** index - 20);
  // A busy machine makes some of them longer, not all.
  expect(waits.slice(0, 4).some((wait, index) => wait < 100 * 2 ** index + 900)).toBe(true);
});

test('network namespace and root survive, processes do not', async () => {
  const container = withPolicy(
    'on-failure',
    1,
    'readlink /proc/self/ns/net; ls /tmp; touch /tmp/kept; sleep 1000 & exit 1',
  );
  await container.launch();
  await container.ended();
  const [first, second, kept] = container.text().trim().split('\n');
  expect(second).toBe(first);
  expect(kept).toBe('kept');
  expect(first).not.toBe(readlinkSync('/proc/self/ns/net'));
});

test('the state between two runs tells of both', async () => {
  const container = withPolicy('always', 0, 'exit 6');
  await container.launch();
  let state: State | undefined;
  await eventually(() => {
    state = container.state();
    return state?.status === 'restarting' && state.restartCount >= 2;
  });
  expect(state).toMatchObject({pid: 0, exitCode: 6, stoppedByUser: false});
  expect(state?.finishedAt).not.toBe('');
  await container.stop();
});

test('a later run that cannot be made ends it, with the reason', async () => {
  const container = withPolicy('always', 0, 'rm /bin/sh; exit 1');
  await container.launch();
  const state = await container.ended();
  expect(state).toMatchObject({
    status: 'exited',
    exitCode: 127,
    error: 'execute "sh": executable file not found in $PATH',
  });
  for (const cgroup of container.cgroups) expect(existsSync(cgroup)).toBe(false);
});

test('a process killed for want of memory is told apart', async () => {
  const script = 'head -c 100000000 /dev/zero | tail -c 90000000 > /dev/null; echo survived';
  const container = machine.container({
    words: shell(script),
    limits: (cgroups) => {
      const version1 = cgroups.find((path) => path.includes('/memory/'));
      const path = version1 ? `${version1}/memory.limit_in_bytes` : `${cgroups[0]}/memory.max`;
      return [{kind: 'cgroupWrite', path, value: '8000000', optional: false}];
    },
  });
  await container.launch();
  expect(await container.ended()).toMatchObject({oomKilled: true, exitCode: 0});
  const actions = machine
    .events()
    .filter(({id}) => id === container.id)
    .map(({action}) => action);
  expect(actions).toEqual(['start', 'oom', 'die']);
});
