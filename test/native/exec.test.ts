import {readFileSync, readlinkSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {callMonitor, openFrames} from '../../src/engine/helper/control.ts';
import {encodeFrame, frameTypes} from '../../src/engine/helper/frames.ts';
import {encodeOperations, type SetupOperation} from '../../src/engine/helper/operations.ts';
import {type Container, eventually, type LaunchMachine, openLaunchMachine} from './launch-machine.ts';

let machine: LaunchMachine;
let container: Container;

beforeAll(async () => {
  machine = await openLaunchMachine();
  container = machine.container({
    words: ['sleep', '1000'],
    process: [
      {kind: 'env', variables: ['PATH=/bin', 'FROM_PLAN=yes']},
      {kind: 'rlimit', name: 'nofile', soft: 222, hard: 333},
      {kind: 'workdir', target: '/tmp'},
    ],
  });
  await container.launch();
});
afterAll(async () => {
  await machine.close();
});

interface ExecOptions {
  readonly tty?: boolean;
  readonly stdin?: boolean;
  readonly operations?: readonly SetupOperation[];
  readonly rows?: number;
  readonly columns?: number;
  readonly id?: string;
}

const anyId = 'a'.repeat(64);

const text = (payload: Uint8Array) => Buffer.from(payload).toString();

async function open(words: readonly string[], options: ExecOptions = {}, where = container) {
  return await openFrames<{ok: boolean; pid: number}>(where.paths.control, {
    kind: 'exec',
    tty: options.tty ?? false,
    stdin: options.stdin ?? false,
    rows: options.rows ?? 0,
    columns: options.columns ?? 0,
    operations: encodeOperations([...(options.operations ?? []), {kind: 'argv', words}]),
    id: options.id ?? anyId,
  });
}

interface Received {
  stdout: string;
  stderr: string;
  exitCode: number | undefined;
}

const nothing = (): Received => ({stdout: '', stderr: '', exitCode: undefined});

async function finish(session: Awaited<ReturnType<typeof open>>, received = nothing()) {
  for await (const {type, payload} of session.frames) {
    if (type === frameTypes.stdout) received.stdout += text(payload);
    if (type === frameTypes.stderr) received.stderr += text(payload);
    if (type === frameTypes.exit) received.exitCode = (JSON.parse(text(payload)) as {exitCode: number}).exitCode;
  }
  return received;
}

const run = async (words: readonly string[], options: ExecOptions = {}) => finish(await open(words, options));
const shell = (script: string) => ['sh', '-c', script];

test('runs in the container, with the output of each stream and the exit code', async () => {
  expect(await run(shell('hostname; echo err >&2; exit 9'))).toEqual({stdout: 'box\n', stderr: 'err\n', exitCode: 9});
});

test('shares namespaces and cgroups with the container, and its confinement', async () => {
  const {stdout} = await run(
    shell(
      'for n in pid mnt uts ipc net cgroup; do readlink /proc/self/ns/$n; done; readlink /proc/1/ns/mnt; cat /proc/self/cgroup; ulimit -n; echo $FROM_PLAN; pwd; cat /proc/self/oom_score_adj; grep -E "Cap(Eff|Bnd)" /proc/self/status',
    ),
  );
  const pid = container.state()?.pid;
  const lines = stdout.split('\n');
  expect(lines.slice(0, 6)).toEqual(
    ['pid', 'mnt', 'uts', 'ipc', 'net', 'cgroup'].map((name) => readlinkSync(`/proc/${pid}/ns/${name}`)),
  );
  for (const line of lines.filter((line) => /^\d+:/.test(line))) expect(line).toMatch(/:\/$/);
  expect(stdout).toContain('\n222\nyes\n/tmp\n0\nCapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\n');
});

test('lays its own settings over the plan', async () => {
  const {stdout} = await run(shell('id -u; id -G; pwd; echo $HOME-$OWN-$FROM_PLAN; grep CapEff /proc/self/status'), {
    operations: [
      {kind: 'user', user: 'app'},
      {kind: 'workdir', target: '/var'},
      {kind: 'env', variables: ['PATH=/bin', 'OWN=1']},
      {
        kind: 'capabilities',
        bounding: 'a80425fb',
        effective: 'a80425fb',
        permitted: 'a80425fb',
        inheritable: '0',
        ambient: '0',
      },
    ],
  });
  expect(stdout).toBe('1000\n1001 29 44\n/var\n/home/app-1-\nCapEff:\t0000000000000000\n');
});

test('has only its three streams open', async () => {
  expect((await run(['ls', '/proc/self/fd'])).stdout).toBe('0\n1\n2\n3\n');
  expect((await run(['ls', '-1', '/proc/self/fd'], {tty: true})).stdout).toBe('0\r\n1\r\n2\r\n3\r\n');
});

describe('input', () => {
  test('is carried to the process, and its end too', async () => {
    const session = await open(['cat'], {stdin: true});
    const done = finish(session);
    const data = 'x'.repeat(700_000);
    for (let at = 0; at < data.length; at += 100_000)
      await session.write(encodeFrame(frameTypes.stdin, Buffer.from(data.slice(at, at + 100_000))));
    await session.write(encodeFrame(frameTypes.endOfInput));
    const {stdout, exitCode} = await done;
    expect(stdout.length).toBe(data.length);
    expect(exitCode).toBe(0);
  });

  test('without it the process sees the end at once', async () => {
    expect(await run(['cat'])).toEqual({stdout: '', stderr: '', exitCode: 0});
  });

  test('a process that does not read it holds nothing up', async () => {
    const session = await open(shell('sleep 0.3; echo done'), {stdin: true});
    const done = finish(session);
    await session.write(encodeFrame(frameTypes.stdin, Buffer.alloc(500_000)));
    expect(await done).toMatchObject({stdout: 'done\n', exitCode: 0});
  });
});

describe('terminal', () => {
  test('is one of the container, with size and resize', async () => {
    const session = await open(shell('tty; stty size; read x; stty size; test -t 2 && echo yes'), {
      tty: true,
      stdin: true,
      rows: 33,
      columns: 99,
    });
    const seen = nothing();
    const done = finish(session, seen);
    await eventually(() => seen.stdout.includes('33 99'));
    await session.write(encodeFrame(frameTypes.resize, Buffer.from('44 111')));
    await session.write(encodeFrame(frameTypes.stdin, Buffer.from('\n')));
    const {stdout, exitCode} = await done;
    expect(stdout.replaceAll('\r', '')).toBe('/dev/pts/0\n33 99\n\n44 111\nyes\n');
    expect(exitCode).toBe(0);
  });

  test('ctrl-c reaches the process', async () => {
    const session = await open(shell('echo ready; sleep 100'), {tty: true, stdin: true});
    const seen = nothing();
    const done = finish(session, seen);
    await eventually(() => seen.stdout.includes('ready'));
    await session.write(encodeFrame(frameTypes.stdin, Buffer.from('\u0003')));
    expect((await done).exitCode).toBe(130);
  });

  test('nothing of a long output is lost at the end', async () => {
    const {stdout} = await run(['seq', '1', '20000'], {tty: true});
    expect(stdout).toBe(Array.from({length: 20_000}, (_, index) => `${index + 1}\r\n`).join(''));
  });
});

describe('a program that cannot be executed', () => {
  test.each([
    [['no-such-program'], 127, 'execute "no-such-program": executable file not found in $PATH'],
    [['/etc/passwd'], 126, 'execute "/etc/passwd": permission denied'],
    [['/tmp'], 126, 'execute "/tmp": is a directory'],
  ])('%j is refused with %d', async (words, exitCode, message) => {
    await expect(open(words)).rejects.toMatchObject({exitCode, message});
  });

  test('a working directory that is not there', async () => {
    await expect(open(['true'], {operations: [{kind: 'workdir', target: '/no/such'}]})).rejects.toMatchObject({
      message: 'working directory /no/such: no such file or directory',
      exitCode: 127,
    });
  });

  test.each(['1000x', '-1', '4294967296', 'nobody-here'])('user %s', async (user) => {
    await expect(open(['id'], {operations: [{kind: 'user', user}]})).rejects.toMatchObject({
      kind: 'invalid',
      exitCode: 125,
    });
  });
});

test('a lost client does not end the process', async () => {
  const session = await open(
    shell('sleep 0.5; echo survived > /tmp/survived; seq 1 100000; echo all >> /tmp/survived'),
  );
  session.destroy();
  await eventually(async () => (await run(['cat', '/tmp/survived'])).stdout === 'survived\nall\n');
});

test('what it leaves running does not hold it up', async () => {
  const started = Date.now();
  expect(await run(shell('sleep 60 & echo started'))).toEqual({stdout: 'started\n', stderr: '', exitCode: 0});
  expect(Date.now() - started).toBeLessThan(30_000);
});

test('a slow reader holds the process back and loses nothing', async () => {
  const session = await open(['seq', '1', '400000']);
  await new Promise((resolve) => setTimeout(resolve, 400));
  const {stdout} = await finish(session);
  expect(stdout.length).toBe(2_688_895);
});

test('twenty at once', async () => {
  const results = await Promise.all(Array.from({length: 20}, (_, index) => run(shell(`echo ${index}; exit ${index}`))));
  expect(results).toEqual(
    Array.from({length: 20}, (_, index) => ({stdout: `${index}\n`, stderr: '', exitCode: index})),
  );
});

test('its end is an event', async () => {
  const id = '0123456789abcdef'.repeat(4);
  await run(shell('exit 21'), {id});
  await eventually(() =>
    machine
      .events()
      .some(
        ({action, attributes}) =>
          action === 'exec_die' && attributes['exitCode'] === '21' && attributes['execID'] === id,
      ),
  );
});

test.each(['', 'a'.repeat(63), 'a'.repeat(65), `"${'a'.repeat(63)}`])('an id like %j is refused', async (id) => {
  await expect(open(['true'], {id})).rejects.toMatchObject({kind: 'invalid'});
});

test('is refused once the container has stopped', async () => {
  const short = machine.container({words: ['false'], monitor: [{kind: 'restart', policy: 'always', maxRetries: 0}]});
  await short.launch();
  // After the fifth run it waits 3.2 seconds.
  await eventually(() => short.state()?.status === 'restarting' && (short.state()?.restartCount ?? 0) >= 5);
  // Whoever comes too late for it meets another run, and tries again.
  const refusal = async () => {
    try {
      (await open(['true'], {}, short)).destroy();
    } catch (error) {
      return error;
    }
    return undefined;
  };
  await expect.poll(refusal).toMatchObject({kind: 'conflict', message: 'exec: the container is not running'});
  await short.stop();
});

test('ends with the container, and says so', async () => {
  const other = machine.container({words: ['sleep', '1000']});
  await other.launch();
  const session = await open(['sleep', '1000'], {}, other);
  const done = finish(session);
  await callMonitor(other.paths.control, {kind: 'kill', signal: 'KILL'});
  expect((await done).exitCode).toBe(137);
  await other.ended();
});

test('ends with a monitor that is killed', async () => {
  const other = machine.container({words: ['sleep', '1000']});
  const {monitor} = await other.launch();
  const session = await open(['sleep', '1000'], {}, other);
  const {pid} = session.first;
  process.kill(monitor, 'SIGKILL');
  await eventually(() => {
    try {
      return /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return true;
    }
  });
  session.destroy();
});
