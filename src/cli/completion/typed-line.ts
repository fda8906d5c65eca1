import {type CommandRow, type Flag, type Flags, type GlobalFlags, globalFlags} from '../command.ts';

/** A command line up to where somebody asks what may come next. */
export interface TypedLine {
  readonly global: GlobalFlags;
  /** Undefined before the command. */
  readonly command: CommandRow | undefined;
  /** Names of the command's flags that were given, or of those before it. */
  readonly given: ReadonlySet<string>;
  /** Words that are neither flags nor values of flags, after the command. */
  readonly args: readonly string[];
  /** The beginning of the word that is asked for. */
  readonly current: string;
  readonly wanted: Wanted;
}

export type Wanted =
  /** The value of a flag. `before`: what of the word stands before it, as in `--format=js`. */
  | {readonly kind: 'value'; readonly flag: Flag; readonly before: string}
  | {readonly kind: 'flag'; readonly flags: Flags}
  /** `group`: the first word of it, where it has two. */
  | {readonly kind: 'command'; readonly group: string | undefined}
  | {readonly kind: 'argument'; readonly command: CommandRow};

/** Reads words as the parser does, the last of which is not finished. Flags that nobody knows are taken for switches. */
export function readTypedLine(words: readonly string[], commands: readonly CommandRow[]): TypedLine {
  const reader = new Reader(commands);
  for (const word of words.slice(0, -1)) reader.take(word);
  return reader.finish(words.at(-1) ?? '');
}

interface FoundFlag {
  readonly name: string;
  readonly flag: Flag;
}

class Reader {
  readonly #commands: readonly CommandRow[];
  readonly #values: Record<string, unknown> = {};
  #command: CommandRow | undefined;
  /** The first word of a command that has two. */
  #group: string | undefined;
  #given = new Set<string>();
  #args: string[] = [];
  /** The flag whose value comes next. */
  #open: FoundFlag | undefined;
  #onlyArguments = false;

  constructor(commands: readonly CommandRow[]) {
    this.#commands = commands;
    for (const [name, flag] of Object.entries<Flag>(globalFlags)) {
      if (flag.value === undefined) this.#values[name] = false;
      else if (flag.repeat === true) this.#values[name] = [];
    }
  }

  take(word: string): void {
    if (this.#open !== undefined) this.#close(this.#open, word);
    else if (this.#onlyArguments) this.#args.push(word);
    else if (word === '--') this.#onlyArguments = true;
    else if (word.startsWith('--')) this.#takeLong(word);
    else if (word.startsWith('-') && word !== '-') this.#takeShort(word);
    else this.#takeWord(word);
  }

  finish(current: string): TypedLine {
    const [, before = '', name = ''] = /^(--([^=]+)=)/.exec(current) ?? [];
    const flag = this.#onlyArguments ? undefined : this.#flags[name];
    return {
      global: this.#values as unknown as GlobalFlags,
      command: this.#command,
      given: this.#given,
      args: this.#args,
      current: current.slice(before.length),
      wanted:
        this.#open === undefined && flag?.value !== undefined ? {kind: 'value', flag, before} : this.#wanted(current),
    };
  }

  #wanted(current: string): Wanted {
    if (this.#open !== undefined) return {kind: 'value', flag: this.#open.flag, before: ''};
    if (!this.#onlyArguments && current.startsWith('-')) return {kind: 'flag', flags: this.#flags};
    return this.#command === undefined
      ? {kind: 'command', group: this.#group}
      : {kind: 'argument', command: this.#command};
  }

  get #flags(): Flags {
    return this.#command?.flags ?? globalFlags;
  }

  #close({name, flag}: FoundFlag, text: string): void {
    this.#open = undefined;
    if (this.#command !== undefined) return;
    const value = flag.kind === 'integer' ? Number(text) : text;
    const before = this.#values[name];
    this.#values[name] = Array.isArray(before) ? [...before, value] : value;
  }

  #takeLong(word: string): void {
    const equals = word.indexOf('=');
    const name = word.slice(2, equals === -1 ? undefined : equals);
    const flag = this.#flags[name];
    if (flag === undefined) return;
    this.#note({name, flag});
    if (flag.value === undefined) return;
    if (equals === -1) this.#open = {name, flag};
    else this.#close({name, flag}, word.slice(equals + 1));
  }

  /** `-dV`, `-f FILE`, `-fFILE`. */
  #takeShort(word: string): void {
    for (let at = 1; at < word.length; at += 1) {
      const [name, flag] = Object.entries(this.#flags).find(([, {short}]) => short === word[at]) ?? [];
      if (name === undefined || flag === undefined) continue;
      this.#note({name, flag});
      if (flag.value === undefined) continue;
      if (at + 1 === word.length) this.#open = {name, flag};
      else this.#close({name, flag}, word.slice(at + 1));
      return;
    }
  }

  #note({name, flag}: FoundFlag): void {
    this.#given.add(name);
    if (this.#command === undefined && flag.value === undefined) this.#values[name] = true;
  }

  #takeWord(word: string): void {
    if (this.#command === undefined) {
      const name = this.#group === undefined ? word : `${this.#group} ${word}`;
      this.#command = this.#commands.find((row) => row.name === name);
      if (this.#command === undefined && this.#commands.some((row) => row.name.startsWith(`${name} `))) {
        this.#group = name;
      }
      this.#given = new Set();
      return;
    }
    this.#args.push(word);
    if (this.#command.passThrough === true) this.#onlyArguments = true;
  }
}
