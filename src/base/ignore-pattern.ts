import {posix} from 'node:path';
import {TscomposeError} from './errors.ts';
import {goRegExp} from './go-regexp.ts';
import {textMatcher} from './text-pattern.ts';

/** One pattern of a `.dockerignore` file. */
export interface IgnorePattern {
  /** `!`: what it matches counts after all. */
  readonly negated: boolean;
  matches(path: string): boolean;
  /** False only if it cannot match any path below the directory. */
  mayMatchBelow(directory: string): boolean;
}

/** What Go takes for white space. */
const space = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
const spaceAround = new RegExp(`^${space}|${space}$`, 'g');

function clean(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/**
 * The patterns of a `.dockerignore` file, as github.com/moby/patternmatcher/ignorefile reads it: a byte order mark is
 * left out, `#` in the first column begins a comment, paths are cleaned, a leading slash means nothing.
 */
export function readIgnoreFile(text: string): readonly string[] {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  return lines.filter((line) => !line.startsWith('#')).flatMap(normalizePattern);
}

/** One pattern cleaned, or none where the line is blank. */
export function normalizePattern(line: string): readonly string[] {
  const trimmed = line.replace(spaceAround, '');
  if (trimmed === '') return [];
  const negated = trimmed.startsWith('!');
  const rest = negated ? trimmed.slice(1).replace(spaceAround, '') : trimmed;
  const path = rest === '' ? '' : clean(rest);
  return [`${negated ? '!' : ''}${path.length > 1 && path.startsWith('/') ? path.slice(1) : path}`];
}

/**
 * A cleaned pattern made ready, by the rules of github.com/moby/patternmatcher: `*` and `?` stay within a name, `**` is
 * any number of directories.
 * @throws TscomposeError `invalid` for what is no pattern.
 */
export function compileIgnorePattern(pattern: string): IgnorePattern {
  const negated = pattern.startsWith('!');
  const path = negated ? pattern.slice(1) : pattern;
  const bad = (): TscomposeError => new TscomposeError('invalid', `"${pattern}" is not a pattern of paths`);
  if (path === '' || !isGlob(path)) throw bad();
  const matches = matcherOf(path);
  if (matches === undefined) throw bad();
  return {negated, matches, mayMatchBelow: belowTest(path)};
}

/** The syntax check of Go's `filepath.Match`, which patterns have to pass although another matcher reads them. */
function isGlob(pattern: string): boolean {
  const characters = [...pattern];
  let at = 0;
  const member = (): boolean => {
    const character = characters[at];
    if (character === undefined || character === '-' || character === ']') return false;
    at += character === '\\' ? 2 : 1;
    // A class that ends with the pattern was never closed.
    return at < characters.length;
  };
  while (at < characters.length) {
    const character = characters[at];
    at += 1;
    if (character === '\\') {
      if (at === characters.length) return false;
      at += 1;
    } else if (character === '[') {
      if (characters[at] === '^') at += 1;
      do {
        if (!member()) return false;
        if (characters[at] === '-') {
          at += 1;
          if (!member()) return false;
        }
      } while (characters[at] !== ']');
      at += 1;
    }
  }
  return true;
}

/** Undefined: the pattern makes no regular expression. */
function matcherOf(pattern: string): ((path: string) => boolean) | undefined {
  const {kind, expression} = translate(pattern);
  if (kind === 'exact') return (path) => path === pattern;
  if (kind === 'prefix') {
    const prefix = pattern.slice(0, -2);
    return (path) => path.startsWith(prefix);
  }
  if (kind === 'suffix') {
    const suffix = pattern.slice(2);
    return (path) => path.endsWith(suffix) || (suffix.startsWith('/') && path === suffix.slice(1));
  }
  const parts = goRegExp(expression);
  return parts === undefined ? undefined : textMatcher(parts);
}

interface Translation {
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'expression';
  /** In Go's syntax. Classes are not told from the rest, which gives stars in them a meaning nobody expects. */
  readonly expression: string;
}

function translate(pattern: string): Translation {
  const characters = [...pattern];
  let kind: Translation['kind'] = 'exact';
  let expression = '^';
  let at = 0;
  while (at < characters.length) {
    const character = characters[at] ?? '';
    const first = at === 0;
    at += 1;
    if (character === '*' && characters[at] === '*') {
      at += characters[at + 1] === '/' ? 2 : 1;
      if (at < characters.length) {
        expression += '(.*/)?';
        kind = 'expression';
      } else if (kind === 'exact') {
        kind = 'prefix';
      } else {
        expression += '.*';
        kind = 'expression';
      }
      if (first) kind = 'suffix';
    } else if (character === '*' || character === '?') {
      expression += character === '*' ? '[^/]*' : '[^/]';
      kind = 'expression';
    } else if ('.+()|{}$'.includes(character)) {
      expression += `\\${character}`;
    } else if (character === '\\') {
      expression += `\\${characters[at] ?? ''}`;
      at += 1;
      kind = 'expression';
    } else {
      expression += character;
      if (character === '[' || character === ']') kind = 'expression';
    }
  }
  return {kind, expression: `${expression}$`};
}

/**
 * Compares name by name as far as names say something: a class may match a slash, and `**` any number of names.
 */
function belowTest(pattern: string): (directory: string) => boolean {
  if (/[[\]\\]/.test(pattern)) return () => true;
  const names = pattern.split('/').map((name) => (name.includes('**') ? undefined : nameTest(name)));
  return (directory) => {
    const parts = directory === '' ? [] : directory.split('/');
    for (const [index, part] of parts.entries()) {
      if (index >= names.length) return false;
      const test = names[index];
      if (test === undefined) return true;
      if (!test(part)) return false;
    }
    return names.length > parts.length;
  };
}

function nameTest(name: string): (part: string) => boolean {
  if (!/[*?]/.test(name)) return (part) => part === name;
  const parts = goRegExp(translate(name).expression);
  return parts === undefined ? () => true : textMatcher(parts);
}
