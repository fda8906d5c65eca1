import {type PatternPart, textMatcher} from '../../base/text-pattern.ts';

/**
 * Go's filepath.Match, by which COPY and ADD read wildcards: they stay within a name, except for `**`, which is any number
 * of directories. What cannot be read matches nothing.
 */
export function compileGlob(pattern: string): (path: string) => boolean {
  const parts = partsOf(pattern);
  return parts === undefined ? () => false : textMatcher(parts);
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
