/** A call as a filter sees it: struct seccomp_data of linux/seccomp.h. */
export interface Call {
  readonly number: number;
  readonly architecture: number;
  readonly arguments?: readonly bigint[];
}

/** AUDIT_ARCH_* of linux/audit.h. */
export const architectures = {
  x8664: 0xc000003e,
  x86: 0x40000003,
  arm64: 0xc00000b7,
  arm: 0x40000028,
  riscv64: 0xc00000f3,
} as const;

export const verdicts = {allow: 0x7fff0000, errno: 0x00050000, killThread: 0, killProcess: 0x80000000} as const;

/** Runs a classic BPF program (linux/filter.h) as the kernel does; throws for what the kernel would not load. */
export function interpret(program: Uint8Array, call: Call): number {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call.number, true);
  data.setUint32(4, call.architecture, true);
  for (const [index, value] of (call.arguments ?? []).entries())
    data.setBigUint64(16 + 8 * index, BigInt.asUintN(64, value), true);
  const memory = new Uint32Array(16);
  let accumulator = 0;
  for (let at = 0; at < program.length; at += 8) {
    const operation = code.getUint16(at, true);
    const operand = code.getUint32(at + 4, true);
    const jump = (holds: boolean): void => {
      at += 8 * code.getUint8(at + (holds ? 2 : 3));
    };
    switch (operation) {
      case 0x20: // ld [k]
        if (operand % 4 !== 0) throw new Error(`load from ${operand}`);
        accumulator = data.getUint32(operand, true);
        break;
      case 0x02: // st M[k]
        memory[operand] = accumulator;
        break;
      case 0x60: // ld M[k]
        accumulator = memory[operand] ?? 0;
        break;
      case 0x54: // and #k
        accumulator = (accumulator & operand) >>> 0;
        break;
      case 0x05: // ja
        at += 8 * operand;
        break;
      case 0x15:
        jump(accumulator === operand);
        break;
      case 0x25:
        jump(accumulator > operand);
        break;
      case 0x35:
        jump(accumulator >= operand);
        break;
      case 0x45:
        jump((accumulator & operand) !== 0);
        break;
      case 0x06: // ret #k
        return operand;
      case 0x16: // ret A
        return accumulator;
      default:
        throw new Error(`operation 0x${operation.toString(16)} at ${at / 8}`);
    }
  }
  throw new Error('the program has no end');
}

/** What the kernel checks when it loads a program: every jump stays inside, every instruction may be the last only if it returns. */
export function checkLoadable(program: Uint8Array): void {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const count = program.length / 8;
  if (count < 1 || count > 4096) throw new Error(`${count} instructions`);
  for (let index = 0; index < count; index += 1) {
    const operation = code.getUint16(index * 8, true);
    const distances =
      operation === 0x05
        ? [code.getUint32(index * 8 + 4, true)]
        : (operation & 7) === 5
          ? [code.getUint8(index * 8 + 2), code.getUint8(index * 8 + 3)]
          : (operation & 7) === 6
            ? []
            : [0];
    for (const distance of distances)
      if (index + 1 + distance >= count) throw new Error(`instruction ${index} leads outside`);
  }
}
