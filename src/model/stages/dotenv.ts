import type {Problems} from '../problems.ts';
import type {SourceFile, Span} from '../source.ts';
import {substitute} from './template.ts';

export interface EnvironmentEntry {
  readonly value: string;
  readonly at: Span;
}

export interface EnvironmentFileOptions {
  /** Values from outside the file: they win over the file's own when a value refers to a variable. */
  readonly lookup: (name: string) => string | undefined;
  /** Values of earlier files: the file's own win over them. */
  readonly below?: (name: string) => string | undefined;
  readonly problems: Problems;
}

/** The variables of an environment file, in the order in which they were last given. */
export type EnvironmentEntries = ReadonlyMap<string, EnvironmentEntry>;

const blank = /[\t\v\f\r \u0085\u00a0]*/y;
const anySpace = /\s*/y;
const nameCharacter = /[\p{L}\p{N}_.\-[\]\t\v\f\r \u0085\u00a0]/u;

interface Reader {
  readonly source: SourceFile;
  readonly text: string;
  at: number;
}

/**
 * Reads an environment file (`.env`, `env_file`): `KEY=value` or `KEY: value`, `export` before it, comments, values in
 * single quotes (literal) or double quotes (escapes), both over several lines, variables in unquoted and double-quoted
 * ones; a bare `KEY` takes its value from outside. Problems end the file, as nothing after them can be trusted.
 */
export function parseEnvironmentFile(file: SourceFile, options: EnvironmentFileOptions): EnvironmentEntries {
  // Places count in the text without the mark and without carriage returns: columns and lines stay what they were.
  const source = {...file, text: file.text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n')};
  const reader: Reader = {source, text: source.text, at: 0};
  const entries = new Map<string, EnvironmentEntry>();
  while (skipToStatement(reader)) {
    const start = reader.at;
    const key = readKey(reader, options.problems);
    if (key === undefined) return entries;
    const at: Span = {source, start, end: start + key.name.length};
    const value = key.bare ? options.lookup(key.name) : readValue(reader, entries, options);
    if (value === failed) return entries;
    if (value !== undefined) {
      entries.delete(key.name);
      entries.set(key.name, {value, at});
    }
  }
  return entries;
}

const failed = Symbol('failed');

function skip(reader: Reader, pattern: RegExp): void {
  pattern.lastIndex = Math.min(reader.at, reader.text.length);
  pattern.test(reader.text);
  reader.at = pattern.lastIndex;
}

function lineEnd(reader: Reader, from: number): number {
  const end = reader.text.indexOf('\n', from);
  return end === -1 ? reader.text.length : end;
}

/** Past white space and comments; false at the end of the file. */
function skipToStatement(reader: Reader): boolean {
  for (;;) {
    skip(reader, anySpace);
    if (reader.text[reader.at] !== '#') break;
    reader.at = lineEnd(reader, reader.at);
  }
  const exported = /export[^\S\n]+/y;
  exported.lastIndex = reader.at;
  if (exported.test(reader.text)) reader.at = exported.lastIndex;
  return reader.at < reader.text.length;
}

function readKey(reader: Reader, problems: Problems): {readonly name: string; readonly bare: boolean} | undefined {
  const {text, source, at: start} = reader;
  let at = start;
  for (; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '=' || character === ':' || character === '\n') break;
    if (nameCharacter.test(character) || (character >= '\ud800' && character <= '\udfff')) continue;
    problems.error(
      {source, start: at, end: at + 1},
      {
        code: 'environment-file',
        message: `unexpected character "${character}" in the name of a variable`,
        hint: 'a line is KEY=value; names are letters, digits, "_", "." and "-"',
      },
    );
    return undefined;
  }
  const name = text.slice(start, at).trimEnd();
  const bare = at >= text.length || text[at] === '\n';
  if (name.includes(' ')) {
    problems.error(
      {source, start, end: start + name.length},
      {
        code: 'environment-file',
        message: `the name of a variable cannot contain a space: "${name}"`,
        hint: 'a line is KEY=value; a comment begins with #',
      },
    );
    return undefined;
  }
  reader.at = at + 1;
  if (!bare) skip(reader, blank);
  return {name, bare};
}

function readValue(
  reader: Reader,
  entries: EnvironmentEntries,
  options: EnvironmentFileOptions,
): string | typeof failed {
  const quote = reader.text[reader.at];
  if (quote === '"' || quote === "'") return readQuoted(reader, quote, entries, options);
  const start = reader.at;
  const end = lineEnd(reader, start);
  reader.at = end + 1;
  const [value = ''] = reader.text.slice(start, end).split(' #', 1);
  return expandVariables(value.trimEnd(), {source: reader.source, start, end}, entries, options);
}

function readQuoted(
  reader: Reader,
  quote: '"' | "'",
  entries: EnvironmentEntries,
  options: EnvironmentFileOptions,
): string | typeof failed {
  const {text, source, at: start} = reader;
  let value = '';
  let at = start + 1;
  for (; at < text.length && text[at] !== quote; at++) {
    // A backslash takes the next character with it; before the quote it disappears.
    if (text[at] === '\\' && at + 1 < text.length) {
      at += 1;
      value += text[at] === quote ? quote : `\\${text[at]}`;
    } else {
      value += text[at];
    }
  }
  if (at >= text.length) {
    options.problems.error(
      {source, start, end: lineEnd(reader, start)},
      {
        code: 'environment-file',
        message: 'a quoted value has no closing quote',
        hint: `add a closing ${quote} at the end`,
      },
    );
    return failed;
  }
  reader.at = at + 1;
  return quote === "'" ? value : expandVariables(expandEscapes(value), {source, start, end: at + 1}, entries, options);
}

const escapes: Readonly<Record<string, string>> = {
  '\\a': '\u0007',
  '\\b': '\b',
  '\\f': '\f',
  '\\n': '\n',
  '\\r': '\r',
  '\\t': '\t',
  '\\v': '\v',
  '\\"': '"',
  '\\\\': '\\',
  // The template's own way to write a dollar sign.
  '\\$': '$$',
};

function expandEscapes(text: string): string {
  return text.replace(/\\(?:[abcfnrtv$"\\]|0\d{0,3})/g, (sequence) => {
    const octal = /^\\0([0-3][0-7]{2})$/.exec(sequence);
    if (octal !== null) return String.fromCharCode(Number.parseInt(octal[1] ?? '', 8));
    return escapes[sequence] ?? (sequence.startsWith('\\0') ? `\\${sequence.slice(2)}` : sequence);
  });
}

function expandVariables(
  text: string,
  at: Span,
  entries: EnvironmentEntries,
  {lookup, below, problems}: EnvironmentFileOptions,
): string | typeof failed {
  const result = substitute(text, {
    lookup: (name) => lookup(name) ?? entries.get(name)?.value ?? below?.(name),
    missing: (name) => {
      problems.warning(at, {
        code: 'unset-variable',
        once: `unset ${name}`,
        message: `the variable ${name} is not set: it becomes an empty string`,
        hint: `write \${${name}:-default}, or $$ for a dollar sign`,
      });
    },
  });
  if (result.ok) return result.text;
  problems.error(at, {
    code: result.reason === 'required' ? 'required-variable' : 'interpolation',
    message: result.message,
    hint:
      result.reason === 'required'
        ? 'set it above this line, or in the environment'
        : 'write $$ for a plain dollar sign, or put the value into single quotes',
  });
  return failed;
}

/** Reads an `env_file` of format `raw`: `KEY=value` lines taken as they are, no quotes, no variables. */
export function parseRawEnvironmentFile(
  file: SourceFile,
  {lookup, problems}: EnvironmentFileOptions,
): EnvironmentEntries {
  const source = {...file, text: file.text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n')};
  const entries = new Map<string, EnvironmentEntry>();
  let start = 0;
  for (const line of source.text.split('\n')) {
    const statement = line.trimStart();
    const at: Span = {source, start: start + line.length - statement.length, end: start + line.length};
    start += line.length + 1;
    if (statement === '' || statement.startsWith('#')) continue;
    const [name = ''] = statement.split('=', 1);
    if (name === '' || /\s/.test(name)) {
      const message =
        name === '' ? 'a line has no name of a variable' : `the name of a variable cannot contain a space: "${name}"`;
      problems.error(at, {code: 'environment-file', message, hint: 'a line is KEY=value'});
      continue;
    }
    const value = statement.includes('=') ? statement.slice(name.length + 1) : lookup(name);
    if (value !== undefined) entries.set(name, {value, at});
  }
  return entries;
}
