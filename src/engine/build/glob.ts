import {TscomposeError} from '../../base/errors.ts';
import {type PatternPart, textMatcher} from '../../base/text-pattern.ts';

/** Whether a source names by wildcards; a character that is escaped is none, and then stays as it is written. */
export function hasWildcards(pattern: string): boolean {
  return /^(?:\\.|[^\\*?[])*[*?[]/su.test(pattern);
}

/**
 * Go's filepath.Match, by which COPY and ADD read wildcards: they stay within a name, except for `**`, which is any number
 * of directories. Throws `invalid` for what cannot be read.
 */
export function compileGlob(pattern: string): (path: string) => boolean {
  const parts = partsOf(pattern);
  if (parts !== undefined) return textMatcher(parts);
  throw new TscomposeError('invalid', `"${pattern}" is not a pattern of names`, {
    hint: 'close each "[" by a "]", or write "\\[" for the bracket itself',
  });
}

const directories: PatternPart = {maybe: [{one: '.', repeat: '*'}, {one: '/'}]};

function partsOf(pattern: string): readonly PatternPart[] | undefined {
  const parts: PatternPart[] = [];
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (character === '*' && characters[at + 1] === '*' && characters[at + 2] === '/') {
      parts.push(directories);
      at += 2;
    } else if (character === '*') parts.push({one: '[^/]', repeat: '*'});
    else if (character === '?') parts.push({one: '[^/]'});
    else if (character === '\\') parts.push({one: literal(characters[++at] ?? '\\')});
    else if (character === '[') {
      const found = /^\[\^?(?:\\.|[^\\\]])+\]/su.exec(characters.slice(at).join(''))?.[0];
      if (found === undefined) return undefined;
      parts.push({one: classOf(found)});
      at += [...found].length - 1;
    } else parts.push({one: literal(character)});
  }
  return parts;
}

/** A class by the numbers of its characters: signs that a regular expression knows in one mean nothing here. */
function classOf(text: string): string {
  const negated = text.startsWith('[^');
  const members = [...text.slice(negated ? 2 : 1, -1).matchAll(/(\\?.)(?:-(\\?.))?/gsu)].flatMap(
    ([, low = '', high]) => {
      const [first, last] = [codeOf(low), codeOf(high ?? low)];
      return first > last ? [] : [`\\u{${first.toString(16)}}-\\u{${last.toString(16)}}`];
    },
  );
  return `[${negated ? '^' : ''}${members.join('')}]`;
}

function codeOf(member: string): number {
  return (member.length > 1 && member.startsWith('\\') ? member.slice(1) : member).codePointAt(0) ?? 0;
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
}
