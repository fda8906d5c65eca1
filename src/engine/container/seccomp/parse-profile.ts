import {TscomposeError} from '../../../base/errors.ts';
import {isCapability} from '../capabilities.ts';
import {parseExactJson} from './exact-json.ts';
import type {
  Condition,
  ConventionName,
  KernelVersion,
  Machine,
  SeccompAction,
  SeccompProfile,
  SeccompRule,
} from './profile.ts';
import {badProfile, items, members, named, text, texts, whole} from './profile-reader.ts';

/** The largest errno, and what fits into a verdict (linux/seccomp.h, SECCOMP_RET_DATA). */
const mostErrno = 4095;
const mostData = 0xffff;
const notPermitted = 1;
const notImplemented: SeccompAction = {kind: 'error', errno: 38};

const profileMembers = [
  ...['defaultAction', 'defaultErrnoRet', 'defaultErrno', 'architectures', 'archMap', 'flags', 'syscalls'],
  ...['listenerPath', 'listenerMetadata', 'comment'],
] as const;
const ruleMembers = [
  ...['name', 'names', 'action', 'errnoRet', 'errno', 'args', 'comment', 'includes', 'excludes'],
] as const;

/**
 * Reads a profile in Docker's format: JSON with the actions, operators and architectures of libseccomp. Throws `invalid`
 * for anything unknown in it, `unsupported` for actions that need a program beside the container.
 */
export function parseSeccompProfile(json: string): SeccompProfile {
  const profile = members(parseJson(json), '', profileMembers);
  if (text(profile['listenerPath'], 'listenerPath') || text(profile['listenerMetadata'], 'listenerMetadata')) {
    throw unsupported('a listener in a seccomp profile');
  }
  refuseNameAlone(profile['defaultErrno'], profile['defaultErrnoRet'], 'defaultErrno');
  const otherwise = readAction(profile['defaultAction'], profile['defaultErrnoRet'], 'defaultAction');
  const rules = items(profile['syscalls'], 'syscalls').flatMap((rule, index) => readRule(rule, `syscalls[${index}]`));
  const isSame = ({action}: SeccompRule): boolean => JSON.stringify(action) === JSON.stringify(otherwise);
  return {
    otherwise,
    // As runc does: libraries fall back to older calls on "not implemented", which no older profile can name.
    newer: isPermissive(otherwise) ? otherwise : notImplemented,
    rules: [
      // A rule without conditions decides whatever those with some say, as in libseccomp.
      ...rules.filter(({when}) => when === undefined),
      ...rules.filter(({when}) => when !== undefined),
    ].map((rule) => (isSame(rule) ? {...rule, machines: []} : rule)),
    conventions: readConventions(profile['architectures'], profile['archMap']),
    flags: texts(profile['flags'], 'flags').reduce((sum, name) => sum | readFlag(name), 0),
  };
}

function parseJson(json: string): unknown {
  try {
    return parseExactJson(json);
  } catch (error) {
    throw badProfile((error as SyntaxError).message);
  }
}

function unsupported(what: string): TscomposeError {
  return new TscomposeError('unsupported', `this engine does not support ${what}`);
}

/** Some tools write an error's name beside its number; the number counts. */
function refuseNameAlone(name: unknown, number: unknown, where: string): void {
  if (text(name, where) !== '' && number === undefined) throw badProfile(`${where} stands without ${where}Ret`);
}

const actions = {
  SCMP_ACT_ALLOW: 'allow',
  SCMP_ACT_ERRNO: 'error',
  SCMP_ACT_KILL: 'killThread',
  SCMP_ACT_KILL_THREAD: 'killThread',
  SCMP_ACT_KILL_PROCESS: 'killProcess',
  SCMP_ACT_TRAP: 'trap',
  SCMP_ACT_TRACE: 'trace',
  SCMP_ACT_LOG: 'log',
} as const satisfies Readonly<Record<string, SeccompAction['kind']>>;

function readAction(value: unknown, number: unknown, where: string): SeccompAction {
  const name = text(value, where);
  if (name === 'SCMP_ACT_NOTIFY') throw unsupported('the action SCMP_ACT_NOTIFY in a seccomp profile');
  const kind = named<SeccompAction['kind']>(actions, name, where);
  const given = whole(number, `the error number beside ${where}`, kind === 'error' ? mostErrno : mostData);
  if (kind === 'error') return {kind, errno: Number(given ?? notPermitted)};
  return kind === 'trace' ? {kind, data: Number(given ?? notPermitted)} : {kind};
}

/** Under such a default a newer call is no surprise. */
function isPermissive({kind}: SeccompAction): boolean {
  return kind === 'allow' || kind === 'log' || kind === 'trace';
}

function readRule(value: unknown, where: string): readonly SeccompRule[] {
  const rule = members(value, where, ruleMembers);
  const name = text(rule['name'], `${where}.name`);
  const names = texts(rule['names'], `${where}.names`);
  if (name !== '' && names.length > 0)
    throw badProfile("both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'");
  const calls = (name === '' ? names : [name]).join(' ');
  if (/[^\w ]/.test(calls)) throw badProfile(`${where}.names: not names of system calls`);
  refuseNameAlone(rule['errno'], rule['errnoRet'], 'errno');
  const action = readAction(rule['action'], rule['errnoRet'], `${where}.action`);
  const base = {calls, action, ...readScope(rule['includes'], rule['excludes'], where)};
  const when = items(rule['args'], `${where}.args`).map((item, index) =>
    readCondition(item, `${where}.args[${index}]`),
  );
  if (when.length === 0) return [base];
  // Several conditions on one argument are alternatives, in which case so are all of the rule (as in runc).
  const isRepeated = new Set(when.map(({argument}) => argument)).size < when.length;
  return isRepeated ? when.map((condition) => ({...base, when: [condition]})) : [{...base, when}];
}

/** Names of machines in `arches`; others are of no machine that this engine runs on. */
const machineNames: Readonly<Record<string, Machine>> = {amd64: 'x64', arm64: 'arm64'};
const filterMembers = ['caps', 'arches', 'minKernel'] as const;

/** Where a rule is there at all. */
function readScope(
  includes: unknown,
  excludes: unknown,
  where: string,
): Pick<SeccompRule, 'with' | 'without' | 'since' | 'before' | 'machines'> {
  const wanted = readFilter(includes, `${where}.includes`);
  const unwanted = readFilter(excludes, `${where}.excludes`);
  const machines = Object.entries(machineNames).flatMap(([name, machine]) => {
    const isIn = wanted.arches.length === 0 || wanted.arches.includes(name);
    return isIn && !unwanted.arches.includes(name) ? [machine] : [];
  });
  return {
    with: wanted.caps,
    without: unwanted.caps,
    machines,
    ...(wanted.kernel === undefined ? {} : {since: wanted.kernel}),
    ...(unwanted.kernel === undefined ? {} : {before: unwanted.kernel}),
  };
}

interface Filter {
  readonly caps: readonly string[];
  readonly arches: readonly string[];
  readonly kernel: KernelVersion | undefined;
}

function readFilter(value: unknown, where: string): Filter {
  const filter = members(value ?? {}, where, filterMembers);
  const caps = texts(filter['caps'], `${where}.caps`).map((name) => {
    const short = name.replace(/^CAP_/, '');
    if (short === name || !isCapability(short)) throw badProfile(`${where}.caps: unknown name "${name}"`);
    return short;
  });
  const version = text(filter['minKernel'], `${where}.minKernel`);
  return {caps, arches: texts(filter['arches'], `${where}.arches`), kernel: readKernel(version)};
}

function readKernel(version: string): KernelVersion | undefined {
  if (version === '') return undefined;
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(version) ?? [];
  if (major === undefined || minor === undefined)
    throw badProfile(`invalid kernel version: "${version}", expected "<kernel>.<major>"`);
  return [Number(major), Number(minor)];
}

const operators = {
  SCMP_CMP_NE: '!=',
  SCMP_CMP_LT: '<',
  SCMP_CMP_LE: '<=',
  SCMP_CMP_EQ: '==',
  SCMP_CMP_GE: '>=',
  SCMP_CMP_GT: '>',
  SCMP_CMP_MASKED_EQ: 'masked',
} as const;

/** An argument's number and values; with a mask the first value is the mask. */
function readCondition(item: unknown, where: string): Condition {
  const argument = members(item, where, ['index', 'value', 'valueTwo', 'op']);
  const most = 2n ** 64n - 1n;
  const index = Number(whole(argument['index'], `${where}.index`, 5) ?? 0) as Condition['argument'];
  const value = whole(argument['value'], `${where}.value`, most) ?? 0;
  const second = whole(argument['valueTwo'], `${where}.valueTwo`, most) ?? 0;
  const operator = named(operators, text(argument['op'], `${where}.op`), `${where}.op`);
  return operator === 'masked'
    ? {argument: index, operator: '==', mask: value, value: second}
    : {argument: index, operator, value};
}

/** Those of no machine that this engine runs on let nothing in. */
const conventionNames: Readonly<Record<string, ConventionName | 'other'>> = {
  SCMP_ARCH_X86_64: 'SCMP_ARCH_X86_64',
  SCMP_ARCH_X32: 'SCMP_ARCH_X32',
  SCMP_ARCH_X86: 'SCMP_ARCH_X86',
  SCMP_ARCH_AARCH64: 'SCMP_ARCH_AARCH64',
  SCMP_ARCH_ARM: 'SCMP_ARCH_ARM',
  ...Object.fromEntries(
    [
      ...[
        'MIPS',
        'MIPS64',
        'MIPS64N32',
        'MIPSEL',
        'MIPSEL64',
        'MIPSEL64N32',
        'PPC',
        'PPC64',
        'PPC64LE',
        'S390',
        'S390X',
      ],
      ...['PARISC', 'PARISC64', 'RISCV64', 'LOONGARCH64', 'M68K', 'SH', 'SHEB'],
    ].map((name) => [`SCMP_ARCH_${name}`, 'other' as const]),
  ),
};

/** A plain list counts as it is; of a map the row of the machine's own convention. */
function readConventions(list: unknown, map: unknown): readonly ConventionName[] {
  const plain = texts(list, 'architectures').map((name) => named(conventionNames, name, 'architectures'));
  const rows = items(map, 'archMap').map((row, index) => readRow(row, `archMap[${index}]`));
  if (plain.length > 0 && rows.length > 0)
    throw badProfile(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  return [...plain, ...rows.flat()].filter((name) => name !== 'other');
}

function readRow(value: unknown, where: string): readonly (ConventionName | 'other')[] {
  const row = members(value, where, ['architecture', 'subArchitectures']);
  const own = named(conventionNames, text(row['architecture'], `${where}.architecture`), where);
  const others = texts(row['subArchitectures'], `${where}.subArchitectures`).map((name) =>
    named(conventionNames, name, where),
  );
  return own === 'SCMP_ARCH_X86_64' || own === 'SCMP_ARCH_AARCH64' ? [own, ...others] : [];
}

/** SECCOMP_FILTER_FLAG_* (linux/seccomp.h). The process that loads it has one thread: there is nobody to synchronize. */
const flags = {
  SECCOMP_FILTER_FLAG_TSYNC: 0,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
} as const;

function readFlag(name: string): number {
  if (name === 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV') throw unsupported(`the flag ${name} in a seccomp profile`);
  return named(flags, name, 'flags');
}
