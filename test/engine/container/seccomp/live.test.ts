import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {constants} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {compileSeccomp} from '../../../../src/engine/container/seccomp/compile.ts';
import {defaultSeccompProfile} from '../../../../src/engine/container/seccomp/default-profile.ts';
import type {Machine} from '../../../../src/engine/container/seccomp/profile.ts';
import {arm64} from '../../../../src/engine/container/seccomp/syscalls-arm64.ts';
import {x86} from '../../../../src/engine/container/seccomp/syscalls-x86.ts';
import {x8664} from '../../../../src/engine/container/seccomp/syscalls-x86-64.ts';
import {nativeProgram} from '../../../native/network-bed.ts';

const {EPERM, ENOSYS, EINVAL, EFAULT} = constants.errno;
/** Node has no name for it. */
const ESOCKTNOSUPPORT = 94;
const machine = process.arch as Machine;
const table = machine === 'x64' ? x8664() : arm64();
let directory: string;

beforeAll(() => {
  directory = mkdtempSync('/tmp/tss-');
});

afterAll(() => {
  rmSync(directory, {recursive: true});
});

/** Makes the calls in a process under the filter: `name` or `name:argument`, through the 32-bit gate with `x86:` before it. */
function errnos(capabilities: readonly string[], calls: readonly string[]): Record<string, number> {
  const file = join(directory, 'filter');
  writeFileSync(file, compileSeccomp(defaultSeccompProfile, {architecture: machine, capabilities, kernel: [6, 1]}));
  const words = calls.map((call) => {
    const [, gate = '', name = '', argument = ''] = /^(x86:)?([a-z0-9_]+)(:.*)?$/.exec(call) ?? [];
    return `${gate}${/^\d/.test(name) ? name : (gate === '' ? table : x86()).get(name)}${argument}`;
  });
  const {stdout, stderr, status, signal} = spawnSync(nativeProgram('seccomp-load'), [file, ...words], {
    encoding: 'utf8',
  });
  expect({stderr, status, signal}).toEqual({stderr: '', status: 0, signal: null});
  const results = stdout
    .trim()
    .split('\n')
    .map((line) => Number(line.split(' ')[1]));
  return Object.fromEntries(calls.map((call, index) => [call, results[index] ?? -1]));
}

describe('a process under the default filter', () => {
  test('is refused what the profile refuses', () => {
    expect(
      errnos(
        [],
        [
          'getpid',
          'mount',
          'unshare:0x10000000',
          'setns',
          'bpf',
          'keyctl',
          'socket:2',
          'socket:38',
          'socket:40',
          'clone3',
          'personality:0xffffffff',
          'personality:4',
          'chroot',
          '9999',
        ],
      ),
    ).toEqual({
      getpid: 0,
      mount: EPERM,
      'unshare:0x10000000': EPERM,
      setns: EPERM,
      bpf: EPERM,
      keyctl: EPERM,
      // The kernel's own answer: no such type of socket.
      'socket:2': ESOCKTNOSUPPORT,
      'socket:38': EPERM,
      'socket:40': EPERM,
      clone3: ENOSYS,
      'personality:0xffffffff': 0,
      'personality:4': EPERM,
      chroot: EPERM,
      '9999': ENOSYS,
    });
  });

  test('is let through with the capability', () => {
    const errors = errnos(['SYS_ADMIN', 'SYS_CHROOT'], ['clone3', 'setns', 'chroot', 'keyctl', 'socket:40']);
    expect(errors).toEqual({clone3: EINVAL, setns: EINVAL, chroot: EFAULT, keyctl: EPERM, 'socket:40': EPERM});
  });

  test.runIf(machine === 'x64')('also through the 32-bit gate and as x32', () => {
    expect(
      errnos([], ['x86:getpid', 'x86:mount', 'x86:clone3', 'x86:9999', `${0x40000000 + 165}`, `${0x40000000 + 435}`]),
    ).toEqual({
      'x86:getpid': 0,
      'x86:mount': EPERM,
      'x86:clone3': ENOSYS,
      'x86:9999': ENOSYS,
      [`${0x40000000 + 165}`]: EPERM,
      [`${0x40000000 + 435}`]: ENOSYS,
    });
  });
});
