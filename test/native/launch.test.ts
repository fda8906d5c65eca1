import {existsSync, mkdirSync, readFileSync, readlinkSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {hasKind, TscomposeError} from '../../src/base/errors.ts';
import {helperFailure} from '../../src/engine/helper/reply.ts';
import {eventually} from '../support/host.ts';
import {type LaunchMachine, openLaunchMachine, runToEnd} from './launch-machine.ts';

let machine: LaunchMachine;

beforeAll(async () => {
  machine = await openLaunchMachine();
});

afterAll(async () => {
  await machine.close();
});

const shell = (script: string) => ['sh', '-c', script];

async function failure(promise: Promise<unknown>): Promise<TscomposeError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof TscomposeError) return error;
    throw error;
  }
  throw new Error('nothing went wrong');
}

test('runs a process, keeps its output and its exit code, and leaves nothing', async () => {
  const container = machine.container({words: shell('echo to-out; echo to-err >&2; exit 3')});
  const reply = await container.launch();
  expect(reply.pid).toBeGreaterThan(1);
  const state = await container.ended();
  expect(state).toMatchObject({
    id: container.id,
    status: 'exited',
    exitCode: 3,
    pid: 0,
    error: '',
    restartCount: 0,
    oomKilled: false,
  });
  expect(container.text('stdout')).toBe('to-out\n');
  expect(container.text('stderr')).toBe('to-err\n');
  for (const cgroup of container.cgroups) expect(existsSync(cgroup), cgroup).toBe(false);
  expect(existsSync(container.paths.state)).toBe(false);
});

test('has namespaces, a root and a process table of its own', async () => {
  const {stdout} = await runToEnd(machine, {
    words: shell(
      'hostname; echo $$; ls /; cat /proc/mounts; for n in pid mnt uts ipc cgroup net; do readlink /proc/self/ns/$n; done',
    ),
  });
  const lines = stdout.split('\n');
  expect(lines.slice(0, 2)).toEqual(['box', '1']);
  expect(stdout).toContain('bin\ndev\netc\nhome\nproc\nroot\nsys\ntmp\nvar\n');
  expect(stdout).toMatch(/^overlay \/ overlay rw,/m);
  expect(stdout).toContain('proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0');
  expect(stdout).not.toContain(' /mnt');
  const names = ['pid', 'mnt', 'uts', 'ipc', 'cgroup', 'net'];
  const seen = lines.slice(-names.length - 1, -1);
  expect(seen.map((link) => link.split(':')[0])).toEqual(names);
  for (const [index, name] of names.entries()) expect(seen[index]).not.toBe(readlinkSync(`/proc/self/ns/${name}`));
});

test('is in its cgroups and sees each as the top', async () => {
  const container = machine.container({words: shell('cat /proc/self/cgroup; sleep 30')});
  const {pid} = await container.launch();
  const seen = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  for (const line of seen) expect(line).toContain(container.id);
  const inside = await eventually(() => {
    const lines = container.text().trim().split('\n');
    expect(lines).toHaveLength(seen.length);
    return lines;
  });
  await container.stop({graceMs: 0});
  for (const line of inside) expect(line).toMatch(/^\d+:[^:]*:\/$/);
});

test('has only its three streams open', async () => {
  const {stdout} = await runToEnd(machine, {words: shell('ls /proc/self/fd; readlink /proc/self/fd/0')});
  // The fourth is the directory that ls reads.
  expect(stdout).toBe('0\n1\n2\n3\n/dev/null\n');
});

test('has the capabilities that it was given and nothing inherited', async () => {
  const {stdout} = await runToEnd(machine, {
    words: ['grep', '-E', 'Cap|NoNewPrivs|SigBlk|SigIgn|Umask', '/proc/self/status'],
  });
  expect(stdout).toBe(
    [
      'Umask:\t0022',
      'SigBlk:\t0000000000000000',
      'SigIgn:\t0000000000000000',
      'CapInh:\t0000000000000000',
      'CapPrm:\t00000000a80425fb',
      'CapEff:\t00000000a80425fb',
      'CapBnd:\t00000000a80425fb',
      'CapAmb:\t0000000000000000',
      'NoNewPrivs:\t0',
      '',
    ].join('\n'),
  );
});

describe('terminal', () => {
  test('is the controlling terminal, the console, and of the container', async () => {
    const {stdout} = await runToEnd(machine, {
      words: shell(
        'tty; stat -c "%t" /dev/console; test -t 0 && test -t 2 && echo streams; echo err >&2; ls -1 /dev/pts',
      ),
      tty: true,
    });
    expect(stdout.replaceAll('\r', '')).toBe('/dev/pts/0\n88\nstreams\nerr\n0\nptmx\n');
  });

  test('an image cannot redirect the console', async () => {
    const image = join(machine.directory, 'console');
    mkdirSync(join(image, 'dev'), {recursive: true});
    symlinkSync('/etc/passwd', join(image, 'dev/console'));
    const {stdout} = await runToEnd(machine, {
      words: shell('stat -c "%t %F" /dev/console; head -c 4 /etc/passwd'),
      tty: true,
      lowers: [image, machine.rootfs],
    });
    expect(stdout).toContain('88 character special file');
    expect(stdout).toContain('root');
  });
});

describe('init', () => {
  test('reaps, passes signals on and ends as the process does', async () => {
    const container = machine.container({
      words: shell(
        'trap "echo got TERM; exit 42" TERM; echo $$; (sleep 0.1 &) ; cat /proc/1/comm; echo ready; while :; do sleep 0.05; done',
      ),
      monitor: [{kind: 'init'}],
    });
    await container.launch();
    await expect.poll(() => container.text()).toContain('ready');
    await container.stop({graceMs: 10_000});
    expect(await container.ended()).toMatchObject({exitCode: 42, stoppedByUser: true});
    expect(container.text()).toBe('2\ninit\nready\ngot TERM\n');
  });

  test('with a terminal the process has the foreground', async () => {
    const {stdout} = await runToEnd(machine, {
      words: shell('set -m; sleep 0 | cat; echo done; ps -o pid,comm | head -3'),
      tty: true,
      monitor: [{kind: 'init'}],
    });
    expect(stdout).toContain('done');
  });

  test('keeps no descriptors', async () => {
    const {stdout} = await runToEnd(machine, {
      words: shell('ls /proc/1/fd 2>&1 | wc -l; ls /proc/self/fd'),
      monitor: [{kind: 'init'}],
      process: [
        {
          kind: 'capabilities',
          bounding: '3fffffffff',
          effective: '3fffffffff',
          permitted: '3fffffffff',
          inheritable: '0',
          ambient: '0',
        },
      ],
    });
    expect(stdout).toBe('0\n0\n1\n2\n3\n');
  });
});

test('a second monitor of the same container is refused', async () => {
  const container = machine.container({words: ['sleep', '30']});
  await container.launch();
  const error = await failure(container.launch());
  expect(hasKind(error, 'conflict')).toBe(true);
  expect(error.message).toContain('another monitor holds it');
  await container.stop({graceMs: 0});
});

test('thirty launches at once', async () => {
  const containers = Array.from({length: 30}, (_, index) =>
    machine.container({words: shell(`echo ${index}; exit ${index}`)}),
  );
  await Promise.all(containers.map((container) => container.launch()));
  const ends = await Promise.all(containers.map((container) => container.ended(30_000)));
  expect(ends.map((state) => state.exitCode)).toEqual(containers.map((_, index) => index));
  expect(containers.map((container) => container.text())).toEqual(containers.map((_, index) => `${index}\n`));
});

test('a published address in use is a conflict that names it', async () => {
  const {createServer} = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const {port} = server.address() as {port: number};
  try {
    const error = await failure(
      machine
        .container({
          monitor: [
            {
              kind: 'publish',
              protocol: 'tcp',
              hostAddress: '127.0.0.1',
              hostPort: port,
              containerAddress: '172.18.0.2',
              containerPort: 80,
            },
          ],
        })
        .launch(),
    );
    expect(error).toMatchObject({kind: 'conflict', message: `publish tcp 127.0.0.1:${port}: address already in use`});
    expect(helperFailure(error)).toEqual({errno: 'EADDRINUSE', step: `publish tcp 127.0.0.1:${port}`});
  } finally {
    server.close();
  }
});
