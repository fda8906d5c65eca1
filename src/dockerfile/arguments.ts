import {didYouMean} from '../base/suggest.ts';
import {type FlagKind, splitFlags} from './flags.ts';
import type {Command, Flag} from './instruction.ts';
import {type LogicalLine, placeIn} from './logical-line.ts';
import type {Findings} from './source.ts';
import {fields, type Word} from './words.ts';

/** What an instruction is given: its flags, and its text after them. */
export interface Arguments {
  readonly line: LogicalLine;
  readonly escapeToken: string;
  readonly keyword: string;
  readonly flags: ReadonlyMap<string, readonly Flag[]>;
  /** What comes after the flags, without blanks around it. */
  readonly text: string;
  /** Where that begins in the line. */
  readonly at: number;
  fail(at: number, end: number, code: string, message: string, hint: string): undefined;
  warn(at: number, end: number, code: string, message: string, hint: string): void;
}

export interface Given {
  readonly line: LogicalLine;
  readonly keyword: string;
  /** What follows the keyword, and where. */
  readonly text: string;
  readonly at: number;
  readonly escapeToken: string;
  readonly kinds: Readonly<Record<string, FlagKind>> | undefined;
  readonly findings: Findings;
}

/** Undefined: a flag is wrong, and said so. */
export function readArguments({line, keyword, text, at, escapeToken, kinds, findings}: Given): Arguments | undefined {
  const fail: Arguments['fail'] = (start, end, code, message, hint) => {
    findings.error(placeIn(line, start, end), code, message, hint);
    return undefined;
  };
  const warn: Arguments['warn'] = (start, end, code, message, hint) =>
    findings.warning(placeIn(line, start, end), code, message, hint);
  const {flags, rest} = kinds === undefined ? {flags: [], rest: 0} : splitFlags(text, at);
  const byName = new Map<string, Flag[]>();
  let right = true;
  for (const flag of flags) {
    const problem = flagProblem(flag, kinds ?? {}, byName.has(flag.name), keyword);
    if (problem !== undefined) {
      fail(flag.at, flag.end, problem.code, problem.message, problem.hint);
      right = false;
    }
    byName.set(flag.name, [...(byName.get(flag.name) ?? []), flag]);
  }
  if (!right) return undefined;
  const after = text.slice(rest);
  const indent = after.length - after.trimStart().length;
  return {line, escapeToken, keyword, flags: byName, text: after.trim(), at: at + rest + indent, fail, warn};
}

function flagProblem(
  {name, value, hasValue}: Flag,
  kinds: Readonly<Record<string, FlagKind>>,
  given: boolean,
  keyword: string,
): {readonly code: string; readonly message: string; readonly hint: string} | undefined {
  const known = Object.keys(kinds);
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (kind === undefined) {
    const flags = known.length === 0 ? `${keyword} has no flags` : `flags are --${known.join(', --')}`;
    return {
      code: 'unknown-flag',
      message: `${keyword}: unknown flag --${name}`,
      hint: didYouMean(name, known, '--') ?? flags,
    };
  }
  if (given && kind !== 'list') {
    return {code: 'repeated-flag', message: `${keyword}: --${name} is given twice`, hint: 'remove one of them'};
  }
  if (kind === 'switch') {
    if (!hasValue || value === 'true' || value === 'false') return undefined;
    const hint = `write --${name}, or --${name}=false`;
    return {code: 'invalid-flag', message: `${keyword}: --${name} is true or false, not "${value}"`, hint};
  }
  if (hasValue) return undefined;
  return {code: 'missing-value', message: `${keyword}: --${name} has no value`, hint: `write --${name}=…`};
}

export function textFlag({flags}: Arguments, name: string): Flag | undefined {
  return flags.get(name)?.[0];
}

export function switchFlag({flags}: Arguments, name: string): boolean | undefined {
  const flag = flags.get(name)?.[0];
  return flag === undefined ? undefined : flag.value !== 'false';
}

/** `["a", "b"]`: undefined for any other text, also for a list of other things than texts. */
export function jsonList(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A JSON list, or else the text for the shell. */
export function readCommand({text, at}: Pick<Arguments, 'text' | 'at'>): Command {
  const words = jsonList(text);
  return words === undefined ? {form: 'shell', text, at} : {form: 'list', words};
}

/** Words of a JSON list, or those between blanks. */
export function listOrFields({text, at}: Pick<Arguments, 'text' | 'at'>): readonly Word[] {
  const list = jsonList(text);
  if (list === undefined) return fields(text, at);
  let from = 0;
  return list.map((item) => {
    const found = text.indexOf(JSON.stringify(item), from);
    if (found >= 0) from = found + item.length + 2;
    return {text: item, at: at + Math.max(0, found)};
  });
}
