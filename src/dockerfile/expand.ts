import {replacePattern, withoutPrefix, withoutSuffix} from './shell-pattern.ts';

/** What is known while an instruction is read: variables by name. */
export type Variables = (name: string) => string | undefined;

export interface Expanding {
  readonly escapeToken: string;
  readonly variables: Variables;
  /** The bodies of here-documents: quotes are characters like others. */
  readonly quotesAreText?: boolean;
  /** What is shown to people: escapes stay, too. */
  readonly escapesAreText?: boolean;
}

export interface Expanded {
  readonly text: string;
  /** Split at blanks outside quotes, also at those that variables brought. */
  readonly words: readonly string[];
  /** Names that have no value and were asked for without a default. */
  readonly unset: readonly string[];
}

/** What cannot be expanded: the reason, where in the text, and what to write. */
export class ExpansionError extends Error {
  readonly at: number;
  readonly hint: string;
  /** The variable that `?` asks for, where that is the reason. */
  readonly unset: string | undefined;

  constructor(
    message: string,
    {at, hint, unset}: {readonly at: number; readonly hint: string; readonly unset?: string},
  ) {
    super(message);
    this.at = at;
    this.hint = hint;
    this.unset = unset;
  }
}

const parameters = '@*#?-$!0';

/** Characters that variables may bring into a value: each line can double what the one above it set. */
const mostBrought = 1024 * 1024;

const operators = 'operators are :- - :+ + :? ? # ## % %% / //';

/**
 * Variables, quotes and escapes of a value as the Dockerfile reference has them ("Environment replacement"): `$v`,
 * `${v}`, `:-` `-` `:+` `+` `:?` `?` `#` `##` `%` `%%` `/` `//`.
 * @throws ExpansionError
 */
export function expand(text: string, options: Expanding): Expanded {
  const reader = new Reader(text, options);
  const result = reader.readUntil('', false);
  return {text: result, words: reader.finishWords(), unset: [...reader.unset]};
}

class Reader {
  readonly unset = new Set<string>();
  readonly #text: string;
  readonly #options: Expanding;
  #at = 0;
  #brought = 0;
  /** Depth of `${…}`: what is read inside makes no words of its own. */
  #depth = 0;
  #words: string[] = [];
  #word: string | undefined;

  constructor(text: string, options: Expanding) {
    this.#text = text;
    this.#options = options;
  }

  finishWords(): readonly string[] {
    if (this.#word !== undefined) this.#words.push(this.#word);
    this.#word = undefined;
    return this.#words;
  }

  readUntil(stop: string, keepEscapes: boolean): string {
    const {escapeToken, quotesAreText = false, escapesAreText = false} = this.#options;
    let result = '';
    while (this.#at < this.#text.length) {
      const character = this.#text.charAt(this.#at);
      if (stop !== '' && character === stop) {
        this.#at += 1;
        return result;
      }
      if (character === '$') {
        const value = this.#variable();
        this.#addSplit(value);
        result += value;
      } else if (!quotesAreText && (character === "'" || character === '"')) {
        const value = character === "'" ? this.#single() : this.#double();
        this.#add(value);
        result += value;
      } else if (character === escapeToken) {
        const value = this.#text.charAt(this.#at + 1);
        this.#at += 2;
        const kept = keepEscapes || escapesAreText ? `${escapeToken}${value}` : value;
        this.#add(kept);
        result += kept;
      } else {
        this.#at += 1;
        this.#addSplit(character);
        result += character;
      }
    }
    if (stop !== '')
      throw new ExpansionError(`"${stop}" is missing`, {at: this.#text.length, hint: `write "${stop}" where it ends`});
    return result;
  }

  #add(value: string): void {
    if (this.#depth === 0) this.#word = (this.#word ?? '') + value;
  }

  #addSplit(value: string): void {
    if (this.#depth > 0) return;
    for (const [index, part] of value.split(/\s+/).entries()) {
      if (index > 0) this.finishWords();
      if (part !== '') this.#word = (this.#word ?? '') + part;
    }
  }

  #single(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0)
      throw new ExpansionError('a single quote is not closed', {at: this.#at, hint: "write ' where it ends"});
    const value = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return value;
  }

  #double(): string {
    const {escapeToken} = this.#options;
    const start = this.#at;
    let result = '';
    this.#at += 1;
    this.#depth += 1;
    while (this.#at < this.#text.length) {
      const character = this.#text.charAt(this.#at);
      const next = this.#text.charAt(this.#at + 1);
      if (character === '"') {
        this.#at += 1;
        this.#depth -= 1;
        return result;
      }
      if (character === '$') result += this.#variable();
      else if (character === escapeToken && (next === '"' || next === '$' || next === escapeToken)) {
        result += next;
        this.#at += 2;
      } else {
        result += character;
        this.#at += 1;
      }
    }
    throw new ExpansionError('a double quote is not closed', {at: start, hint: 'write " where it ends'});
  }

  #variable(): string {
    const start = this.#at;
    const value = this.#read(start);
    this.#brought += value.length;
    if (this.#brought <= mostBrought) return value;
    throw new ExpansionError(`variables bring more than ${mostBrought} characters`, {
      at: start,
      hint: 'keep what is long in a file',
    });
  }

  #read(start: number): string {
    this.#at += 1;
    if (this.#text.charAt(this.#at) === '{') {
      this.#at += 1;
      this.#depth += 1;
      const value = this.#substitution(start);
      this.#depth -= 1;
      return value;
    }
    const name = this.#name();
    return name === '' ? '$' : this.#value(name);
  }

  #value(name: string): string {
    const value = this.#options.variables(name);
    if (value === undefined) this.unset.add(name);
    return value ?? '';
  }

  #name(): string {
    const rest = this.#text.slice(this.#at);
    const name = /^(?:\d+|[\p{L}_][\p{L}\d_]*)/u.exec(rest)?.[0] ?? '';
    const found = name === '' && rest !== '' && parameters.includes(rest.charAt(0)) ? rest.charAt(0) : name;
    this.#at += found.length;
    return found;
  }

  #substitution(start: number): string {
    const name = this.#name();
    if (name === '')
      throw new ExpansionError('"${" is followed by no name', {
        at: start,
        hint: 'write "${name}", or "\\\\$" for a dollar sign',
      });
    let operator = this.#text.charAt(this.#at);
    this.#at += 1;
    if (operator === '}') return this.#value(name);
    if (operator === '/') return this.#replaced(name);
    const colon = operator === ':';
    if (colon) {
      operator = this.#text.charAt(this.#at);
      this.#at += 1;
    }
    if (operator === '')
      throw new ExpansionError('"${" is not closed by "}"', {at: start, hint: 'write "}" where it ends'});
    const known = colon ? '-+?' : '-+?#%';
    if (!known.includes(operator)) {
      throw new ExpansionError(`"${colon ? ':' : ''}${operator}" is no operator of a variable`, {
        at: start,
        hint: operators,
      });
    }
    const word = this.#closed(start, () => this.readUntil('}', operator === '#' || operator === '%'));
    return this.#operated({name, operator, word, emptyIsUnset: colon, start});
  }

  #closed<T>(start: number, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof ExpansionError && this.#at >= this.#text.length)
        throw new ExpansionError('"${" is not closed by "}"', {at: start, hint: 'write "}" where it ends'});
      throw error;
    }
  }

  #operated({name, operator, word, emptyIsUnset, start}: Operation): string {
    const value = this.#options.variables(name);
    const missing = value === undefined || (emptyIsUnset && value === '');
    if (operator === '-') return missing ? word : value;
    if (operator === '+') return missing ? '' : word;
    if (operator === '?') {
      if (!missing) return value;
      throw new ExpansionError(
        `"${name}" ${value === undefined ? 'is not set' : 'is empty'}${word === '' ? '' : `: ${word}`}`,
        {at: start, hint: `give it with --build-arg ${name}=…, or set it above`, unset: name},
      );
    }
    const greedy = word.startsWith(operator);
    const pattern = greedy ? word.slice(1) : word;
    if (value === undefined) this.unset.add(name);
    return operator === '#' ? withoutPrefix(value ?? '', pattern, greedy) : withoutSuffix(value ?? '', pattern, greedy);
  }

  #replaced(name: string): string {
    const start = this.#at;
    const all = this.#text.charAt(this.#at) === '/';
    if (all) this.#at += 1;
    const pattern = this.#closed(start, () => this.readUntil('/', true));
    const replacement = this.#closed(start, () => this.readUntil('}', true));
    return replacePattern(this.#value(name), pattern, replacement, all);
  }
}

interface Operation {
  readonly name: string;
  readonly operator: string;
  readonly word: string;
  readonly emptyIsUnset: boolean;
  readonly start: number;
}
