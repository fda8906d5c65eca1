import {compile, matchEnd, matchEnds, type PatternPart} from '../base/text-pattern.ts';

const anything: PatternPart = {one: '.', repeat: '*'};

/** A pattern of the shell (`*`, `?`, `\`); classes in brackets mean nothing here. */
function partsOf(pattern: string): readonly PatternPart[] {
  const characters = [...pattern];
  const parts: PatternPart[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (character === '*') parts.push(anything);
    else if (character === '?') parts.push({one: '.'});
    else {
      const literal = character === '\\' && at + 1 < characters.length ? (characters[++at] ?? '') : character;
      parts.push({one: literal.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&')});
    }
  }
  return parts;
}

/** `${v#p}` and, greedy, `${v##p}`. */
export function withoutPrefix(value: string, pattern: string, greedy: boolean): string {
  const text = [...value];
  const end = matchEnd(compile(partsOf(pattern)), text, {from: 0, wanted: greedy ? 'longest' : 'shortest'});
  return text.slice(end ?? 0).join('');
}

/** `${v%p}` and, greedy, `${v%%p}`: the shortest or longest end that matches, looked for backwards. */
export function withoutSuffix(value: string, pattern: string, greedy: boolean): string {
  const text = [...value].reverse();
  const backwards = compile([...partsOf(pattern)].reverse());
  const end = matchEnd(backwards, text, {from: 0, wanted: greedy ? 'longest' : 'shortest'});
  return text
    .slice(end ?? 0)
    .reverse()
    .join('');
}

/** `${v/p/r}` and, for all places, `${v//p/r}`: of what begins first the longest. */
export function replacePattern(value: string, pattern: string, replacement: string, all: boolean): string {
  if (pattern === '') return value;
  const text = [...value];
  const parts = partsOf(pattern);
  const program = compile(parts);
  // A match can only begin where one ends that is looked for backwards, behind anything.
  const starts = matchEnds(compile([anything, ...[...parts].reverse()]), [...text].reverse());
  let result = '';
  let at = 0;
  let last = -1;
  while (at <= text.length) {
    const end = starts.has(text.length - at) ? matchEnd(program, text, {from: at, wanted: 'longest'}) : undefined;
    // Nothing is not replaced directly behind what was replaced.
    const found = end !== undefined && !(end === at && last === at);
    if (found) result += replacement;
    if (found && end > at) at = last = end;
    else result += text[at++] ?? '';
    if (found && !all) break;
  }
  return result + text.slice(at).join('');
}
