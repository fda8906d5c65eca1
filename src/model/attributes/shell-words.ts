export type ShellWords =
  | {
      readonly ok: true;
      readonly words: readonly string[] /** Where an operator of a shell cut the line off. */;
      readonly cutAt?: number;
    }
  | {
      readonly ok: false;
      readonly message: string /** What a person can do, as the beginning of a sentence. */;
      readonly hint: string;
    };

/**
 * Splits a command line into words as Compose does: quotes and backslashes as in a shell, nothing else of it. A line is
 * cut off at the first unquoted `;`, `&`, `|`, `<` or `>`; `$(…)` and backquotes keep their text together, unexpanded.
 */
export function splitShellWords(line: string): ShellWords {
  const words: string[] = [];
  let word = '';
  let started = false;
  let quote: '"' | "'" | '`' | ')' | undefined;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? '';
    if (quote !== "'" && character === '\\') {
      at += 1;
      if (at >= line.length) return {ok: false, message: 'it ends with a backslash', hint: 'remove the backslash'};
      word += line[at];
      started = true;
    } else if (quote !== undefined) {
      if (character === quote) {
        if (quote === '`' || quote === ')') word += character;
        quote = undefined;
      } else {
        word += character;
      }
    } else if (/\s/.test(character)) {
      if (started) words.push(word);
      word = '';
      started = false;
    } else if (character === '"' || character === "'" || character === '`') {
      quote = character;
      started = true;
      if (character === '`') word += character;
    } else if (character === '(' && word.endsWith('$')) {
      quote = ')';
      word += character;
    } else if (character === '(') {
      return {ok: false, message: 'it has a parenthesis outside quotes', hint: 'put it into quotes'};
    } else if (';&|<>'.includes(character)) {
      // The number before ">" names a descriptor and belongs to the operator.
      if (started && !(character === '>' && /^\d/.test(word))) words.push(word);
      return {ok: true, words, cutAt: at};
    } else {
      word += character;
      started = true;
    }
  }
  if (quote !== undefined) return {ok: false, message: `it has no closing ${quote}`, hint: `add a closing ${quote}`};
  if (started) words.push(word);
  return {ok: true, words};
}
