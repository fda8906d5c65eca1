import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {compileSeccomp} from '../../../../src/engine/container/seccomp/compile.ts';
import {parseExactJson} from '../../../../src/engine/container/seccomp/exact-json.ts';
import {parseSeccompProfile} from '../../../../src/engine/container/seccomp/parse-profile.ts';
import {x32} from '../../../../src/engine/container/seccomp/syscalls-x32.ts';
import {x86} from '../../../../src/engine/container/seccomp/syscalls-x86.ts';
import {x8664} from '../../../../src/engine/container/seccomp/syscalls-x86-64.ts';
import {architectures, interpret, verdicts} from './interpret.ts';

interface Asked {
  readonly way?: 'x8664' | 'x32' | 'x86';
  readonly values?: readonly bigint[];
  readonly capabilities?: readonly string[];
}

/** What the filter of a profile says to a call. */
function verdict(profile: object | string, name: string, {way = 'x8664', values = [], capabilities = []}: Asked = {}) {
  const json = typeof profile === 'string' ? profile : JSON.stringify(profile);
  const target = {architecture: 'x64', capabilities, kernel: [5, 15]} as const;
  const number = {x8664, x86, x32}[way]().get(name) ?? Number(name);
  return interpret(compileSeccomp(parseSeccompProfile(json), target), {
    architecture: way === 'x86' ? architectures.x86 : architectures.x8664,
    number: way === 'x32' ? number + 0x40000000 : number,
    arguments: values,
  });
}

const denied = (errno = 1): number => verdicts.errno | errno;

describe('a profile in Docker’s format', () => {
  const open = {defaultAction: 'SCMP_ACT_ALLOW'};
  const closed = {
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{names: ['read', 'mkdir'], action: 'SCMP_ACT_ALLOW', comment: 'both', includes: {}, excludes: {}}],
  };

  test('denies by default what it does not name, and tells of calls that are newer than all it names', () => {
    expect(verdict(closed, 'mkdir')).toBe(verdicts.allow);
    expect(verdict(closed, 'open')).toBe(denied());
    expect(verdict({...closed, defaultErrnoRet: 13}, 'open')).toBe(denied(13));
    expect(verdict(closed, '400')).toBe(denied(38));
    expect(verdict(open, '400')).toBe(verdicts.allow);
    expect(verdict({...closed, defaultAction: 'SCMP_ACT_KILL_PROCESS'}, 'open')).toBe(verdicts.killProcess);
  });

  test('is for the machine’s own way to call the kernel, and others that it names', () => {
    const own = {...open, syscalls: [{name: 'mkdir', action: 'SCMP_ACT_ERRNO'}]};
    const all = {
      ...own,
      archMap: [{architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32']}],
    };
    expect(verdict(own, 'mkdir')).toBe(denied());
    for (const way of ['x86', 'x32'] as const) {
      expect([verdict(own, 'read', {way}), verdict(own, 'mkdir', {way})]).toEqual([0, 0]);
      expect([verdict(all, 'read', {way}), verdict(all, 'mkdir', {way})]).toEqual([verdicts.allow, denied()]);
    }
    const one = {...own, architectures: ['SCMP_ARCH_X86']};
    expect([verdict(one, 'mkdir', {way: 'x86'}), verdict(one, 'mkdir', {way: 'x32'})]).toEqual([denied(), 0]);
    // A row of another machine is none of this one.
    const other = {...own, archMap: [{architecture: 'SCMP_ARCH_X86', subArchitectures: ['SCMP_ARCH_X32']}]};
    expect(verdict(other, 'read', {way: 'x86'})).toBe(0);
  });

  test('compares all 64 bits, also where a double would round', () => {
    const rule = (value: string): string =>
      `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO","args":[{"index":1,"value":${value},"op":"SCMP_CMP_EQ"}]}]}`;
    for (const value of [2n ** 64n - 1n, 2n ** 53n + 1n, 2n ** 63n + 1n]) {
      expect(verdict(rule(String(value)), 'read', {values: [0n, value]})).toBe(denied());
      expect(verdict(rule(String(value)), 'read', {values: [0n, value - 1n]})).toBe(verdicts.allow);
    }
    expect(() => parseSeccompProfile(rule(String(2n ** 64n)))).toThrow(
      'is not a whole number from 0 to 18446744073709551615',
    );
    expect(() => parseSeccompProfile(rule('1.5'))).toThrow('is not a whole number');
  });

  test('knows what a process may, all of several capabilities', () => {
    const rule = {
      ...open,
      syscalls: [{name: 'mkdir', action: 'SCMP_ACT_ERRNO', includes: {caps: ['CAP_CHOWN', 'CAP_KILL']}}],
    };
    expect(verdict(rule, 'mkdir', {capabilities: ['CHOWN']})).toBe(verdicts.allow);
    expect(verdict(rule, 'mkdir', {capabilities: ['CHOWN', 'KILL']})).toBe(denied());
  });

  test('may name an error beside its number, as some tools write it', () => {
    const rule = {name: 'mkdir', action: 'SCMP_ACT_ERRNO', errnoRet: 2, errno: 'ENOENT'};
    const given = {...open, defaultErrnoRet: 38, defaultErrno: 'ENOSYS', syscalls: [rule]};
    expect(verdict(given, 'mkdir')).toBe(denied(2));
    const {errnoRet: _number, ...nameAlone} = rule;
    expect(() => verdict({...open, syscalls: [nameAlone]}, 'mkdir')).toThrow('errno stands without errnoRet');
  });

  test.each([
    [{...open, more: 1}, 'unknown member more'],
    [
      {...open, syscalls: [{names: ['read'], action: 'SCMP_ACT_ALLOW', priority: 1}]},
      'unknown member syscalls[0].priority',
    ],
    [{...open, syscalls: [{names: 'read', action: 'SCMP_ACT_ALLOW'}]}, 'syscalls[0].names is not a list'],
    [{...open, syscalls: [{names: ['a b!'], action: 'SCMP_ACT_ALLOW'}]}, 'not names of system calls'],
    [{...open, syscalls: [{name: 'read', action: 'SCMP_ACT_ERRNO', errnoRet: 4096}]}, 'from 0 to 4095'],
    [
      {...open, syscalls: [{name: 'read', action: 'SCMP_ACT_ERRNO', includes: {caps: ['CHOWN']}}]},
      'syscalls[0].includes.caps: unknown name "CHOWN"',
    ],
    [
      {...open, syscalls: [{name: 'read', action: 'SCMP_ACT_ERRNO', excludes: {caps: ['CAP_FLY']}}]},
      'syscalls[0].excludes.caps: unknown name "CAP_FLY"',
    ],
    [
      {...open, syscalls: [{name: 'read', action: 'SCMP_ACT_ERRNO', includes: {maxKernel: '5.0'}}]},
      'unknown member syscalls[0].includes.maxKernel',
    ],
    [{...open, flags: ['constructor']}, 'flags: unknown name "constructor"'],
    ['{"defaultAction":"SCMP_ACT_ALLOW","__proto__":{}}', 'unknown member __proto__'],
    ['{}', 'defaultAction: unknown name ""'],
    ['null', 'the profile is not an object'],
  ])('with something unknown is refused by name: %j', (profile, message) => {
    const json = typeof profile === 'string' ? profile : JSON.stringify(profile);
    expect(() => parseSeccompProfile(json)).toThrow(message);
  });

  test.each([
    [{...open, listenerPath: '/run/x'}, 'a listener'],
    [{defaultAction: 'SCMP_ACT_NOTIFY'}, 'the action SCMP_ACT_NOTIFY'],
    [{...open, flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV']}, 'the flag SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],
  ])('that needs a program beside the container is refused: %j', (profile, what) => {
    expect(() => parseSeccompProfile(JSON.stringify(profile))).toThrow(
      expect.objectContaining({
        kind: 'unsupported',
        message: `this engine does not support ${what} in a seccomp profile`,
      }),
    );
  });
});

test('JSON is read as ever, but for whole numbers that are too large', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      const plain = JSON.stringify(JSON.parse(json), (_key, value: unknown) =>
        typeof value === 'number' && /^-?\d{16,}$/.test(String(value)) ? `large ${value}` : value,
      );
      const exact = JSON.stringify(parseExactJson(json), (_key, value: unknown) =>
        typeof value === 'bigint' ? `large ${Number(value)}` : value,
      );
      expect(exact).toBe(plain);
    }),
    {numRuns: 1000},
  );
  for (const json of ['"#1"', '"##1"', '"\\u00231"', '{"#a":"#"}', '["12345678901234567890"]'])
    expect(parseExactJson(json)).toEqual(JSON.parse(json));
  expect(parseExactJson('[18446744073709551615, -9007199254740993]')).toEqual([
    18446744073709551615n,
    -9007199254740993n,
  ]);
  expect(() => parseExactJson('{"a":1,}')).toThrow(SyntaxError);
});
