import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {compileSeccomp} from '../../../../src/engine/container/seccomp/compile.ts';
import {defaultSeccompProfile} from '../../../../src/engine/container/seccomp/default-profile.ts';
import type {Condition, Machine, SeccompProfile} from '../../../../src/engine/container/seccomp/profile.ts';
import {arm} from '../../../../src/engine/container/seccomp/syscalls-arm.ts';
import {arm64} from '../../../../src/engine/container/seccomp/syscalls-arm64.ts';
import {x32} from '../../../../src/engine/container/seccomp/syscalls-x32.ts';
import {x86} from '../../../../src/engine/container/seccomp/syscalls-x86.ts';
import {x8664} from '../../../../src/engine/container/seccomp/syscalls-x86-64.ts';
import {architectures, type Call, checkLoadable, interpret, verdicts} from './interpret.ts';
import {compileWithLibseccomp} from './libseccomp.ts';

const dockerDefaults =
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'.split(
    ' ',
  );
const mentioned = [
  ...new Set(defaultSeccompProfile.rules.flatMap((rule) => [rule.with ?? [], rule.without ?? []].flat())),
];
const sets: Readonly<Record<string, readonly string[]>> = {
  none: [],
  defaults: dockerDefaults,
  all: [...new Set([...dockerDefaults, ...mentioned])],
  ...Object.fromEntries(mentioned.map((name) => [`defaults and ${name}`, [...new Set([...dockerDefaults, name])]])),
};

/** The ways to call a machine's kernel. */
const conventions = {
  x64: [
    {architecture: architectures.x8664, base: 0, table: x8664()},
    {architecture: architectures.x8664, base: 0x40000000, table: x32()},
    {architecture: architectures.x86, base: 0, table: x86()},
  ],
  arm64: [
    {architecture: architectures.arm64, base: 0, table: arm64()},
    {architecture: architectures.arm, base: 0, table: arm()},
  ],
} as const;

const all64 = 2n ** 64n - 1n;
/** Around every value that a rule compares with, in both halves. */
const samples = [
  ...[0, 1, 2, 7, 8, 9, 10, 11, 12, 16, 17, 31, 36, 37, 38, 39, 40, 41, 42, 45, 46, 47, 100].map(BigInt),
  ...[
    0x10000n,
    0x20000n,
    0x20008n,
    0x20009n,
    0x1ffffn,
    0x7e020000n,
    0x02000000n,
    0x10000000n,
    0x40000000n,
    0x00010f00n,
    0x3d0f00n,
    0x81ffffffn,
  ],
  ...[
    0x7fffffffn,
    0x80000000n,
    0xffffffffn,
    0x100000000n,
    0x100000002n,
    0x100000026n,
    0x100000028n,
    0x27n << 32n,
    1n << 63n,
    all64,
  ],
];

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

describe.each(['x64', 'arm64'] as const)('the default profile on %s', (machine) => {
  test.each(Object.entries(sets))('agrees with libseccomp: %s', (_, capabilities) => {
    const ours = compileSeccomp(defaultSeccompProfile, {architecture: machine, capabilities, kernel: [6, 1]});
    const {program: theirs, unknown} = compileWithLibseccomp(defaultSeccompProfile, machine, capabilities);
    checkLoadable(ours);
    checkLoadable(theirs);
    const differences: string[] = [];
    let compared = 0;
    for (const {architecture, base, table} of conventions[machine]) {
      const names = new Map([...table].map(([name, number]) => [number, name]));
      const last = Math.max(
        ...defaultSeccompProfile.rules.flatMap(({calls}) => calls.split(/\s+/)).map((name) => table.get(name) ?? 0),
      );
      const numbers = [
        ...Array.from({length: 700}, (_, index) => index),
        ...[...table.values()].filter((number) => number >= 700),
        983_040,
        0x3fffffff,
      ];
      for (const number of numbers) {
        const name = names.get(number) ?? '';
        // What the library has no number for it refuses; map_shadow_stack it knows for the 64-bit architecture only.
        if (unknown.has(name) || (name === 'map_shadow_stack' && base > 0)) continue;
        const compares = ['socket', 'personality', 'clone', 'clone3', 'ipc', 'socketcall', 'read', 'mount'].includes(
          name,
        );
        for (const value of compares ? samples : [0n]) {
          const call: Call = {
            architecture,
            number: base + number,
            arguments: [value, value, value, value, value, value],
          };
          const verdict = interpret(ours, call);
          // libseccomp has one answer for everything else; ours tells calls that are newer than the profile.
          const expected = number > last ? verdicts.errno | 38 : interpret(theirs, call);
          compared += 1;
          if (verdict !== expected)
            differences.push(
              `${hex(architecture)} ${base + number} ${name} ${value}: ${hex(verdict)}, libseccomp ${hex(expected)}`,
            );
        }
      }
    }
    expect(differences).toEqual([]);
    expect(compared).toBeGreaterThan(conventions[machine].length * 700);
    // An architecture of another machine.
    const foreign: Call = {architecture: architectures.riscv64, number: 63};
    expect(interpret(ours, foreign)).toBe(verdicts.killThread);
    expect(interpret(theirs, foreign)).toBe(verdicts.killThread);
  });
});

describe('what containers may not do', () => {
  const ours = compileSeccomp(defaultSeccompProfile, {
    architecture: 'x64',
    capabilities: dockerDefaults,
    kernel: [6, 1],
  });
  const verdict = (name: string, ...values: readonly bigint[]): number =>
    interpret(ours, {architecture: architectures.x8664, number: x8664().get(name) ?? -1, arguments: values});

  test.each([
    'mount',
    'umount2',
    'unshare',
    'setns',
    'bpf',
    'keyctl',
    'add_key',
    'io_uring_setup',
    'userfaultfd',
    'perf_event_open',
    'kexec_load',
    'reboot',
    'init_module',
    'open_by_handle_at',
    'pivot_root',
    'swapon',
    'syslog',
  ])('%s: not permitted', (name) => {
    expect(verdict(name)).toBe(verdicts.errno | 1);
  });

  test('sockets: no AF_ALG, no AF_VSOCK, also with garbage in the unused half of the register', () => {
    for (const family of [1n, 2n, 10n, 16n, 17n, 39n, 44n]) expect(verdict('socket', family)).toBe(verdicts.allow);
    for (const family of [38n, 40n, 46n, 0x100000026n, 0x100000028n, all64])
      expect(verdict('socket', family)).toBe(verdicts.errno | 1);
  });

  test('clone: no namespaces; clone3 is not there', () => {
    expect(verdict('clone', 0x003d0f00n)).toBe(verdicts.allow);
    for (let bit = 0n; bit < 32n; bit += 1n) {
      const namespaces = [17n, 25n, 26n, 27n, 28n, 29n, 30n].includes(bit);
      expect([bit, verdict('clone', 1n << bit)]).toEqual([bit, namespaces ? verdicts.errno | 1 : verdicts.allow]);
    }
    expect(verdict('clone3')).toBe(verdicts.errno | 38);
  });
});

describe('conditions', () => {
  const value = fc.oneof(fc.bigInt({min: 0n, max: all64}), fc.constantFrom(...samples));
  const condition: fc.Arbitrary<Condition> = fc.record(
    {
      argument: fc.constantFrom(0 as const, 3 as const, 5 as const),
      operator: fc.constantFrom('==' as const, '!=' as const, '<' as const, '<=' as const, '>' as const, '>=' as const),
      value,
      mask: fc.oneof(value, fc.constantFrom(all64, 0xffffffffn, 0xffffffff00000000n)),
    },
    {requiredKeys: ['argument', 'operator', 'value']},
  );

  function holds(
    {argument, operator, value: operand, mask}: Condition,
    values: readonly bigint[],
    bits: number,
  ): boolean {
    const own = BigInt.asUintN(bits, values[argument] ?? 0n);
    const other = BigInt.asUintN(bits, BigInt(operand));
    const cut = BigInt.asUintN(bits, BigInt(mask ?? all64));
    switch (operator) {
      case '==':
        return (own & cut) === (other & cut);
      case '!=':
        return own !== other;
      case '<':
        return own < other;
      case '<=':
        return own <= other;
      case '>':
        return own > other;
      case '>=':
        return own >= other;
    }
  }

  test('mean what they say, as unsigned numbers of the caller’s width', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.array(condition, {minLength: 1, maxLength: 3}), fc.integer({min: 2, max: 100})), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.array(value, {minLength: 6, maxLength: 6}),
        fc.boolean(),
        (alternatives, values, near) => {
          const profile: SeccompProfile = {
            otherwise: {kind: 'error', errno: 1},
            newer: {kind: 'error', errno: 38},
            rules: alternatives.map(([when, errno]) => ({calls: 'read', when, action: {kind: 'error', errno}})),
          };
          // Half of the time arguments that meet the first condition or miss it by one.
          const first = alternatives[0]?.[0][0];
          const given =
            near && first
              ? values.map((one, index) => (index === first.argument ? BigInt(first.value) + (one % 3n) - 1n : one))
              : values;
          const program = compileSeccomp(profile, {architecture: 'x64', capabilities: [], kernel: [6, 1]});
          for (const [architecture, number, bits] of [
            [architectures.x8664, 0, 64],
            [architectures.x86, 3, 32],
          ] as const) {
            const met = alternatives.find(([when]) => when.every((one) => holds(one, given, bits)));
            expect(interpret(program, {architecture, number, arguments: given})).toBe(verdicts.errno | (met?.[1] ?? 1));
          }
        },
      ),
      {numRuns: 2000},
    );
  });
});

describe('profiles', () => {
  const allow = {kind: 'allow'} as const;
  const profile = (calls: string): SeccompProfile => ({
    otherwise: {kind: 'killProcess'},
    newer: {kind: 'log'},
    rules: [{calls, action: allow}],
  });
  const target = {architecture: 'x64' as Machine, capabilities: [], kernel: [6, 1] as const};

  test('a profile without rules lets nothing through', () => {
    const program = compileSeccomp({otherwise: {kind: 'killProcess'}, newer: {kind: 'killProcess'}, rules: []}, target);
    for (const number of [0, 1, 59, 466, 0x40000000, 0xffffffff]) {
      expect(interpret(program, {architecture: architectures.x8664, number})).toBe(verdicts.killProcess);
    }
  });

  test('numbers between, below and above the named ones', () => {
    const program = compileSeccomp(profile('write close exit_group'), target);
    const verdict = (number: number): number => interpret(program, {architecture: architectures.x8664, number});
    expect([0, 1, 2, 3, 4, 230, 231].map(verdict)).toEqual(
      [1, 0, 1, 0, 1, 1, 0].map((refused) => (refused ? verdicts.killProcess : verdicts.allow)),
    );
    expect(verdict(232)).toBe(0x7ffc0000);
  });

  test('the same profile and capabilities are compiled once', () => {
    const one = compileSeccomp(defaultSeccompProfile, {
      architecture: 'x64',
      capabilities: ['KILL', 'CHOWN'],
      kernel: [6, 1],
    });
    expect(
      compileSeccomp(defaultSeccompProfile, {architecture: 'x64', capabilities: ['CHOWN', 'KILL'], kernel: [6, 1]}),
    ).toBe(one);
    expect(
      compileSeccomp(defaultSeccompProfile, {architecture: 'arm64', capabilities: ['CHOWN', 'KILL'], kernel: [6, 1]}),
    ).not.toBe(one);
  });

  test('every name in the default profile is a call of some architecture', () => {
    const names = defaultSeccompProfile.rules.flatMap(({calls}) => calls.split(/\s+/));
    const known = [x8664, x32, x86, arm64, arm].map((table) => table());
    expect(names.filter((name) => !known.some((table) => table.has(name)))).toEqual([]);
    expect(new Set(names).size).toBeGreaterThan(380);
  });
});
