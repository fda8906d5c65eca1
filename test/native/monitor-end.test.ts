import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {callMonitor} from '../../src/engine/helper/control.ts';
import {type Container, eventually, type LaunchMachine, openLaunchMachine, runToEnd} from './launch-machine.ts';

let machine: LaunchMachine;

beforeAll(async () => {
  machine = await openLaunchMachine();
});

afterAll(async () => {
  await machine.close();
});

/** Ends at SIGTERM, which a process 1 without a handler never sees. */
const _patient = ['sh', '-c', 'trap "exit 143" TERM; while :; do sleep 0.05; done'];
const shell = (script: string) => ['sh', '-c', script];
const _text = (payload: Uint8Array) => Buffer.from(payload).toString();

function isAlive(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function children(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

/** Waits until a monitor that was killed is gone: a signal takes a moment. */
async function lockIsFree(container: Container): Promise<void> {
  await eventually(async () => {
    const lock = await machine.helper.tryLock(container.paths.lock);
    await lock?.[Symbol.asyncDispose]();
    return lock !== undefined;
  });
}

describe('stop and kill', () => {
  test('the signal, then SIGKILL after the grace period', async () => {
    const container = machine.container({
      words: shell('trap "echo ignored" TERM; echo ready; while :; do sleep 0.1; done'),
    });
    await container.launch();
    await eventually(() => container.text().includes('ready'));
    const started = Date.now();
    await container.stop({graceMs: 3000});
    expect(Date.now() - started).toBeGreaterThan(2900);
    // Answered when everything is over.
    expect(container.exit()).toMatchObject({status: 'exited', exitCode: 137, stoppedByUser: true});
    expect(existsSync(container.paths.control)).toBe(false);
    expect(container.text()).toBe('ready\nignored\n');
  });

  test('a process that ends at the signal ends the wait', async () => {
    const container = machine.container({words: shell('trap "exit 5" USR1; echo ready; while :; do sleep 0.05; done')});
    await container.launch();
    await eventually(() => container.text().includes('ready'));
    const started = Date.now();
    await container.stop({signal: 'SIGUSR1', graceMs: 60_000});
    expect(Date.now() - started).toBeLessThan(55_000);
    expect(container.exit()).toMatchObject({exitCode: 5});
  });

  test('kill sends any signal and says so', async () => {
    const container = machine.container({
      words: shell('trap "echo hup" HUP; echo ready; while :; do sleep 0.05; done'),
    });
    await container.launch();
    await eventually(() => container.text().includes('ready'));
    await callMonitor(container.paths.control, {kind: 'kill', signal: 'HUP'});
    await eventually(() => container.text().includes('hup'));
    await expect(callMonitor(container.paths.control, {kind: 'kill', signal: 'NONSENSE'})).rejects.toMatchObject({
      kind: 'invalid',
      message: 'kill: no such signal',
    });
    await callMonitor(container.paths.control, {kind: 'kill', signal: '9'});
    expect(await container.ended()).toMatchObject({exitCode: 137, stoppedByUser: true});
    const events = machine.events().filter(({id}) => id === container.id);
    expect(events.map(({action}) => action)).toEqual(['start', 'kill', 'kill', 'die']);
    expect(events[1]?.attributes).toEqual({name: 'test', signal: '1'});
    expect(events[3]?.attributes).toMatchObject({name: 'test', exitCode: '137'});
  });

  test('what the process left running goes with it', async () => {
    const container = machine.container({words: shell('sleep 1000 & sleep 1000 & echo $!; exit 0')});
    await container.launch();
    await container.ended();
    for (const cgroup of container.cgroups) expect(existsSync(cgroup)).toBe(false);
  });
});

test('files named for cleaning up are gone', async () => {
  const lease = join(machine.directory, 'lease');
  writeFileSync(lease, '');
  await runToEnd(machine, {
    words: ['true'],
    monitor: [
      {kind: 'cleanup', path: lease},
      {kind: 'cleanup', path: '/no/such/file'},
    ],
  });
  expect(existsSync(lease)).toBe(false);
});

describe('a monitor that is killed', () => {
  test.each([false, true])(
    'takes its container along (init %s), and the next launch finds everything free',
    async (init) => {
      const container = machine.container({
        words: shell('sleep 1000 & sleep 1000 & wait'),
        monitor: init ? [{kind: 'init'}] : [],
      });
      const {pid, monitor} = await container.launch();
      const inside = readFileSync(`${container.cgroups[0]}/cgroup.procs`, 'utf8').trim().split('\n').map(Number);
      expect(inside).toContain(pid);
      process.kill(monitor, 'SIGKILL');
      await eventually(() => inside.every((process) => !isAlive(process)));
      await lockIsFree(container);
      const again = await container.launch();
      expect(again.monitor).not.toBe(monitor);
      expect(container.state()).toMatchObject({status: 'running', pid: again.pid});
      await container.stop({graceMs: 0});
      for (const cgroup of container.cgroups) expect(existsSync(cgroup)).toBe(false);
    },
  );

  test('takes along a first process that has changed its user, and its own helpers', async () => {
    // As gosu does: the change takes the parent-death signal away.
    const container = machine.container({
      words: ['setpriv', 'sleep', '1000'],
      lowers: [join(machine.directory, 'image-setpriv'), machine.rootfs],
    });
    mkdirSync(join(machine.directory, 'image-setpriv/bin'), {recursive: true});
    const source = join(machine.directory, 'setpriv.c');
    writeFileSync(
      source,
      '#include <unistd.h>\nint main(int c, char **v) { return c > 1 && setgid(1001) == 0 && setuid(1000) == 0 ? execvp(v[1], v + 1) : 1; }\n',
    );
    execFileSync('cc', ['-static', '-o', join(machine.directory, 'image-setpriv/bin/setpriv'), source]);
    const {pid, monitor} = await container.launch();
    await eventually(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep'));
    await eventually(() => children(monitor).length === 2);
    const family = children(monitor);
    process.kill(monitor, 'SIGKILL');
    await eventually(() => family.every((process) => !isAlive(process)));
    await lockIsFree(container);
    await container.launch();
    await container.stop({graceMs: 0});
  });

  test('keeps what was written to the log', async () => {
    const container = machine.container({words: shell('seq 1 20000; echo end; sleep 1000')});
    const {monitor} = await container.launch();
    await eventually(() => container.text().endsWith('end\n'));
    process.kill(monitor, 'SIGKILL');
    expect(container.text().split('\n')).toHaveLength(20_002);
    await lockIsFree(container);
    await container.launch();
    await container.stop({graceMs: 0});
  });

  test('asked to end by the machine, it stops the container and forgets no policy', async () => {
    const container = machine.container({
      words: shell('trap "exit 0" TERM; echo ready; while :; do sleep 0.05; done'),
      monitor: [{kind: 'restart', policy: 'always', maxRetries: 0}],
    });
    const {monitor} = await container.launch();
    await eventually(() => container.text().includes('ready'));
    process.kill(monitor, 'SIGTERM');
    expect(await container.ended()).toMatchObject({exitCode: 0, stoppedByUser: false, restartCount: 0});
  });
});
