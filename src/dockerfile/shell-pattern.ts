/** A pattern of the shell (`*`, `?`, `\`) as a regular expression's source; classes in brackets mean nothing here. */
function sourceOf(pattern: string, greedy: boolean): string {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at);
    if (character === '*') source += greedy ? '.*' : '.*?';
    else if (character === '?') source += '.';
    else {
      const literal = character === '\\' && at + 1 < pattern.length ? pattern.charAt(++at) : character;
      source += literal.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
    }
  }
  return source;
}

/** `${v#p}` and, greedy, `${v##p}`. */
export function withoutPrefix(value: string, pattern: string, greedy: boolean): string {
  const match = new RegExp(`^(?:${sourceOf(pattern, greedy)})`, 's').exec(value);
  return match === null ? value : value.slice(match[0].length);
}

/** `${v%p}` and, greedy, `${v%%p}`: the shortest or longest end that matches. */
export function withoutSuffix(value: string, pattern: string, greedy: boolean): string {
  const expression = new RegExp(`^(?:${sourceOf(pattern, true)})$`, 's');
  const starts = Array.from({length: value.length + 1}, (_, index) => (greedy ? index : value.length - index));
  const start = starts.find((at) => expression.test(value.slice(at)));
  return start === undefined ? value : value.slice(0, start);
}

/** `${v/p/r}` and, for all places, `${v//p/r}`. */
export function replacePattern(value: string, pattern: string, replacement: string, all: boolean): string {
  if (pattern === '') return value;
  return value.replace(new RegExp(sourceOf(pattern, true), all ? 'gs' : 's'), () => replacement);
}
