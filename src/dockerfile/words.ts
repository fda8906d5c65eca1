/** A word of an instruction as it is written, with its place in the text. */
export interface Word {
  readonly text: string;
  readonly at: number;
}

/** What stands between blanks, as ADD, COPY, FROM and others take it: quotes mean nothing. */
export function fields(text: string, offset = 0): readonly Word[] {
  return [...text.matchAll(/\S+/g)].map((match) => ({text: match[0], at: offset + match.index}));
}

interface Splitting {
  readonly escapeToken: string;
  /** Where the text begins in its logical line. */
  readonly offset?: number;
  /** `<< EOF` is one word, as the shell has it. */
  readonly heredocs?: boolean;
}

/**
 * What stands between blanks where quotes and the escape character hold blanks together, as ENV, ARG and LABEL take it.
 * The words are as written: quotes and escapes are still in them. A quote that is not closed goes to the end.
 */
export function quotedWords(text: string, {escapeToken, offset = 0, heredocs = false}: Splitting): readonly Word[] {
  const words: Word[] = [];
  let start = -1;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (start < 0) {
      if (isBlank(character)) continue;
      start = at;
    }
    if (character === escapeToken && quote !== "'") at++;
    else if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (isBlank(character)) {
      if (heredocs && /^\d*<<-?\s*$/.test(text.slice(start, at))) continue;
      words.push({text: text.slice(start, at), at: offset + start});
      start = -1;
    }
  }
  if (start >= 0) words.push({text: text.slice(start).trimEnd(), at: offset + start});
  return words;
}

export function isBlank(character: string): boolean {
  return /\s/.test(character);
}

/** A word without its quotes and escapes; variables in it stay as they are. */
export function unquoted(word: string, escapeToken: string): string {
  let result = '';
  let quote = '';
  for (let at = 0; at < word.length; at++) {
    const character = word.charAt(at);
    if (character === escapeToken && quote !== "'") {
      const next = word.charAt(at + 1);
      // Within double quotes the escape character only has a meaning before these.
      if (quote === '"' && next !== '"' && next !== '$' && next !== escapeToken) result += character;
      else result += word.charAt(++at);
    } else if (quote !== '') {
      if (character === quote) quote = '';
      else result += character;
    } else if (character === '"' || character === "'") quote = character;
    else result += character;
  }
  return result;
}
