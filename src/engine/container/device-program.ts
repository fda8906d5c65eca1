import {TscomposeError} from '../../base/errors.ts';

/** What a rule lets a process do with device nodes. */
export interface DeviceRule {
  /** `any`: character and block devices. */
  readonly type: 'character' | 'block' | 'any';
  /** Absent: all. */
  readonly major?: number;
  readonly minor?: number;
  readonly read: boolean;
  readonly write: boolean;
  readonly make: boolean;
}

/** The kernel's numbers have 32 bits together; a rule may name any, and is then about no device. */
const mostNumber = 0xffffffff;

/** Parses a line of an API body or of our own: `c 1:3 rwm`, `b *:* m`, `a 7:* r`. Throws `invalid`, in Docker's words. */
export function parseDeviceRule(line: string): DeviceRule {
  const parts = /^([abc]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(line);
  const [, type, major, minor, access = ''] = parts ?? [];
  if (parts === null || Number(major) > mostNumber || Number(minor) > mostNumber) {
    throw new TscomposeError('invalid', `invalid device cgroup rule format: '${line}'`, {
      hint: 'it is TYPE MAJOR:MINOR ACCESS, like "c 1:3 rwm"',
    });
  }
  return {
    type: type === 'c' ? 'character' : type === 'b' ? 'block' : 'any',
    ...(major === '*' ? {} : {major: Number(major)}),
    ...(minor === '*' ? {} : {minor: Number(minor)}),
    read: access.includes('r'),
    write: access.includes('w'),
    make: access.includes('m'),
  };
}

/**
 * The same as lines for the v1 file devices.allow. There a line of type `a` allows everything, whatever else it says
 * (security/device_cgroup.c): what is meant are two lines.
 */
export function v1Lines(line: string): readonly string[] {
  return line.startsWith('a ') ? [`c${line.slice(1)}`, `b${line.slice(1)}`] : [line];
}

/** Constants of struct bpf_cgroup_dev_ctx (linux/bpf.h, BPF_DEVCG_*). */
const types = {block: 1, character: 2} as const;
const accesses = {make: 1, read: 2, write: 4} as const;
const allAccesses = accesses.make | accesses.read | accesses.write;

/** One instruction: operation, destination and source register, jump distance or offset, operand. */
type Instruction = readonly [code: number, destination: number, source: number, offset: number, operand: number];

const operations = {
  loadWord: 0x61,
  moveNumber: 0xb7,
  move: 0xbf,
  and: 0x54,
  shiftRight: 0x74,
  jumpNotEqual: 0x55,
  exit: 0x95,
};

/** r0: result, r1: context, then what the context says. */
const registers = {result: 0, context: 1, type: 2, access: 3, major: 4, minor: 5, scratch: 6} as const;

/**
 * Compiles rules to an eBPF program of type BPF_PROG_TYPE_CGROUP_DEVICE, an array of struct bpf_insn: 1 where a rule
 * allows everything that is asked for, else 0. As with the v1 files, rules for the same devices are joined, and one
 * joined rule must allow the whole request.
 */
export function compileDeviceProgram(lines: readonly string[]): Uint8Array {
  const rules = joinRules(lines.map(parseDeviceRule));
  const {result, context, type, access, major, minor} = registers;
  const program: Instruction[] = [
    [operations.loadWord, type, context, 0, 0],
    [operations.move, access, type, 0, 0],
    [operations.and, type, 0, 0, 0xffff],
    [operations.shiftRight, access, 0, 0, 16],
    [operations.loadWord, major, context, 4, 0],
    [operations.loadWord, minor, context, 8, 0],
    ...rules.flatMap(compileRule),
    [operations.moveNumber, result, 0, 0, 0],
    [operations.exit, 0, 0, 0, 0],
  ];
  return encode(program);
}

/** Rules for the same devices become one that allows what any of them allows. */
function joinRules(rules: readonly DeviceRule[]): readonly DeviceRule[] {
  const joined = new Map<string, DeviceRule>();
  for (const rule of rules) {
    const key = `${rule.type} ${rule.major ?? '*'}:${rule.minor ?? '*'}`;
    const other = joined.get(key) ?? rule;
    joined.set(key, {
      ...rule,
      read: rule.read || other.read,
      write: rule.write || other.write,
      make: rule.make || other.make,
    });
  }
  return [...joined.values()];
}

function compileRule(rule: DeviceRule): readonly Instruction[] {
  const {result, type, access, major, minor, scratch} = registers;
  const allowed = (rule.read ? accesses.read : 0) | (rule.write ? accesses.write : 0) | (rule.make ? accesses.make : 0);
  // Each test jumps behind the rule where it fails: its distance is known once the rule is complete.
  const tests: (readonly Instruction[])[] = [];
  if (rule.type !== 'any') tests.push([[operations.jumpNotEqual, type, 0, 0, types[rule.type]]]);
  if (allowed !== allAccesses) {
    tests.push([
      [operations.move, scratch, access, 0, 0],
      [operations.and, scratch, 0, 0, allAccesses & ~allowed],
      [operations.jumpNotEqual, scratch, 0, 0, 0],
    ]);
  }
  if (rule.major !== undefined) tests.push([[operations.jumpNotEqual, major, 0, 0, rule.major]]);
  if (rule.minor !== undefined) tests.push([[operations.jumpNotEqual, minor, 0, 0, rule.minor]]);
  const body: readonly Instruction[] = [
    ...tests.flat(),
    [operations.moveNumber, result, 0, 0, 1],
    [operations.exit, 0, 0, 0, 0],
  ];
  return body.map(([code, destination, source, offset, operand], index) => {
    const distance = code === operations.jumpNotEqual ? body.length - index - 1 : offset;
    return [code, destination, source, distance, operand] as const;
  });
}

/** struct bpf_insn: u8 code, destination and source in 4 bits each, s16 offset, s32 operand. */
function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(([code, destination, source, offset, operand], index) => {
    view.setUint8(index * 8, code);
    view.setUint8(index * 8 + 1, destination | (source << 4));
    view.setInt16(index * 8 + 2, offset, true);
    view.setInt32(index * 8 + 4, operand, true);
  });
  return bytes;
}
