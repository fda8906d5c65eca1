import type {PatternPart} from './text-pattern.ts';

/**
 * The parts of a regular expression in the syntax of Go's `regexp`, as far as patterns of paths can contain it: literals,
 * escapes, classes, groups that may be missing, and `*`. Undefined: Go would refuse it, or it uses what no file name calls for
 * (`\p`, `\Q`, `\x` and octal escapes).
 */
export function goRegExp(expression: string): readonly PatternPart[] | undefined {
  const characters = [...expression];
  const parts: PatternPart[] = [];
  let open = parts;
  let at = 0;
  while (at < characters.length) {
    const character = characters[at] ?? '';
    let one: string | undefined;
    if (character === '\\') {
      const next = characters[at + 1] ?? '';
      one = outside[next] ?? escaped(next);
      if (one === undefined) return undefined;
      at += 2;
    } else if (character === '[') {
      const parsed = readClass(characters, at);
      if (parsed === undefined) return undefined;
      one = parsed.text;
      at = parsed.next;
    } else at += 1;
    if (character === '(') {
      const maybe: PatternPart[] = [];
      parts.push({maybe});
      open = maybe;
    } else if (character === ')') {
      // Only what may be missing stands in a group.
      open = parts;
      at += 1;
    } else {
      // Without the flag "s" a dot is anything but a line feed.
      one ??= character === '.' ? '[^\\n]' : '^$'.includes(character) ? character : literal(character);
      const repeated = characters[at] === '*';
      open.push(places.has(one) ? {place: one} : {one, ...(repeated ? {repeat: '*' as const} : {})});
      if (repeated) at += 1;
    }
  }
  return parts;
}

const places = new Set(['^', '$', '\\b', '\\B']);

const outside: Readonly<Record<string, string>> = {
  b: '\\b',
  B: '\\B',
  A: '^',
  z: '$',
  D: '\\D',
  S: '[^\\t\\n\\f\\r ]',
  W: '\\W',
  s: '[\\t\\n\\f\\r ]',
};

const controls: Readonly<Record<string, string>> = {a: '\\x07', f: '\\f', n: '\\n', r: '\\r', t: '\\t', v: '\\v'};

const sets: Readonly<Record<string, string>> = {d: '0-9', s: '\\t\\n\\f\\r ', w: '0-9A-Za-z_'};

/** ASCII punctuation stands for itself; of letters and digits only some may be escaped. */
function escaped(character: string): string | undefined {
  if (/^[\0-\x7f]$/.test(character) && !/[0-9A-Za-z]/.test(character)) return literal(character);
  if (character === 'd' || character === 'w') return `[${sets[character]}]`;
  return controls[character];
}

function literal(character: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

const named: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

interface Class {
  readonly text: string;
  readonly next: number;
}

/** `[…]` from the bracket on; in it `[` and everything but `]`, `\`, `-` and `[:name:]` stand for themselves. */
function readClass(characters: readonly string[], start: number): Class | undefined {
  let at = start + 1;
  const negated = characters[at] === '^';
  if (negated) at += 1;
  let text = '';
  for (let first = true; first || characters[at] !== ']'; first = false) {
    if (at >= characters.length) return undefined;
    const name = /^\[:(\^?[a-z]*):\]/.exec(characters.slice(at, at + 12).join(''))?.[1];
    if (name !== undefined) {
      const set = named[name];
      if (set === undefined) return undefined;
      text += set;
      at += name.length + 4;
      continue;
    }
    const set = characters[at] === '\\' ? sets[characters[at + 1] ?? ''] : undefined;
    if (set !== undefined) {
      text += set;
      at += 2;
      continue;
    }
    const low = readMember(characters, at);
    if (low === undefined) return undefined;
    at = low.next;
    let high = low;
    if (characters[at] === '-' && at + 1 < characters.length && characters[at + 1] !== ']') {
      const end = readMember(characters, at + 1);
      if (end === undefined || end.code < low.code) return undefined;
      high = end;
      at = end.next;
    }
    text += high === low ? low.text : `${low.text}-${high.text}`;
  }
  return {text: `[${negated ? '^' : ''}${text}]`, next: at + 1};
}

interface Member {
  readonly text: string;
  readonly code: number;
  readonly next: number;
}

const controlCodes: Readonly<Record<string, number>> = {a: 7, t: 9, n: 10, v: 11, f: 12, r: 13};

function readMember(characters: readonly string[], at: number): Member | undefined {
  const isEscape = characters[at] === '\\';
  const character = characters[isEscape ? at + 1 : at];
  if (character === undefined) return undefined;
  const control = isEscape ? controlCodes[character] : undefined;
  if (isEscape && control === undefined && !/^[!-/:-@[-`{-~ \0-\x1f\x7f]$/.test(character)) return undefined;
  const code = control ?? character.codePointAt(0) ?? 0;
  return {text: `\\u{${code.toString(16)}}`, code, next: at + (isEscape ? 2 : 1)};
}
