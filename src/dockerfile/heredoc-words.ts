import {quotedWords, unquoted} from './words.ts';

/** A word such as `<<EOF`, `3<<-"EOF"`. */
export interface HeredocWord {
  readonly name: string;
  /** False: the word is quoted, so variables in the body mean nothing. */
  readonly expand: boolean;
  /** `<<-`: tabs at the beginning of lines go. */
  readonly chomp: boolean;
  /** The number before `<<`; 0 where there is none. */
  readonly descriptor: number;
}

const shape = /^(\d*)<<(-?)\s*([^<]+)$/;

/** Instructions whose text may go on below, and `ONBUILD` of these. */
const keywords = /^\s*(?:ONBUILD\s+)?(?:ADD|COPY|RUN)\s/i;
const listForm = /^\s*(?:ONBUILD\s+)?(?:ADD|COPY|RUN)\s+(?:--\S+\s+)*(\[.*\])\s*$/is;

/** The here-documents that an instruction's line announces, in the order of their bodies. */
export function heredocWords(text: string, escapeToken: string): readonly HeredocWord[] {
  if (!text.includes('<<') || !keywords.test(text) || isList(listForm.exec(text)?.[1])) return [];
  return quotedWords(text, {escapeToken, heredocs: true}).flatMap(
    ({text: word}) => readHeredocWord(word, escapeToken) ?? [],
  );
}

/** Undefined: not a here-document. */
export function readHeredocWord(word: string, escapeToken: string): HeredocWord | undefined {
  const [, descriptor = '', chomp = '', rest = ''] = shape.exec(word) ?? [];
  if (rest === '') return undefined;
  const name = unquoted(rest, escapeToken);
  if (name === '' || quotedWords(rest, {escapeToken}).length !== 1) return undefined;
  return {
    name,
    expand: !/['"]/.test(rest),
    chomp: chomp === '-',
    descriptor: descriptor === '' ? 0 : Number(descriptor),
  };
}

function isList(text: string | undefined): boolean {
  if (text === undefined) return false;
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}
