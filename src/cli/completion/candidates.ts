import {type CommandRow, type Flag, type Flags, globalFlags} from '../command.ts';
import {commandGroups} from '../summaries.ts';
import type {TypedLine} from './typed-line.ts';
import {type Candidate, type Candidates, type StackNames, valueKinds} from './value-kinds.ts';

/** The parser's own. */
const help: Candidate = {word: 'help', about: 'show help for a command'};
const none: Candidates = {kind: 'words', words: []};

/** What may stand where the line ends, as far as it begins with what is typed. */
export async function candidatesFor(
  line: TypedLine,
  commands: readonly CommandRow[],
  names: StackNames,
): Promise<Candidates> {
  const {wanted, current} = line;
  switch (wanted.kind) {
    case 'command':
      return beginning(current, commandsOf(commands, wanted.group));
    case 'flag':
      return beginning(current, flagsOf(wanted.flags, line));
    case 'value':
      return beginning(current, await valuesOf(wanted.flag, line, names), wanted.before);
    case 'argument':
      return beginning(current, await argumentsOf(wanted.command, line, names));
  }
}

/** The words that may come next, each group once. */
function commandsOf(commands: readonly CommandRow[], group: string | undefined): readonly Candidate[] {
  const start = group === undefined ? '' : `${group} `;
  const next = (name: string) => name.slice(start.length);
  const isNext = (name: string) => name.startsWith(start) && !next(name).includes(' ');
  const single = commands.filter(({name}) => isNext(name));
  const groups = Object.entries(commandGroups).filter(([name]) => isNext(name));
  return [
    ...single.map(({name, summary}) => ({word: next(name), about: summary})),
    ...groups.map(([name, about]) => ({word: next(name), about})),
    ...(group === undefined ? [help] : []),
  ];
}

function beginning(current: string, candidates: Candidates | readonly Candidate[], before = ''): Candidates {
  const all: Candidates = isList(candidates) ? {kind: 'words', words: candidates} : candidates;
  if (!('words' in all)) return all;
  const words = all.words
    .filter(({word}) => word.startsWith(current))
    .map(({word, about}) => ({word: `${before}${word}`, about}));
  return {kind: all.kind, words};
}

function isList(candidates: Candidates | readonly Candidate[]): candidates is readonly Candidate[] {
  return Array.isArray(candidates);
}

function flagsOf(flags: Flags, {given}: TypedLine): readonly Candidate[] {
  const own = Object.entries<Flag>(flags)
    .filter(([name, {repeat}]) => repeat === true || !given.has(name))
    .map(([name, flag]) => ({word: flag.default === true ? `--${name}=false` : `--${name}`, about: flag.summary}));
  const version = flags === globalFlags ? [{word: '--version', about: 'show the version'}] : [];
  return [...own, ...version, {word: '--help', about: 'show help'}];
}

async function valuesOf(flag: Flag, line: TypedLine, names: StackNames): Promise<Candidates> {
  if (flag.choices !== undefined) return {kind: 'words', words: flag.choices.map((word) => ({word, about: ''}))};
  return (await valueKinds[flag.value ?? '']?.(names, line)) ?? none;
}

/** What the command takes at this place; where it takes nothing more, its flags. */
async function argumentsOf(command: CommandRow, line: TypedLine, names: StackNames): Promise<Candidates> {
  const {args} = line;
  const places = command.args.split(' ').filter((word) => word !== '');
  const last = places.at(-1);
  const place = places[args.length] ?? (last?.includes('...') ? last : undefined);
  if (place === undefined) return {kind: 'words', words: flagsOf(command.flags, line)};
  const found = (await valueKinds[place.replace(/[[\].]/g, '')]?.(names, line)) ?? none;
  // Nobody names the same service twice.
  return place.includes('...') && 'words' in found
    ? {...found, words: found.words.filter(({word}) => !args.includes(word))}
    : found;
}
