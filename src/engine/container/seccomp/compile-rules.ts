import {and, comparisons, giveBack, type Instruction, loadArgument} from './bpf.ts';
import type {Condition} from './profile.ts';

export interface Alternative {
  /** All must hold; none: always. */
  readonly when: readonly Condition[];
  readonly verdict: number;
}

/** Where to go on: the next step, behind this condition (it holds), or the next alternative (it does not). */
type Way = 'next' | 'holds' | 'fails';

type Step =
  | Instruction
  | {readonly test: keyof typeof comparisons; readonly operand: number; readonly yes: Way; readonly no: Way};

/** Decides one system call: the first alternative whose conditions hold, else `otherwise`. */
export function compileRules(
  alternatives: readonly Alternative[],
  otherwise: number,
  argumentBits: 32 | 64,
): readonly Instruction[] {
  const program: Instruction[] = [];
  for (const {when, verdict} of alternatives) {
    const conditions = when.map((condition) => (argumentBits === 64 ? wideSteps(condition) : lowSteps(condition)));
    const length = conditions.reduce((sum, steps) => sum + steps.length, 0);
    let position = 0;
    for (const steps of conditions) {
      const behind = position + steps.length;
      for (const step of steps) {
        position += 1;
        const distances = {next: 0, holds: behind - position, fails: length + 1 - position};
        program.push(
          'test' in step ? [comparisons[step.test], distances[step.yes], distances[step.no], step.operand] : step,
        );
      }
    }
    program.push(giveBack(verdict));
    if (when.length === 0) return program;
  }
  return [...program, giveBack(otherwise)];
}

/** The two words of a 64-bit number. */
function words(value: number | bigint): readonly [high: number, low: number] {
  if (typeof value === 'number') return [Math.floor(value / 2 ** 32), value >>> 0];
  return [Number((value >> 32n) & 0xffffffffn), Number(value & 0xffffffffn)];
}

/** It counts in tests for equality only. */
function maskOf({operator, mask}: Condition): readonly [high: number, low: number] {
  return operator === '==' && mask !== undefined ? words(mask) : [0xffffffff, 0xffffffff];
}

/** Compares both halves: the high ones decide unless they are equal. */
function wideSteps(condition: Condition): readonly Step[] {
  const {argument, operator} = condition;
  const [mask] = maskOf(condition);
  const high = (words(condition.value)[0] & mask) >>> 0;
  const load = loadArgument(argument, 'high');
  const equal = (yes: Way, no: Way): Step => ({test: '==', operand: high, yes, no});
  const greater = (yes: Way, no: Way): Step => ({test: '>', operand: high, yes, no});
  switch (operator) {
    case '==':
      if (mask === 0) return lowSteps(condition);
      return [load, ...maskSteps(mask), equal('next', 'fails'), ...lowSteps(condition)];
    case '!=':
      return [load, equal('next', 'holds'), ...lowSteps(condition)];
    case '<':
    case '<=':
      return [load, greater('fails', 'next'), equal('next', 'holds'), ...lowSteps(condition)];
    case '>':
    case '>=':
      return [load, greater('holds', 'next'), equal('next', 'fails'), ...lowSteps(condition)];
  }
}

function lowSteps(condition: Condition): readonly Step[] {
  const {argument, operator, value} = condition;
  const [, lowMask] = maskOf(condition);
  const low = (words(value)[1] & lowMask) >>> 0;
  const load = loadArgument(argument, 'low');
  switch (operator) {
    case '==':
      return [load, ...maskSteps(lowMask), {test: '==', operand: low, yes: 'next', no: 'fails'}];
    case '!=':
      return [load, {test: '==', operand: low, yes: 'fails', no: 'next'}];
    case '<':
      return [load, {test: '>=', operand: low, yes: 'fails', no: 'next'}];
    case '<=':
      return [load, {test: '>', operand: low, yes: 'fails', no: 'next'}];
    case '>':
      return [load, {test: '>', operand: low, yes: 'next', no: 'fails'}];
    case '>=':
      return [load, {test: '>=', operand: low, yes: 'next', no: 'fails'}];
  }
}

function maskSteps(mask: number): readonly Step[] {
  return mask === 0xffffffff ? [] : [and(mask)];
}
