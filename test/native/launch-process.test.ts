import {existsSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {TscomposeError} from '../../src/base/errors.ts';
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
