import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {TscomposeError} from '../../src/base/errors.ts';
import {type ContainerOptions, eventually, type LaunchMachine, openLaunchMachine, runToEnd} from './launch-machine.ts';

let machine: LaunchMachine;
let sentinel: string;

beforeAll(async () => {
  machine = await openLaunchMachine();
  sentinel = join(machine.directory, 'sentinel');
  mkdirSync(sentinel);
  writeFileSync(join(sentinel, 'secret'), 'of the machine');
});

afterAll(async () => {
  await machine.close();
});

/** Allows everything. */
const openFilter = Buffer.from('06000000' + '0000ff7f', 'hex');

const shell = (script: string) => ['sh', '-c', script];

async function outcome(
  options: ContainerOptions,
): Promise<{readonly error?: TscomposeError; readonly stdout: string; readonly stderr: string}> {
  try {
    return await runToEnd(machine, options);
  } catch (error) {
    if (error instanceof TscomposeError) return {error, stdout: '', stderr: ''};
    throw error;
  }
}

/** A layer over the usual root. */
function image(name: string, make: (directory: string) => void): readonly string[] {
  const directory = join(machine.directory, `image-${name}`);
  rmSync(directory, {recursive: true, force: true});
  mkdirSync(directory, {recursive: true});
  make(directory);
  return [directory, machine.rootfs];
}

test('init can be made to do no more than what it has started', async () => {
  const {stdout} = await runToEnd(machine, {
    words: shell('grep Seccomp: /proc/1/status /proc/self/status'),
    monitor: [{kind: 'init'}],
    process: [{kind: 'seccomp', program: openFilter, flags: 0}, {kind: 'noNewPrivileges'}],
  });
  expect(stdout).toBe('/proc/1/status:Seccomp:\t2\n/proc/self/status:Seccomp:\t2\n');
});

test('a target that is nested too deeply is refused', async () => {
  const container = machine.container({
    mounts: [{kind: 'directory', target: '/x'.repeat(2000), mode: '755', uid: 0, gid: 0}],
  });
  await expect(container.launch()).rejects.toMatchObject({kind: 'invalid'});
});

test('a process with few descriptors can be started', async () => {
  const {stdout} = await runToEnd(machine, {
    words: shell('ulimit -n'),
    process: [{kind: 'rlimit', name: 'nofile', soft: 6, hard: 6}],
  });
  expect(stdout).toBe('6\n');
});

test('the target of a mount that is swapped for a link meanwhile (CVE-2021-30465)', async () => {
  const volume = join(machine.directory, 'volume');
  mkdirSync(join(volume, 'place'), {recursive: true});
  const outside = join(machine.directory, 'outside');
  mkdirSync(outside);
  const swap = execFileSync('which', ['python3'], {encoding: 'utf8'}).trim();
  const {spawn} = await import('node:child_process');
  const script = `
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
os.chdir(${JSON.stringify(volume)})
os.symlink(${JSON.stringify('../'.repeat(20))} + ${JSON.stringify(outside.slice(1))}, 'link')
while True:
    libc.syscall(316 if os.uname().machine == 'x86_64' else 276, -100, b'place', -100, b'link', 2)
`;
  const attacker = spawn(swap, ['-c', script], {stdio: 'ignore'});
  try {
    await eventually(() => readdirSync(volume).includes('link'));
    for (let round = 0; round < 60; round++) {
      const {stdout, error} = await outcome({
        words: shell('cat /volume/place/secret /volume/link/secret 2>/dev/null; grep -c sentinel /proc/self/mountinfo'),
        mounts: [
          {kind: 'bind', source: volume, target: '/volume', flags: 'rec', create: 'directory'},
          {kind: 'bind', source: sentinel, target: '/volume/place', flags: 'rec,ro', create: 'directory'},
        ],
      });
      // Mounted inside, wherever the name led at that moment, or refused: never outside.
      if (!error) expect(stdout).toMatch(/of the machine|^1\n$/);
      expect(readdirSync(outside)).toEqual([]);
    }
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain('sentinel');
  } finally {
    attacker.kill('SIGKILL');
  }
});

describe('an image whose directories are links', () => {
  test.each(['/dev', '/proc', '/sys'])('%s', async (target) => {
    const outside = join(machine.directory, `leads${target.slice(1)}`);
    mkdirSync(outside, {recursive: true});
    const directory = join(machine.directory, `rootfs-${target.slice(1)}`);
    execFileSync('cp', ['-a', machine.rootfs, directory]);
    rmSync(join(directory, target), {recursive: true});
    symlinkSync(`/../../../../../../${outside}`, join(directory, target));
    const {error} = await outcome({words: ['true'], lowers: [directory]});
    expect(error?.message).toContain(`mount ${target}: `);
    expect(readdirSync(outside)).toEqual([]);
  });

  test('a target behind an absolute link stays inside', async () => {
    const lowers = image('absolute', (directory) => symlinkSync(machine.directory, join(directory, 'out')));
    const {stdout} = await outcome({
      words: shell('cat /out/deep/secret; ls -d /out'),
      lowers,
      mounts: [{kind: 'bind', source: sentinel, target: '/out/deep', flags: '', create: 'directory'}],
    });
    expect(stdout).toContain('of the machine');
    expect(existsSync(join(machine.directory, 'deep'))).toBe(false);
  });

  test('a magic link is not followed', async () => {
    const lowers = image('magic', (directory) => symlinkSync('/proc/self/root/tmp', join(directory, 'magic')));
    const {error, stdout} = await outcome({
      words: shell('ls /magic'),
      lowers,
      mounts: [{kind: 'bind', source: sentinel, target: '/magic/x', flags: '', create: 'directory'}],
    });
    expect(error !== undefined || stdout === 'x\n').toBe(true);
    expect(existsSync('/tmp/x/secret')).toBe(false);
  });
});

describe("mounts over the container's /proc (CVE-2019-19921, CVE-2025-52881)", () => {
  test.each([
    ['/proc', '/proc'],
    ['/proc/self/attr', '/proc/self/attr'],
    ['/proc/sys', '/proc/sys'],
    ['a link to it', '/link/sys'],
  ])('%s is refused', async (_, target) => {
    const lowers = image('proc-link', (directory) => symlinkSync('/proc', join(directory, 'link')));
    const {error} = await outcome({
      words: ['true'],
      lowers,
      mounts: [{kind: 'bind', source: sentinel, target, flags: 'rec', create: ''}],
    });
    expect(error).toMatchObject({
      kind: 'forbidden',
      message: `bind ${target}: it is inside the container's /proc`,
      exitCode: 125,
    });
  });

  test('a file that lxcfs stands in for is allowed', async () => {
    const {stdout} = await outcome({
      words: ['cat', '/proc/uptime'],
      mounts: [{kind: 'bind', source: join(sentinel, 'secret'), target: '/proc/uptime', flags: '', create: ''}],
    });
    expect(stdout).toBe('of the machine');
  });
});

test("a masked path is covered with the machine's null device, whatever the image has at /dev/null (CVE-2025-31133)", async () => {
  const container = machine.container({
    words: shell(
      'cat /proc/timer_list; stat -c "%t:%T" /proc/timer_list; echo overwritten > /proc/timer_list && echo harmless; cat /etc/passwd | head -c 4',
    ),
    mounts: [
      {kind: 'symlink', value: '/etc/passwd', target: '/dev/null-link'},
      {kind: 'mask', target: '/proc/timer_list'},
    ],
  });
  await container.launch();
  await container.ended();
  expect(container.text()).toBe('1:3\nharmless\nroot');
});

describe('user files that are traps (CVE-2024-9676, CVE-2022-1227)', () => {
  const trap = (name: string, make: (path: string) => void, file = 'passwd') =>
    image(name, (directory) => {
      mkdirSync(join(directory, 'etc'));
      make(join(directory, 'etc', file));
    });

  test.each([
    ['a pipe', (path: string) => void execFileSync('mkfifo', [path])],
    ['a link to /dev/zero', (path: string) => symlinkSync('/dev/zero', path)],
    ['a link to the machine', (path: string) => symlinkSync('../../../../../../../../etc/passwd', path)],
    ['a directory', (path: string) => void mkdirSync(path)],
    ['a device', (path: string) => void execFileSync('mknod', [path, 'c', '1', '5'])],
    ['huge', (path: string) => void execFileSync('truncate', ['-s', '1T', path])],
  ])('%s', async (name, make) => {
    const started = Date.now();
    const {error} = await outcome({
      words: ['true'],
      lowers: trap(`trap-${name.replaceAll(/\W/g, '-')}`, make),
      process: [{kind: 'user', user: 'app'}],
    });
    expect(error?.message).toMatch(/^read \/etc\/passwd of the container: /);
    expect(Date.now() - started).toBeLessThan(30_000);
  });

  test('a group file', async () => {
    const {error} = await outcome({
      words: ['true'],
      lowers: trap('trap-group', (path) => void execFileSync('mkfifo', [path]), 'group'),
      process: [{kind: 'user', user: 'app'}],
    });
    expect(error?.message).toMatch(/^read \/etc\/group of the container: /);
  });

  test('nonsense lines are passed over', async () => {
    const lowers = trap('nonsense', (path) =>
      writeFileSync(
        path,
        `\n:::\napp\napp:x\napp:x:-1:0:::\napp:x:0x10:0:::\napp:x:99999999999999999999:0:::\napp:x:4294967296:0::/:\n${'a'.repeat(100_000)}\napp:x:1000:1000::/home/app:/bin/sh\n`,
      ),
    );
    const {stdout} = await outcome({words: ['id', '-u'], lowers, process: [{kind: 'user', user: 'app'}]});
    expect(stdout).toBe('1000\n');
  });
});

test('nothing of the environment or of the plan is seen on the machine', async () => {
  const container = machine.container({
    words: ['sleep', '1000'],
    process: [{kind: 'env', variables: ['PATH=/bin', 'PASSWORD=correct-horse']}],
  });
  const {monitor, pid} = await container.launch();
  for (const process of [monitor]) {
    expect(readFileSync(`/proc/${process}/environ`, 'utf8')).toBe('');
    expect(readFileSync(`/proc/${process}/cmdline`, 'utf8')).toBe('tscompose-helper\0monitor\0');
  }
  expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toBe('sleep\u00001000\0');
  for (const path of [container.paths.state, machine.journal])
    expect(readFileSync(path, 'utf8')).not.toContain('correct-horse');
  await container.stop({graceMs: 0});
});

test("the session keyring is the container's own", async () => {
  const container = machine.container({words: ['cat', '/proc/keys']});
  await container.launch();
  await container.ended();
  // A long name is cut in this list.
  expect(container.text()).toMatch(new RegExp(`keyring +${container.id.slice(0, 40)}`));
});

test("an unprivileged process cannot reach its init or the machine's processes", async () => {
  const {stdout} = await runToEnd(machine, {
    words: shell(
      'ls /proc/1/fd 2>&1 | tail -1; readlink /proc/1/exe 2>&1; cat /proc/1/mem 2>&1 | head -c 10; ps | wc -l; kill -9 1 2>&1; echo alive',
    ),
    monitor: [{kind: 'init'}],
    process: [{kind: 'user', user: 'app'}],
  });
  expect(stdout).not.toContain('memfd');
  expect(stdout).toContain('ermission denied');
  expect(stdout).toContain('alive');
});
