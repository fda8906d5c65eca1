import {commands} from '../commands.ts';
import {createContext} from '../context.ts';
import {candidatesFor} from './candidates.ts';
import {stackNames} from './stack-names.ts';
import {readTypedLine} from './typed-line.ts';

/**
 * The hidden command `__complete WORDS…` that the scripts of `tscompose completion` ask: what may the last word become?
 * The first line answers what is meant (`words`, `nospace`, `files`, `directories`), each further one has a word and,
 * after a tab, what it is. It is asked at a key press, so it reads the tables without the parser.
 */
export async function complete(words: readonly string[], program: string): Promise<void> {
  const line = readTypedLine(words, commands);
  const context = createContext(line.global, program);
  const candidates = await candidatesFor(line, commands, stackNames(context));
  const lines = 'words' in candidates ? candidates.words.map(({word, about}) => `${word}\t${oneLine(about)}\n`) : [];
  context.stdout.write(`${candidates.kind}\n${lines.join('')}`);
}

function oneLine(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ');
}
