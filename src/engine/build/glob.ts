/**
 * Go's filepath.Match, by which COPY and ADD read wildcards: they stay within a name, except for `**`, which is any number
 * of directories.
 */
export function matchGlob(pattern: string, path: string): boolean {
  return compile(pattern)?.test(path) ?? false;
}

function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(`^${expressionOf(pattern)}$`, 's');
  } catch {
    // What cannot be read matches nothing.
    return undefined;
  }
}

function expressionOf(pattern: string): string {
  let expression = '';
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at);
    if (pattern.startsWith('**/', at)) {
      expression += '(?:.*/)?';
      at += 2;
    } else if (character === '*') expression += '[^/]*';
    else if (character === '?') expression += '[^/]';
    else if (character === '\\') expression += literal(pattern.charAt(++at));
    else if (character === '[') {
      const class_ = /^\[\^?(?:\\.|[^\\\]])+\]/s.exec(pattern.slice(at))?.[0];
      if (class_ === undefined) return '(?!)';
      expression += class_;
      at += class_.length - 1;
    } else expression += literal(character);
  }
  return expression;
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|]/, '\\$&');
}
