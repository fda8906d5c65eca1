import {graphemes} from '../../base/graphemes.ts';
import type {Key} from '../types.ts';

/** What a terminal sends: keys, pastes, and, where it was asked to, whether it has the focus. */
export type TerminalInput =
  | {readonly kind: 'key'; readonly key: Key}
  | {readonly kind: 'focus'; readonly focused: boolean};

export interface KeyDecoder {
  /** Text as it arrives, in pieces of any size. */
  push(text: string): readonly TerminalInput[];
  /** Nothing came after what is held: then an escape is the key of that name. */
  flush(): readonly TerminalInput[];
  /** Something is held that more could come after. */
  readonly pending: boolean;
}

const escapeByte = '\x1b';
const pasteBegin = '\x1b[200~';
const pasteEnd = '\x1b[201~';
/** More is cut: nobody pastes a book into a search. */
const longestPaste = 64 * 1024;

/** xterm's control sequences, as all of today's terminals send them; `[[A` is the Linux console's. */
const letters: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  P: 'f1',
  Q: 'f2',
  R: 'f3',
  S: 'f4',
  Z: 'tab',
  M: 'enter',
  '[A': 'f1',
  '[B': 'f2',
  '[C': 'f3',
  '[D': 'f4',
  '[E': 'f5',
};

const numbers: Readonly<Record<string, string>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
  11: 'f1',
  12: 'f2',
  13: 'f3',
  14: 'f4',
  15: 'f5',
  17: 'f6',
  18: 'f7',
  19: 'f8',
  20: 'f9',
  21: 'f10',
  23: 'f11',
  24: 'f12',
};

/** Modifier bits as xterm sends them, one more than the sum. */
const modifier = {shift: 1, meta: 2, ctrl: 4} as const;

export function createKeyDecoder(): KeyDecoder {
  let held = '';
  const decode = (text: string, final: boolean): readonly TerminalInput[] => {
    const inputs: TerminalInput[] = [];
    let rest = text;
    while (rest !== '') {
      const step = next(rest, final);
      if (step === undefined) break;
      inputs.push(...step.inputs);
      rest = rest.slice(step.length);
    }
    held = rest;
    return inputs;
  };
  return {
    push: (text) => decode(held + text, false),
    flush: () => decode(held, true),
    get pending() {
      return held !== '';
    },
  };
}

interface Step {
  readonly inputs: readonly TerminalInput[];
  readonly length: number;
}

/** The first key of the text; undefined: more has to come before it is known. */
function next(text: string, final: boolean): Step | undefined {
  if (!text.startsWith(escapeByte)) return plainRun(text);
  if (text.startsWith(pasteBegin)) return paste(text, final);
  const sequence = /^\x1b(?:\[\[[A-E]|\[[0-?]*[ -/]*[@-~]|O[@-~])/.exec(text)?.[0];
  if (sequence !== undefined) return {inputs: readSequence(sequence), length: sequence.length};
  if (!final && /^\x1b(?:\[\[?[0-?]*[ -/]*|O)?$/.test(text)) return undefined;
  const after = text.slice(1);
  // A key with Alt comes in one piece with its escape; two escapes are two.
  if (after === '' || after.startsWith(escapeByte)) return {inputs: [keyInput('escape')], length: 1};
  const first = graphemes(after)[0] ?? '';
  return {
    inputs: character(first).map((input) =>
      input.kind === 'key' ? {...input, key: {...input.key, meta: true, text: ''}} : input,
    ),
    length: 1 + first.length,
  };
}

function paste(text: string, final: boolean): Step | undefined {
  const end = text.indexOf(pasteEnd);
  if (end < 0 && !final && text.length < longestPaste) return undefined;
  const content = text.slice(pasteBegin.length, end < 0 ? undefined : end);
  return {
    inputs: [keyInput('paste', {text: content.slice(0, longestPaste)})],
    length: end < 0 ? text.length : end + pasteEnd.length,
  };
}

function readSequence(sequence: string): readonly TerminalInput[] {
  if (sequence === '\x1b[I' || sequence === '\x1b[O') return [{kind: 'focus', focused: sequence.endsWith('I')}];
  const [, parameters = '', last = ''] = /^\x1b[[O](\[?[0-?]*)[ -/]*(.)$/.exec(sequence) ?? [];
  const [number = '', bits = '1'] = parameters.split(';');
  const name = last === '~' ? numbers[number] : letters[parameters === '[' ? `[${last}` : last];
  // Of a terminal that answers something we did not ask, or has keys that nobody knows.
  if (name === undefined || /^[<>=?]/.test(parameters)) return [];
  const held = Math.max(0, Number(bits) - 1) || 0;
  return [
    keyInput(name, {
      shift: (held & modifier.shift) !== 0 || sequence === '\x1b[Z',
      meta: (held & modifier.meta) !== 0,
      ctrl: (held & modifier.ctrl) !== 0,
    }),
  ];
}

/** Characters up to the next escape. */
function plainRun(text: string): Step {
  const end = text.indexOf(escapeByte);
  const run = end < 0 ? text : text.slice(0, end);
  return {inputs: graphemes(run).flatMap(character), length: run.length};
}

function character(text: string): readonly TerminalInput[] {
  const code = text.codePointAt(0) ?? 0;
  if (text === '\r' || text === '\n' || text === '\r\n') return [keyInput('enter')];
  if (text === '\t') return [keyInput('tab')];
  if (code === 0x7f || code === 0x08) return [keyInput('backspace')];
  if (text === ' ') return [keyInput('space', {text})];
  if (code === 0) return [keyInput('space', {ctrl: true})];
  if (code < 0x20) return [keyInput(String.fromCharCode(code + (code <= 26 ? 96 : 64)), {ctrl: true})];
  if (code >= 0x80 && code < 0xa0) return [];
  return [keyInput(text, {text, shift: text !== text.toLowerCase()})];
}

function keyInput(name: string, more: Partial<Key> = {}): TerminalInput {
  return {kind: 'key', key: {name, ctrl: false, meta: false, shift: false, text: '', ...more}};
}
