import type {Arguments} from '../arguments.ts';
import type {FlagKind} from '../flags.ts';
import type {Instruction, Instructions, Keyword} from '../instruction.ts';

/** How one instruction is read. */
export interface Row<K extends Keyword> {
  /** Undefined: words that begin with `--` are words like others. */
  readonly flags: Readonly<Record<string, FlagKind>> | undefined;
  /** Undefined: it says nothing that can be used, and that was told. */
  read(given: Arguments, nested: NestedReader): Instructions[K] | undefined;
}

/** Reads an instruction that stands in another one (`ONBUILD RUN …`). */
export type NestedReader = (text: string, at: number) => Instruction | undefined;

export const noFlags: Readonly<Record<string, FlagKind>> = {};
