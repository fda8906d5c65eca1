import {existsSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {hasKind, TscomposeError} from '../../src/base/errors.ts';
import {helperFailure} from '../../src/engine/helper/reply.ts';
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
  await container.stop({graceMs: 0});
  const inside = container.text().trim().split('\n');
  expect(inside).toHaveLength(seen.length);
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

describe('user', () => {
  const identity = 'id -u; id -g; id -G; echo $HOME; grep CapEff /proc/self/status';
  const withUser = (user: string, groups?: readonly string[]) =>
    runToEnd(machine, {
      words: shell(identity),
      process: [{kind: 'user', user}, ...(groups ? [{kind: 'groups', groups} as const] : [])],
    });

  test.each([
    ['', '0 0 0 /root 00000000a80425fb'],
    ['root', '0 0 0 /root 00000000a80425fb'],
    ['app', '1000 1001 1001,29,44 /home/app 0000000000000000'],
    ['1000', '1000 1001 1001,29,44 /home/app 0000000000000000'],
    ['app:video', '1000 44 44 /home/app 0000000000000000'],
    ['app:4711', '1000 4711 4711 /home/app 0000000000000000'],
    ['4711', '4711 0 0 / 0000000000000000'],
    ['2147483647:2147483647', '2147483647 2147483647 2147483647 / 0000000000000000'],
    [':5', '0 5 5 /root 00000000a80425fb'],
    ['app:', '1000 1001 1001,29,44 /home/app 0000000000000000'],
  ])('%j is %s', async (user, expected) => {
    const {stdout} = await withUser(user);
    const [uid, gid, groups, home, capabilities] = stdout.trim().split('\n');
    expect(`${uid} ${gid} ${groups?.split(' ').join(',')} ${home} ${capabilities?.split('\t')[1]}`).toBe(expected);
  });

  test('further groups come on top', async () => {
    const {stdout} = await withUser('app', ['other', '4711', 'audio']);
    expect(stdout.split('\n')[2]).toBe('1001 29 44 1002 4711');
  });

  test.each([
    ['1000x', "user 1000x: no matching entries in the container's passwd file"],
    ['-1', 'user -1: user and group ids must be in range 0-2147483647'],
    ['4294967296', 'user 4294967296: user and group ids must be in range 0-2147483647'],
    ['2147483648', 'user 2147483648: user and group ids must be in range 0-2147483647'],
    ['0:1000x', "group 1000x: no matching entries in the container's group file"],
    ['0:-1', 'group -1: user and group ids must be in range 0-2147483647'],
  ])('%s is refused', async (user, message) => {
    const container = machine.container({process: [{kind: 'user', user}]});
    const error = await failure(container.launch());
    expect(error).toMatchObject({kind: 'invalid', message, exitCode: 125});
  });

  test('HOME is kept when it is given, and replaced when it is empty', async () => {
    const home = async (value: string) =>
      (
        await runToEnd(machine, {
          words: shell('echo $HOME'),
          process: [{kind: 'env', variables: [`HOME=${value}`, 'PATH=/bin']}],
        })
      ).stdout;
    expect(await home('/elsewhere')).toBe('/elsewhere\n');
    expect(await home('')).toBe('/root\n');
  });
});

describe('program', () => {
  const launchWords = (
    words: readonly string[],
    process: readonly {readonly kind: 'user'; readonly user: string}[] = [],
  ) => failure(machine.container({words, process}).launch());

  beforeAll(() => {
    writeFileSync(join(machine.rootfs, 'bin/plain'), 'no program', {mode: 0o644});
    writeFileSync(join(machine.rootfs, 'bin/garbage'), '\u0001\u0002', {mode: 0o755});
    writeFileSync(join(machine.rootfs, 'bin/orphan'), '#!/no/such/interpreter\n', {mode: 0o755});
    writeFileSync(join(machine.rootfs, 'bin/private'), '#!/bin/sh\n', {mode: 0o700});
  });

  test.each([
    [['no-such-program'], 127, 'notFound', 'execute "no-such-program": executable file not found in $PATH'],
    [['/no/such/program'], 127, 'notFound', 'execute "/no/such/program": no such file or directory'],
    [
      ['/bin/orphan'],
      127,
      'notFound',
      'execute "/bin/orphan": the interpreter or loader that it asks for does not exist',
    ],
    [['/bin/plain'], 126, 'forbidden', 'execute "/bin/plain": permission denied'],
    [['/etc'], 126, 'invalid', 'execute "/etc": is a directory'],
    [['/bin/garbage'], 126, 'invalid', 'execute "/bin/garbage": exec format error'],
    [['plain'], 127, 'notFound', 'execute "plain": executable file not found in $PATH'],
    [[''], 127, 'notFound', 'execute "": executable file not found in $PATH'],
  ])('%j ends with %d', async (words, exitCode, kind, message) => {
    expect(await launchWords(words)).toMatchObject({kind, exitCode, message});
  });

  test('a program that the user may not execute', async () => {
    expect(await launchWords(['/bin/private'], [{kind: 'user', user: 'app'}])).toMatchObject({
      exitCode: 126,
      message: 'execute "/bin/private": permission denied',
    });
  });

  test('leaves its failure in the exit file, and nothing else', async () => {
    const container = machine.container({words: ['no-such-program']});
    const error = await failure(container.launch());
    expect(helperFailure(error)).toEqual({errno: 'ENOENT', step: 'execute "no-such-program"'});
    expect(container.exit()).toMatchObject({status: 'exited', exitCode: 127, startedAt: '', error: error.message});
    expect(container.state()).toBeUndefined();
    for (const cgroup of container.cgroups) expect(existsSync(cgroup), cgroup).toBe(false);
    // Launching again at once finds the lock free.
    expect((await failure(container.launch())).exitCode).toBe(127);
  });

  test.each([
    ['kill -9 $$', 137],
    ['kill -15 $$', 143],
    ['exit 125', 125],
    ['exit 255', 255],
  ])('%s gives %d (under init)', async (script, exitCode) => {
    const {state} = await runToEnd(machine, {words: shell(script), monitor: [{kind: 'init'}]});
    expect(state.exitCode).toBe(exitCode);
  });
});

describe('root file system', () => {
  test('what is written stays in the upper directory', async () => {
    const container = machine.container({words: shell('echo data > /written; rm /etc/group')});
    await container.launch();
    await container.ended();
    expect(readFileSync(join(container.paths.upper, 'written'), 'utf8')).toBe('data\n');
    expect(existsSync(join(machine.rootfs, 'etc/group'))).toBe(true);
  });

  test('read-only: nothing can be written, what is mounted can', async () => {
    const {stdout} = await runToEnd(machine, {
      words: shell(
        'touch /x 2>&1; touch /tmp/x && echo tmp; touch /made/deep/x 2>&1; pwd; grep " / " /proc/mounts | cut -d" " -f4 2>/dev/null | cut -c1-2; grep -c "^overlay / overlay ro," /proc/mounts',
      ),
      mounts: [
        {kind: 'mount', type: 'tmpfs', source: 'tmpfs', target: '/tmp', flags: '', data: ''},
        {kind: 'readonlyRoot'},
      ],
      process: [{kind: 'workdir', target: '/made/deep'}],
    });
    expect(stdout).toContain('touch: /x: Read-only file system');
    expect(stdout).toContain('\ntmp\n');
    expect(stdout).toContain('touch: /made/deep/x: Read-only file system\n/made/deep\n');
    expect(stdout.trim().endsWith('1')).toBe(true);
  });

  test('layers lie over each other, the first on top; strange names do no harm', async () => {
    const top = join(machine.directory, 'to:p,1\\');
    const middle = join(machine.directory, 'middle');
    for (const [path, text] of [
      [top, 'top'],
      [middle, 'middle'],
    ] as const) {
      mkdirSync(join(path, 'layer'), {recursive: true});
      writeFileSync(join(path, 'layer/same'), text);
      writeFileSync(join(path, 'layer', text), '');
    }
    const {stdout} = await runToEnd(machine, {
      words: shell('cat /layer/same; ls /layer'),
      lowers: [top, middle, machine.rootfs],
    });
    expect(stdout).toBe('topmiddle\nsame\ntop\n');
  });

  test('more layers than a page of mount options holds', async () => {
    const layers = Array.from({length: 100}, (_, index) =>
      join(machine.directory, 'many', `${'x'.repeat(60)}-${index}`),
    );
    for (const [index, layer] of layers.entries()) {
      mkdirSync(layer, {recursive: true});
      writeFileSync(join(layer, `file-${index}`), '');
    }
    const {stdout} = await runToEnd(machine, {
      words: shell('ls / | grep -c file-'),
      lowers: [...layers, machine.rootfs],
    });
    expect(stdout).toBe('100\n');
  });

  test('a volatile root can be used again', async () => {
    const container = machine.container({
      words: ['true'],
      overlayOptions: 'volatile',
      monitor: [{kind: 'restart', policy: 'on-failure', maxRetries: 1}],
    });
    await container.launch();
    await container.ended();
    await container.launch();
    expect(await container.ended()).toMatchObject({exitCode: 0});
  });

  test('a missing layer is named', async () => {
    const error = await failure(machine.container({lowers: ['/no/such/layer', machine.rootfs]}).launch());
    expect(error).toMatchObject({
      kind: 'notFound',
      message: 'overlay /no/such/layer: no such file or directory',
      exitCode: 125,
    });
  });
});

describe('mounts', () => {
  test('binds a directory, writable and read-only, and makes the target', async () => {
    const source = join(machine.directory, 'shared');
    mkdirSync(source, {recursive: true});
    writeFileSync(join(source, 'given'), 'given');
    const {stdout} = await runToEnd(machine, {
      words: shell('cat /a/b/given; echo back > /a/b/back; touch /ro/x 2>&1; grep -E " /(a/b|ro) " /proc/mounts'),
      mounts: [
        {kind: 'bind', source, target: '/a/b', flags: 'rec', create: 'auto'},
        {kind: 'bind', source, target: '/ro', flags: 'rec,ro,nosuid', create: 'directory'},
      ],
    });
    expect(stdout).toContain('given');
    expect(stdout).toContain('touch: /ro/x: Read-only file system');
    expect(stdout).toMatch(/ \/a\/b \w+ rw,/);
    expect(stdout).toMatch(/ \/ro \w+ ro,nosuid,/);
    expect(readFileSync(join(source, 'back'), 'utf8')).toBe('back\n');
  });

  test('binds a file over a dangling link inside the root', async () => {
    const source = join(machine.directory, 'one-file');
    writeFileSync(source, 'content');
    const image = join(machine.directory, 'dangling');
    mkdirSync(image, {recursive: true});
    symlinkSync('/../../../srv/real/place', join(image, 'link'));
    const {stdout} = await runToEnd(machine, {
      words: shell('cat /link; ls -l /srv/real/place | cut -c1; grep -c " /srv/real/place " /proc/mounts'),
      lowers: [image, machine.rootfs],
      mounts: [{kind: 'bind', source, target: '/link', flags: 'ro', create: 'file'}],
    });
    expect(stdout).toBe('content-\n1\n');
    expect(existsSync('/srv/real')).toBe(false);
  });

  test('a missing source is named', async () => {
    const error = await failure(
      machine
        .container({mounts: [{kind: 'bind', source: '/no/such/source', target: '/x', flags: '', create: 'auto'}]})
        .launch(),
    );
    expect(error).toMatchObject({kind: 'notFound', message: 'bind /no/such/source: no such file or directory'});
  });

  test('copies a file read-only with owner and mode, also under a read-only root', async () => {
    const source = join(machine.directory, 'secret');
    writeFileSync(source, 'whisper', {mode: 0o600});
    const {stdout} = await runToEnd(machine, {
      words: shell(
        'cat /run/secrets/token; stat -c "%a %u %g" /run/secrets/token; echo x 2>&1 > /run/secrets/token; grep " /run/secrets/token " /proc/mounts',
      ),
      process: [{kind: 'user', user: 'app'}],
      mounts: [
        {kind: 'file', source, target: '/run/secrets/token', mode: '440', uid: 7, gid: 1001},
        {kind: 'readonlyRoot'},
      ],
    });
    expect(stdout).toContain('whisper440 7 1001\n');
    expect(stdout).toMatch(/^tmpfs \/run\/secrets\/token tmpfs ro,nosuid,nodev,noexec/m);
  });

  test('masks files and directories, makes paths read-only, and overlooks what is not there', async () => {
    const {stdout, stderr} = await runToEnd(machine, {
      words: shell(
        'cat /proc/timer_list | wc -c; ls /proc/bus | wc -l; ls -A /home | wc -l; touch /home/x; echo 1 > /proc/sys/kernel/core_pattern; stat -c "%t:%T" /proc/timer_list',
      ),
      mounts: [
        {kind: 'readonly', target: '/proc/sys'},
        {kind: 'readonly', target: '/no/such'},
        {kind: 'mask', target: '/proc/timer_list'},
        {kind: 'mask', target: '/home'},
        {kind: 'mask', target: '/proc/bus'},
        {kind: 'mask', target: '/no/such'},
      ],
    });
    expect(stdout).toBe('0\n0\n0\n1:3\n');
    expect(stderr).toContain('/home/x: Read-only file system');
    expect(stderr).toContain("can't create /proc/sys/kernel/core_pattern: Read-only file system");
  });

  test('nothing of it is mounted on the machine', async () => {
    const before = readFileSync('/proc/self/mounts', 'utf8');
    const container = machine.container({
      words: ['sleep', '30'],
      mounts: [{kind: 'file', source: '/etc/hostname', target: '/x', mode: '444', uid: 0, gid: 0}],
    });
    await container.launch();
    expect(readFileSync('/proc/self/mounts', 'utf8')).toBe(before);
    await container.stop({graceMs: 0});
    expect(readFileSync('/proc/self/mounts', 'utf8')).toBe(before);
  });

  test('a memory file system has the mode of the directory it hides, unless another is asked for', async () => {
    const tmpfs = (target: string, data = '') =>
      ({kind: 'mount', type: 'tmpfs', source: 'tmpfs', target, flags: '', data}) as const;
    const {stdout} = await runToEnd(machine, {
      words: shell('stat -c %a /home /made /etc; ls -A /etc | wc -l'),
      mounts: [tmpfs('/home'), tmpfs('/made'), tmpfs('/etc', 'size=100k,mode=711')],
    });
    expect(stdout).toBe('755\n1777\n711\n0\n');
  });

  test('an unknown flag is refused', async () => {
    const error = await failure(
      machine
        .container({mounts: [{kind: 'bind', source: '/tmp', target: '/x', flags: 'ro,sticky', create: 'auto'}]})
        .launch(),
    );
    expect(error).toMatchObject({kind: 'invalid', message: 'bind /x: unknown mount flag'});
  });
});

test('sets names, sysctls, limits and the out-of-memory score', async () => {
  const {stdout} = await runToEnd(machine, {
    words: shell(
      'cat /proc/sys/kernel/domainname /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax; ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj; grep "open files" /proc/self/limits',
    ),
    mounts: [{kind: 'readonly', target: '/proc/sys'}],
    process: [
      {kind: 'domainname', name: 'example.org'},
      {kind: 'sysctl', key: 'net.ipv4.ip_unprivileged_port_start', value: '0'},
      {kind: 'sysctl', key: 'kernel/msgmax', value: '9000'},
      {kind: 'rlimit', name: 'nofile', soft: 123, hard: 456},
      {kind: 'oomScoreAdj', value: 321},
    ],
  });
  expect(stdout).toMatch(/^example.org\n0\n9000\n123\n456\n321\n/);
});

test('the score is 0 where none was asked for, though the monitor has its own', async () => {
  const {stdout} = await runToEnd(machine, {words: ['cat', '/proc/self/oom_score_adj']});
  expect(stdout).toBe('0\n');
});

test('a sysctl that does not exist names itself', async () => {
  const error = await failure(
    machine.container({process: [{kind: 'sysctl', key: 'net.no.such', value: '1'}]}).launch(),
  );
  expect(error).toMatchObject({
    kind: 'notFound',
    message: 'sysctl net.no.such: no such file or directory',
    exitCode: 125,
  });
});

describe('seccomp and no_new_privs', () => {
  /** Denies uname(2), allows the rest: BPF in machine byte order. */
  const denyUname = (): Uint8Array => {
    const uname = process.arch === 'arm64' ? 160 : 63;
    const steps = [
      [0x20, 0, 0, 0],
      [0x15, 0, 1, uname],
      [0x06, 0, 0, 0x00050001],
      [0x06, 0, 0, 0x7fff0000],
    ] as const;
    const program = Buffer.alloc(8 * steps.length);
    for (const [index, [code, yes, no, k]] of steps.entries()) {
      program.writeUInt16LE(code, 8 * index);
      program.writeUInt8(yes, 8 * index + 2);
      program.writeUInt8(no, 8 * index + 3);
      program.writeUInt32LE(k, 8 * index + 4);
    }
    return program;
  };

  test.each([false, true])('a filter is loaded for an unprivileged user, no_new_privs %s', async (noNewPrivileges) => {
    const {stdout, state} = await runToEnd(machine, {
      words: shell('grep -E "NoNewPrivs|Seccomp:" /proc/self/status; busybox uname 2>&1 || true'),
      process: [
        {kind: 'user', user: 'app'},
        {kind: 'seccomp', program: denyUname(), flags: 0},
        ...(noNewPrivileges ? [{kind: 'noNewPrivileges'} as const] : []),
      ],
    });
    expect(stdout).toContain(`NoNewPrivs:\t${noNewPrivileges ? 1 : 0}\nSeccomp:\t2\n`);
    expect(stdout).not.toContain('Linux');
    expect(state.exitCode).toBe(0);
  });

  test('what is no filter is refused', async () => {
    const error = await failure(
      machine.container({process: [{kind: 'seccomp', program: new Uint8Array(7), flags: 0}]}).launch(),
    );
    expect(error).toMatchObject({kind: 'invalid', message: 'seccomp: not a filter program'});
  });
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
