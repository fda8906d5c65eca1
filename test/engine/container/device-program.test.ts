import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync} from 'node:fs';
import {constants} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {compileDeviceProgram, parseDeviceRule} from '../../../src/engine/container/device-program.ts';
import {deviceRules} from '../../../src/engine/container/device-rules.ts';
import {nativeProgram} from '../../native/network-bed.ts';

interface Request {
  readonly type: 'b' | 'c';
  readonly major: number;
  readonly minor: number;
  /** Of the letters r, w, m. */
  readonly access: string;
}

/** Runs an eBPF program on a struct bpf_cgroup_dev_ctx, the few operations that a device program needs. */
function run(program: Uint8Array, {type, major, minor, access}: Request): number {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const bits = (access.includes('m') ? 1 : 0) | (access.includes('r') ? 2 : 0) | (access.includes('w') ? 4 : 0);
  const context = [(bits << 16) | (type === 'b' ? 1 : 2), major, minor];
  const registers: number[] = [];
  for (let at = 0; at < program.length; at += 8) {
    const destination = code.getUint8(at + 1) & 15;
    const source = code.getUint8(at + 1) >> 4;
    const offset = code.getInt16(at + 2, true);
    const operand = code.getInt32(at + 4, true);
    const value = registers[destination] ?? Number.NaN;
    switch (code.getUint8(at)) {
      case 0x61: // rD = *(u32 *)(rS + offset)
        if (source !== 1) throw new Error('load from something else than the context');
        registers[destination] = context[offset / 4] ?? Number.NaN;
        break;
      case 0xb7:
        registers[destination] = operand;
        break;
      case 0xbf:
        registers[destination] = registers[source] ?? Number.NaN;
        break;
      case 0x54:
        registers[destination] = (value & operand) >>> 0;
        break;
      case 0x74:
        registers[destination] = value >>> operand;
        break;
      case 0x55:
        if (Number.isNaN(value)) throw new Error('comparison of a register that was never set');
        if (value !== operand) at += 8 * offset;
        break;
      case 0x95:
        return registers[0] ?? Number.NaN;
      default:
        throw new Error(`operation 0x${code.getUint8(at).toString(16)}`);
    }
  }
  throw new Error('the program has no end');
}

/** What the rules say, without a program. */
function allows(lines: readonly string[], {type, major, minor, access}: Request): boolean {
  const joined = new Map<string, string>();
  for (const line of lines) {
    const [kind = '', device = '', letters = ''] = line === 'a' ? ['a', '*:*', 'rwm'] : line.split(' ');
    joined.set(`${kind} ${device}`, `${joined.get(`${kind} ${device}`) ?? ''}${letters}`);
  }
  return [...joined].some(([key, letters]) => {
    const [kind, ruleMajor, ruleMinor] = key.split(/[ :]/);
    return (
      (kind === 'a' || kind === type) &&
      (ruleMajor === '*' || Number(ruleMajor) === major) &&
      (ruleMinor === '*' || Number(ruleMinor) === minor) &&
      [...access].every((letter) => letters.includes(letter))
    );
  });
}

describe('rules', () => {
  test('are read in the syntax of devices.allow', () => {
    expect(parseDeviceRule('c 1:3 rwm')).toEqual({
      type: 'character',
      major: 1,
      minor: 3,
      read: true,
      write: true,
      make: true,
    });
    expect(parseDeviceRule('b *:* m')).toEqual({type: 'block', read: false, write: false, make: true});
    expect(parseDeviceRule('c 136:* w')).toEqual({
      type: 'character',
      major: 136,
      read: false,
      write: true,
      make: false,
    });
    expect(parseDeviceRule('a *:* rwm')).toEqual({type: 'any', read: true, write: true, make: true});
    // A letter twice says nothing more; a number that no device has is about none.
    expect(parseDeviceRule('c 4096:1048576 rr')).toMatchObject({major: 4096, minor: 1048576, read: true, write: false});
  });

  test.each([
    '',
    'c',
    'c 1:3',
    'c 1:3 x',
    'c 1:3 rwmr',
    'a',
    'd 1:3 r',
    'c 1 r',
    'c -1:3 r',
    'c 1:3 rwm ',
    'c 99999999999:3 r',
    'c 1:99999999999 r',
    'c 1:3:4 r',
  ])('refused: "%s"', (line) => {
    expect(() => parseDeviceRule(line)).toThrow(`invalid device cgroup rule format: '${line}'`);
  });
});

describe('the program', () => {
  const number = fc.constantFrom(0, 1, 3, 5, 136, 4095);
  const letters = fc.subarray(['r', 'w', 'm'], {minLength: 1}).map((list) => list.join(''));
  const part = fc.oneof(number.map(String), fc.constant('*'));
  const rule = fc.oneof(
    fc
      .tuple(fc.constantFrom('a', 'b', 'c'), part, part, letters)
      .map(([type, major, minor, access]) => `${type} ${major}:${minor} ${access}`),
    fc.constant('a *:* rwm'),
  );
  const request = fc.record({
    type: fc.constantFrom('b' as const, 'c' as const),
    major: number,
    minor: number,
    access: letters,
  });

  test('decides as the rules say', () => {
    fc.assert(
      fc.property(fc.array(rule, {maxLength: 8}), request, (rules, asked) => {
        expect(run(compileDeviceProgram(rules), asked)).toBe(allows(rules, asked) ? 1 : 0);
      }),
      {numRuns: 3000},
    );
  });

  test('of a container without further devices', () => {
    const program = compileDeviceProgram(deviceRules);
    const verdict = (type: 'b' | 'c', major: number, minor: number, access: string): number =>
      run(program, {type, major, minor, access});
    for (const [major, minor] of [
      [1, 3],
      [1, 5],
      [1, 7],
      [1, 8],
      [1, 9],
      [5, 0],
      [5, 2],
      [136, 7],
    ] as const) {
      expect(verdict('c', major, minor, 'rw')).toBe(1);
    }
    // Memory, ports, the log, disks: may be made, not opened.
    for (const [type, major, minor] of [
      ['c', 1, 1],
      ['c', 1, 4],
      ['c', 1, 11],
      ['b', 8, 0],
      ['b', 1, 3],
      ['c', 10, 229],
    ] as const) {
      expect([
        verdict(type, major, minor, 'm'),
        verdict(type, major, minor, 'r'),
        verdict(type, major, minor, 'w'),
      ]).toEqual([1, 0, 0]);
    }
  });
});

/** Where cgroup v2 is mounted, alone or beside v1. */
const unified = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find(
  (path) => existsSync(join(path, 'cgroup.procs')) && existsSync(join(path, 'cgroup.controllers')),
);

test('the kernel takes it and obeys', () => {
  if (unified === undefined) throw new Error('cgroup v2 is not mounted');
  const directory = mkdtempSync('/tmp/tsd-');
  const cgroup = join(unified, `tsd-test-${process.pid}`);
  mkdirSync(cgroup);
  try {
    const file = join(directory, 'program');
    writeFileSync(file, compileDeviceProgram(deviceRules));
    const cases = {
      'rw:c:1:3': 0,
      'r:c:1:5': 0,
      'm:c:1:1': 0,
      'r:c:1:1': constants.errno.EPERM,
      'w:c:1:11': constants.errno.EPERM,
      'r:b:254:0': constants.errno.EPERM,
    };
    const {stdout, stderr, status} = spawnSync(
      nativeProgram('device-program-load'),
      [file, cgroup, ...Object.keys(cases)],
      {encoding: 'utf8', cwd: directory},
    );
    expect({stderr, status}).toEqual({stderr: '', status: 0});
    expect(stdout.trim().split('\n').map(Number)).toEqual(Object.values(cases));
  } finally {
    rmdirSync(cgroup);
    rmSync(directory, {recursive: true});
  }
});
