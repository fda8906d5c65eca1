import {TscomposeError} from '../../../base/errors.ts';
import {branch, encodeInstructions, giveBack, type Instruction, loadArchitecture, loadNumber} from './bpf.ts';
import {compileRules} from './compile-rules.ts';
import type {ConventionName, KernelVersion, Machine, SeccompAction, SeccompProfile, SeccompRule} from './profile.ts';
import type {SyscallTable} from './syscall-table.ts';
import {arm} from './syscalls-arm.ts';
import {arm64} from './syscalls-arm64.ts';
import {x32} from './syscalls-x32.ts';
import {x86} from './syscalls-x86.ts';
import {x8664} from './syscalls-x86-64.ts';

/** A way to call the kernel: programs of one machine have several, told apart by architecture and range of numbers. */
interface Convention {
  readonly name: ConventionName;
  readonly table: () => SyscallTable;
  /** Added to the table's numbers. */
  readonly base: number;
  readonly argumentBits: 32 | 64;
}

interface Architecture {
  /** AUDIT_ARCH_* (linux/audit.h). */
  readonly audit: number;
  /** In the order of their bases. */
  readonly conventions: readonly Convention[];
}

/** The machine's own first; the others are its 32-bit programs, as Docker filters them. */
const machines: {readonly [M in Machine]: readonly Architecture[]} = {
  x64: [
    {
      audit: 0xc000003e,
      conventions: [
        {name: 'SCMP_ARCH_X86_64', table: x8664, base: 0, argumentBits: 64},
        {name: 'SCMP_ARCH_X32', table: x32, base: 0x40000000, argumentBits: 32},
      ],
    },
    {audit: 0x40000003, conventions: [{name: 'SCMP_ARCH_X86', table: x86, base: 0, argumentBits: 32}]},
  ],
  arm64: [
    {audit: 0xc00000b7, conventions: [{name: 'SCMP_ARCH_AARCH64', table: arm64, base: 0, argumentBits: 64}]},
    {audit: 0x40000028, conventions: [{name: 'SCMP_ARCH_ARM', table: arm, base: 0, argumentBits: 32}]},
  ],
};

/** Verdicts of a filter (linux/seccomp.h, SECCOMP_RET_*). */
const verdicts = {
  allow: 0x7fff0000,
  log: 0x7ffc0000,
  trap: 0x00030000,
  trace: 0x7ff00000,
  error: 0x00050000,
  killThread: 0x00000000,
  killProcess: 0x80000000,
} as const satisfies {readonly [K in SeccompAction['kind']]: number};

/** The kernel's limit (BPF_MAXINSNS). */
const mostInstructions = 4096;

export interface SeccompTarget {
  readonly architecture: Machine;
  /** What the process's bounding set holds, names without `CAP_`. */
  readonly capabilities: readonly string[];
  /** Of the running kernel. */
  readonly kernel: KernelVersion;
}

const compiled = new WeakMap<SeccompProfile, Map<string, Uint8Array>>();

/**
 * Compiles a profile to a filter program, an array of struct sock_filter. The same profile with the same capabilities is
 * compiled once. A call through an architecture that is not the machine's kills the thread. Throws `invalid` for a
 * profile that does not fit into a program.
 */
export function compileSeccomp(profile: SeccompProfile, target: SeccompTarget): Uint8Array {
  const known = compiled.get(profile) ?? new Map<string, Uint8Array>();
  compiled.set(profile, known);
  const key = `${target.architecture} ${target.kernel.join('.')} ${[...target.capabilities].sort().join(' ')}`;
  const program = known.get(key) ?? encodeInstructions(compile(profile, target));
  known.set(key, program);
  return program;
}

function compile(profile: SeccompProfile, target: SeccompTarget): readonly Instruction[] {
  const rules = profile.rules.map(
    (rule): NamedRule => ({rule, calls: rule.calls.split(/\s+/), applies: applies(rule, target)}),
  );
  const blocks = makeBlocks(profile);
  let program: readonly Instruction[] = [giveBack(verdicts.killThread)];
  for (const architecture of machines[target.architecture].toReversed()) {
    const list = architecture.conventions.flatMap((convention) =>
      isLetIn(convention, profile, target)
        ? ranges(rules, convention, blocks)
        : [{first: convention.base, decide: blocks.foreign}],
    );
    program = branch('==', architecture.audit, [loadNumber, ...search(list, 0, list.length)], program);
  }
  if (program.length >= mostInstructions) {
    throw new TscomposeError(
      'invalid',
      `seccomp profile: ${program.length + 1} instructions, the kernel takes ${mostInstructions}`,
    );
  }
  return [loadArchitecture, ...program];
}

interface NamedRule {
  readonly rule: SeccompRule;
  readonly calls: readonly string[];
  readonly applies: boolean;
}

function isLetIn({name}: Convention, {conventions}: SeccompProfile, {architecture}: SeccompTarget): boolean {
  const own = machines[architecture][0]?.conventions[0]?.name;
  return conventions === undefined || name === own || conventions.includes(name);
}

function applies(rule: SeccompRule, {architecture, capabilities, kernel}: SeccompTarget): boolean {
  if (rule.machines !== undefined && !rule.machines.includes(architecture)) return false;
  if (rule.since !== undefined && isBefore(kernel, rule.since)) return false;
  if (rule.before !== undefined && !isBefore(kernel, rule.before)) return false;
  if (rule.with?.some((name) => !capabilities.includes(name))) return false;
  return !rule.without?.some((name) => capabilities.includes(name));
}

function isBefore([major, minor]: KernelVersion, [otherMajor, otherMinor]: KernelVersion): boolean {
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

/** Numbers from `first` up to the next range are decided by the same instructions. */
interface Range {
  readonly first: number;
  readonly decide: readonly Instruction[];
}

/** What decides the numbers of one convention, from its base on. */
function ranges(
  rules: readonly NamedRule[],
  {table, base, argumentBits}: Convention,
  blocks: Blocks,
): readonly Range[] {
  const numbers = table();
  const byNumber = new Map<number, readonly SeccompRule[]>();
  // The highest number that the profile speaks of, whoever may use it.
  let last = 0;
  for (const {rule, calls, applies} of rules) {
    const alone = [rule];
    for (const call of calls) {
      const number = numbers.get(call);
      if (number === undefined) continue;
      if (number > last) last = number;
      if (!applies) continue;
      const others = byNumber.get(number);
      byNumber.set(number, others === undefined ? alone : [...others, rule]);
    }
  }
  const result: Range[] = [];
  const add = (number: number, decide: readonly Instruction[]): void => {
    if (result.at(-1)?.decide !== decide) result.push({first: base + number, decide});
  };
  let next = 0;
  for (const number of Float64Array.from(byNumber.keys()).sort()) {
    if (number > next) add(next, blocks.otherwise);
    add(number, blocks.of(byNumber.get(number) ?? [], argumentBits));
    next = number + 1;
  }
  if (next <= last) add(next, blocks.otherwise);
  add(last + 1, blocks.newer);
  return result;
}

/** Instructions that decide one call. Those without conditions are one object a verdict, so that neighbours can be joined. */
interface Blocks {
  readonly otherwise: readonly Instruction[];
  readonly newer: readonly Instruction[];
  /** Calls in a way that is not let in. */
  readonly foreign: readonly Instruction[];
  of(rules: readonly SeccompRule[], argumentBits: 32 | 64): readonly Instruction[];
}

function makeBlocks({otherwise, newer}: SeccompProfile): Blocks {
  const plain = new Map<number, readonly Instruction[]>();
  const give = (verdict: number): readonly Instruction[] => {
    const block = plain.get(verdict) ?? [giveBack(verdict)];
    plain.set(verdict, block);
    return block;
  };
  const refusal = verdictOf(otherwise);
  return {
    otherwise: give(refusal),
    newer: give(verdictOf(newer)),
    foreign: give(verdicts.killThread),
    of(rules, argumentBits) {
      const [first] = rules;
      if (first !== undefined && first.when === undefined) return give(verdictOf(first.action));
      const alternatives = rules.map(({when, action}) => ({when: when ?? [], verdict: verdictOf(action)}));
      return compileRules(alternatives, refusal, argumentBits);
    },
  };
}

function verdictOf(action: SeccompAction): number {
  const data = action.kind === 'error' ? action.errno : action.kind === 'trace' ? action.data : 0;
  return verdicts[action.kind] | data;
}

/** A binary search for the range of the loaded number, among those from `start` to before `end`. */
function search(list: readonly Range[], start: number, end: number): readonly Instruction[] {
  if (end - start === 1) return list[start]?.decide ?? [];
  const middle = (start + end) >> 1;
  return branch('>=', list[middle]?.first ?? 0, search(list, middle, end), search(list, start, middle));
}
