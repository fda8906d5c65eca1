import {type Arguments, listOrFields, switchFlag, textFlag} from '../arguments.ts';
import {readHeredocWord} from '../heredoc-words.ts';
import type {Flag, Instructions} from '../instruction.ts';
import type {Word} from '../words.ts';
import type {Row} from './row.ts';

const common = {chown: 'text', chmod: 'text', link: 'switch', exclude: 'list'} as const;

/** `COPY [--from=…] source… target`. */
export const copy: Row<'COPY'> = {
  flags: {...common, from: 'text', parents: 'switch'},
  read(given) {
    const files = readFiles(given);
    if (files === undefined) return undefined;
    const from = textFlag(given, 'from');
    if (from?.value.includes('$')) {
      const hint = 'name a stage with FROM that image AS name, and copy from the name';
      return given.fail(from.valueAt, from.end, 'invalid-flag', 'COPY: --from cannot have variables', hint);
    }
    return {...files, parents: switchFlag(given, 'parents') ?? false, ...(from === undefined ? {} : {from})};
  },
};

/** `ADD source… target`: also from the network and out of archives. */
export const add: Row<'ADD'> = {
  flags: {...common, 'keep-git-dir': 'switch', checksum: 'text', unpack: 'switch'},
  read(given) {
    const files = readFiles(given);
    if (files === undefined) return undefined;
    const checksum = textFlag(given, 'checksum');
    const unpack = switchFlag(given, 'unpack');
    return {
      ...files,
      keepGitDir: switchFlag(given, 'keep-git-dir') ?? false,
      ...(checksum === undefined ? {} : {checksum}),
      ...(unpack === undefined ? {} : {unpack}),
    };
  },
};

type Files = Pick<Instructions['COPY'], 'sources' | 'inline' | 'target' | 'chown' | 'chmod' | 'link' | 'exclude'>;

function readFiles(given: Arguments): Files | undefined {
  const {text, at, line, keyword, escapeToken} = given;
  const words = joined(listOrFields(given));
  const target = words.at(-1);
  if (target === undefined || words.length < 2) {
    const hint = `write ${keyword} source target`;
    const message = words.length === 0 ? `${keyword} names nothing` : `${keyword} names no target`;
    return given.fail(at, at + text.length, 'missing-argument', message, hint);
  }
  const isHeredoc = ({text: word}: Word): boolean =>
    line.heredocs.length > 0 && readHeredocWord(word, escapeToken) !== undefined;
  const sources = words.slice(0, -1);
  return {
    sources: sources.filter((word) => !isHeredoc(word)),
    inline: line.heredocs,
    target,
    link: switchFlag(given, 'link') ?? false,
    exclude: given.flags.get('exclude') ?? [],
    ...named(given, 'chown'),
    ...named(given, 'chmod'),
  };
}

/** `<< EOF` is one word. */
function joined(words: readonly Word[]): readonly Word[] {
  const result: Word[] = [];
  for (const word of words) {
    const before = result.at(-1);
    if (before !== undefined && /^\d*<<-?$/.test(before.text)) {
      result[result.length - 1] = {text: before.text + word.text, at: before.at};
    } else result.push(word);
  }
  return result;
}

function named(given: Arguments, name: 'chown' | 'chmod'): Partial<Record<'chown' | 'chmod', Flag>> {
  const flag = textFlag(given, name);
  return flag === undefined ? {} : {[name]: flag};
}
