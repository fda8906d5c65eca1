import {Command, CommanderError, InvalidArgumentError, Option} from 'commander';
import {exitCodes} from '../base/errors.ts';
import {suggest} from '../base/suggest.ts';
import {type CommandInput, type CommandRow, type Flag, type Flags, type GlobalFlags, globalFlags} from './command.ts';
import {commands} from './commands.ts';
import {helpLayout} from './help-layout.ts';
import {parseSeconds} from './seconds.ts';
import {restateSwitches} from './stated-switches.ts';
import {commandGroups} from './summaries.ts';

export type Parsed =
  | {
      readonly kind: 'run';
      readonly command: CommandRow;
      readonly input: CommandInput<Flags>;
      readonly global: GlobalFlags;
    }
  | {readonly kind: 'done'; readonly exitCode: number};

/** Reads the command line by the command table; help and usage errors are written out and end in `done`. */
export function parseCommandLine(words: readonly string[]): Parsed {
  let parsed: Parsed = {kind: 'done', exitCode: exitCodes.success};
  const program = new Command('tscompose')
    .description('Runs Compose files on a container runtime of its own: no daemon, no Docker needed.')
    .usage('[OPTIONS] COMMAND')
    .enablePositionalOptions()
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .showHelpAfterError('(tscompose --help lists commands and options)')
    .configureOutput({outputError: (text, write) => write(inOurWords(text))})
    .configureHelp({
      ...helpLayout,
      sortSubcommands: false,
      visibleArguments: () => [],
      subcommandTerm: (command) => command.name(),
    })
    .exitOverride();
  for (const [name, flag] of Object.entries<Flag>(globalFlags)) program.addOption(toOption(name, flag));
  program.option('-v, --version', 'show the version');
  // The options of the one command that is run are enough: those of all would cost more than reading the line.
  const complete = new Map<Command, () => void>();
  const groups = new Map<string, Command>();
  const parentOf = (name: string) => groups.get(name.slice(0, Math.max(name.lastIndexOf(' '), 0))) ?? program;
  for (const [name, summary] of Object.entries(commandGroups))
    groups.set(name, addGroup(parentOf(name), name, summary));
  for (const row of commands) {
    const command = parentOf(row.name)
      .command(lastWord(row.name))
      .aliases(row.aliases ?? [])
      .summary(row.summary)
      .description(`${row.summary[0]?.toUpperCase()}${row.summary.slice(1)}.`);
    complete.set(command, () => addDetails(command, row));
    command.action((args: readonly string[]) => {
      if (row.args === '' && args.length > 0)
        command.error(`error: "${row.name}" takes no arguments, but "${args[0]}" was given`);
      parsed = {
        kind: 'run',
        command: row,
        input: {args, flags: collect(row.flags, command.opts()) as CommandInput<Flags>['flags']},
        global: collect(globalFlags, program.opts()) as GlobalFlags,
      };
    });
  }
  for (const parent of [program, ...groups.values()])
    parent.hook('preSubcommand', (_parent, command) => complete.get(command)?.());
  program
    .command('help')
    .summary('show help for a command')
    .usage('[COMMAND]')
    .argument('[command...]')
    .configureHelp({...helpLayout, visibleArguments: () => []})
    .exitOverride()
    .action((words: readonly string[]) => {
      const command = words.reduce<Command>((parent, word) => {
        const found = parent.commands.find((known) => known.name() === word || known.aliases().includes(word));
        if (found === undefined) unknownCommand(parent, word);
        return found;
      }, program);
      complete.get(command)?.();
      command.help();
    });
  // What follows an unknown command is not what is complained of.
  program.argument('[command...]').passThroughOptions();
  program.action(([word]: readonly string[]) => {
    const version = commands.find((row) => row.name === 'version');
    if (word !== undefined) unknownCommand(program, word);
    if (program.opts()['version'] === true && version !== undefined) {
      parsed = {
        kind: 'run',
        command: version,
        input: {args: [], flags: {}},
        global: collect(globalFlags, program.opts()) as GlobalFlags,
      };
    } else program.help();
  });
  try {
    program.parse(words, {from: 'user'});
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return {kind: 'done', exitCode: error.exitCode === 0 ? exitCodes.success : exitCodes.usage};
  }
  return parsed;
}

function lastWord(name: string): string {
  return name.slice(name.lastIndexOf(' ') + 1);
}

/** Commands of which each has a second word: `engine pull`. */
function addGroup(parent: Command, name: string, summary: string): Command {
  const group = parent
    .command(lastWord(name))
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .usage('COMMAND')
    .enablePositionalOptions()
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .configureHelp({...helpLayout, visibleArguments: () => [], subcommandTerm: (command) => command.name()})
    .showHelpAfterError(`(tscompose ${name} --help lists its commands)`)
    .exitOverride()
    .argument('[command...]')
    .passThroughOptions();
  return group.action(([word]: readonly string[]) => {
    if (word !== undefined) unknownCommand(group, word);
    group.error(`error: "${name}" needs to be told what to do`);
  });
}

/** What a command takes, and what its help says of it. */
function addDetails(command: Command, row: CommandRow): void {
  command
    .usage(`[OPTIONS]${row.args === '' ? '' : ` ${row.args}`}`)
    .helpOption('-h, --help', 'show help')
    .argument('[words...]')
    .configureHelp({...helpLayout, visibleArguments: () => []})
    .showHelpAfterError(`(tscompose ${row.name} --help lists its options)`)
    .exitOverride();
  if (row.passThrough === true) command.passThroughOptions();
  if (row.args === '') command.allowExcessArguments(false);
  for (const [name, flag] of Object.entries(row.flags)) {
    command.addOption(toOption(name, flag));
    // A switch takes its value in the same word only, so that it takes no argument for one.
    if (flag.default === true) command.addOption(new Option(`--${name}=false`).hideHelp());
  }
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (words) => parse(restateSwitches(words, row));
  refuseGlobalFlags(command, row);
  if (row.examples !== undefined)
    command.addHelpText('after', `\nExamples:\n${row.examples.map((example) => `  ${example}`).join('\n')}`);
}

/** What commander says, with quotes and suggestions as everywhere else. */
function inOurWords(text: string): string {
  return text
    .replaceAll(/\b(option|argument|value|command) '([^'\n]*)'/g, '$1 "$2"')
    .replace(/\n\(Did you mean (one of [^?\n]+)\?\)/, ' (did you mean $1?)')
    .replace(/\n\(Did you mean ([^?\n]+)\?\)/, ' (did you mean "$1"?)');
}

/** Options of the whole are known behind a command too, but only to say where they belong. */
function refuseGlobalFlags(command: Command, row: CommandRow): void {
  const shorts = new Set(Object.values(row.flags).map(({short}) => short));
  for (const [name, {short, ...flag}] of Object.entries<Flag>(globalFlags)) {
    if (Object.hasOwn(row.flags, name)) continue;
    const known = {summary: flag.summary, ...(flag.value === undefined ? {} : {value: flag.value})};
    command.addOption(toOption(name, short === undefined || shorts.has(short) ? known : {...known, short}).hideHelp());
    command.on(`option:${name}`, (value: string | null) => {
      const words = typeof value === 'string' ? `--${name} ${value}` : `--${name}`;
      command.error(`error: --${name} stands before the command: tscompose ${words} ${row.name}`);
    });
  }
}

/** Commands of Docker Compose for which another one does it here. */
const elsewhere: Readonly<Record<string, string | undefined>> = {
  create: 'up --no-start',
  scale: 'up -d --no-deps --scale SERVICE=N',
  volumes: 'config --volumes',
};

function unknownCommand(parent: Command, word: string): never {
  const other = parent.parent === null && Object.hasOwn(elsewhere, word) ? elsewhere[word] : undefined;
  if (other !== undefined) parent.error(`error: unknown command "${word}" (write "tscompose ${other}")`);
  const close = suggest(
    word,
    parent.commands.map((command) => command.name()),
  );
  const prefix = prefixOf(parent);
  parent.error(`error: unknown command "${prefix}${word}"${close === undefined ? '' : ` (did you mean "${close}"?)`}`);
}

/** The words before it, of a group: the program's own name is not one. */
function prefixOf(group: Command): string {
  return group.parent === null ? '' : `${prefixOf(group.parent)}${group.name()} `;
}

function toOption(name: string, flag: Flag): Option {
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  const summary = flag.default === true ? `${flag.summary} (unless --${name}=false)` : flag.summary;
  const option = new Option(`${short}--${name}${flag.value === undefined ? '' : ` <${flag.value}>`}`, summary);
  // Not "the opposite of --tty", as commander reads it: a switch with a name of its own.
  option.negate = false;
  if (flag.choices !== undefined) option.choices([...flag.choices]);
  const convert = flag.kind === 'integer' ? toInteger : flag.kind === 'seconds' ? toSeconds : undefined;
  if (flag.repeat === true) {
    // In place of the check that "choices" puts there: it keeps the last value only.
    const one = convert ?? toChoice(flag.choices);
    option.argParser((value: string, previous: readonly unknown[] | undefined) => [...(previous ?? []), one(value)]);
  } else if (convert !== undefined) option.argParser(convert);
  return option;
}

function toChoice(choices: Flag['choices']): (value: string) => string {
  return (value) => {
    if (choices === undefined || choices.includes(value)) return value;
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
  };
}

function toInteger(value: string): number {
  if (!/^-?\d+$/.test(value)) throw new InvalidArgumentError('a whole number is expected.');
  return Number(value);
}

function toSeconds(value: string): number {
  const seconds = parseSeconds(value);
  if (seconds === undefined) throw new InvalidArgumentError('seconds are expected, as in 10 or 1m30s.');
  return seconds;
}

/** Values under the names of the table (commander writes them in camel case); switches and lists are always there. */
function collect(flags: Flags, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const key = name.replace(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase());
    const value = values[key];
    if (flag.default === true) found[name] = values[`${key}=false`] !== true;
    else if (value !== undefined) found[name] = value;
    else if (flag.value === undefined) found[name] = false;
    else if (flag.repeat === true) found[name] = [];
  }
  return found;
}
