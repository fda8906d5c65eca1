/** A classic BPF program of a system call filter, as the kernel takes it (linux/filter.h, linux/bpf_common.h). */

/** One instruction: operation, jumps when true and false, operand. */
export type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, operand: number];

/** Offsets in struct seccomp_data (linux/seccomp.h). Arguments are 64 bits wide, the low half first on our machines. */
const offsets = {number: 0, architecture: 4, argumentsStart: 16} as const;

export const loadNumber: Instruction = [0x20, 0, 0, offsets.number];
export const loadArchitecture: Instruction = [0x20, 0, 0, offsets.architecture];

export function loadArgument(index: number, half: 'low' | 'high'): Instruction {
  return [0x20, 0, 0, offsets.argumentsStart + 8 * index + (half === 'high' ? 4 : 0)];
}

export function giveBack(verdict: number): Instruction {
  return [0x06, 0, 0, verdict];
}

export function and(mask: number): Instruction {
  return [0x54, 0, 0, mask];
}

export function jump(distance: number): Instruction {
  return [0x05, 0, 0, distance];
}

/** Unsigned comparisons of the accumulator with the operand. */
export const comparisons = {'==': 0x15, '>': 0x25, '>=': 0x35} as const;

/** Runs `yes` where the comparison holds, else `no`. Both must end in a verdict or a jump. */
export function branch(
  comparison: keyof typeof comparisons,
  operand: number,
  yes: readonly Instruction[],
  no: readonly Instruction[],
): readonly Instruction[] {
  // A conditional jump reaches 255 instructions, an unconditional one everything.
  if (no.length <= 255) return [[comparisons[comparison], no.length, 0, operand], ...no, ...yes];
  return [[comparisons[comparison], 0, 1, operand], jump(no.length), ...no, ...yes];
}

/** Array of struct sock_filter, little-endian: u16 code, u8 jt, u8 jf, u32 k. */
export function encodeInstructions(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(([code, jumpTrue, jumpFalse, operand], index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jumpTrue);
    view.setUint8(index * 8 + 3, jumpFalse);
    view.setUint32(index * 8 + 4, operand, true);
  });
  return bytes;
}
