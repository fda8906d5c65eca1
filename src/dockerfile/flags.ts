import type {Flag} from './instruction.ts';
import {isBlank} from './words.ts';

/** How a flag is given: with a value, as a switch with an optional one, or with a value any number of times. */
export type FlagKind = 'text' | 'switch' | 'list';

/** The flags at the beginning of an instruction's text, and where the rest begins. */
export function splitFlags(text: string, offset: number): {readonly flags: readonly Flag[]; readonly rest: number} {
  const flags: Flag[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && isBlank(text.charAt(at))) at++;
    if (!text.startsWith('--', at)) return {flags, rest: at};
    const {value, end} = readFlag(text, at);
    if (value === '--') return {flags, rest: end};
    const equals = value.indexOf('=');
    const name = equals < 0 ? value.slice(2) : value.slice(2, equals);
    const valueAt = equals < 0 ? end : text.indexOf('=', at) + 1;
    flags.push({
      name,
      value: equals < 0 ? '' : value.slice(equals + 1),
      hasValue: equals >= 0,
      at: offset + at,
      end: offset + end,
      valueAt: offset + valueAt,
    });
    at = end;
  }
}

/** A flag's text up to the next blank outside quotes; quotes and backslashes are taken away. */
function readFlag(text: string, start: number): {readonly value: string; readonly end: number} {
  let value = '';
  let quote = '';
  let at = start;
  for (; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '\\' && at + 1 < text.length) value += text.charAt(++at);
    else if (quote !== '') {
      if (character === quote) quote = '';
      else value += character;
    } else if (character === '"' || character === "'") quote = character;
    else if (isBlank(character)) break;
    else value += character;
  }
  return {value, end: at};
}
