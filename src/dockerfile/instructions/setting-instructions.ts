import {type Arguments, listOrFields} from '../arguments.ts';
import type {Pair} from '../instruction.ts';
import {fields, quotedWords} from '../words.ts';
import {noFlags, type Row} from './row.ts';

export const env: Row<'ENV'> = {flags: noFlags, read: readPairs};
export const label: Row<'LABEL'> = {flags: noFlags, read: readPairs};

/** `key=value…`, or the old form `key value` with all that follows. */
function readPairs({
  text,
  at,
  escapeToken,
  keyword,
  fail,
  warn,
}: Arguments): {readonly pairs: readonly Pair[]} | undefined {
  const end = at + text.length;
  const words = quotedWords(text, {escapeToken, offset: at});
  const [first] = words;
  if (first === undefined)
    return fail(at, end, 'missing-argument', `${keyword} names nothing`, `write ${keyword} key=value`);
  if (!first.text.includes('=')) {
    const rest = text.slice(first.text.length);
    const value = {text: rest.trim(), at: at + first.text.length + rest.length - rest.trimStart().length};
    const hint = `write ${keyword} ${first.text}=value`;
    if (value.text === '') return fail(at, end, 'missing-value', `${keyword}: "${first.text}" has no value`, hint);
    warn(
      at,
      end,
      'legacy-key-value-format',
      `${keyword}: "key value" is the old form`,
      `write ${first.text}="${value.text}"`,
    );
    return {pairs: [{key: first, value}]};
  }
  const pairs: Pair[] = [];
  for (const word of words) {
    const equals = word.text.indexOf('=');
    if (equals < 1) {
      const message = equals < 0 ? `${keyword}: "${word.text}" has no value` : `${keyword} has a value without a name`;
      return fail(
        word.at,
        word.at + word.text.length,
        'missing-value',
        message,
        'write key=value, with quotes around blanks',
      );
    }
    pairs.push({
      key: {text: word.text.slice(0, equals), at: word.at},
      value: {text: word.text.slice(equals + 1), at: word.at + equals + 1},
    });
  }
  return {pairs};
}

/** `EXPOSE port[/protocol]…`. */
export const expose: Row<'EXPOSE'> = {
  flags: noFlags,
  read({text, at, fail}) {
    const ports = fields(text, at);
    if (ports.length > 0) return {ports};
    return fail(at, at, 'missing-argument', 'EXPOSE names no port', 'write EXPOSE 8080');
  },
};

/** `VOLUME path…`, or a list. */
export const volume: Row<'VOLUME'> = {
  flags: noFlags,
  read(given) {
    const {text, at, fail} = given;
    const paths = listOrFields(given);
    const blank = paths.find((path) => path.text === '');
    if (paths.length > 0 && blank === undefined) return {paths};
    return fail(at, at + text.length, 'missing-argument', 'VOLUME names no path', 'write VOLUME /path');
  },
};

/** An instruction whose text is one value. */
function valueRow<K extends 'USER' | 'WORKDIR' | 'STOPSIGNAL' | 'MAINTAINER'>(example: string): Row<K> {
  return {
    flags: noFlags,
    read({text, at, keyword, fail}) {
      if (text !== '') return {value: {text, at}};
      return fail(at, at, 'missing-argument', `${keyword} has no value`, `write ${keyword} ${example}`);
    },
  };
}

export const user: Row<'USER'> = valueRow('name');
export const workdir: Row<'WORKDIR'> = valueRow('/path');
export const stopsignal: Row<'STOPSIGNAL'> = valueRow('SIGTERM');
export const maintainer: Row<'MAINTAINER'> = valueRow('name');

/** `ONBUILD instruction`: carried out when another image is built on this one. */
export const onbuild: Row<'ONBUILD'> = {
  flags: noFlags,
  read({text, at, fail}, nested) {
    const [word = ''] = /^\S*/.exec(text) ?? [];
    const hint = 'write an instruction after ONBUILD, such as RUN';
    if (word === '') return fail(at, at, 'missing-argument', 'ONBUILD has no instruction', hint);
    if (['ONBUILD', 'FROM', 'MAINTAINER'].includes(word.toUpperCase())) {
      return fail(at, at + word.length, 'syntax', `ONBUILD cannot have ${word.toUpperCase()}`, hint);
    }
    const instruction = nested(text, at);
    if (instruction === undefined) return undefined;
    // Its here-documents go along: the image below is all that a later build has.
    const bodies = instruction.line.heredocs.map(({raw, name}) => raw + name);
    return {instruction, text: [text, ...bodies].join('\n')};
  },
};
