import type {Json} from '../base/canonical-json.ts';
import {isPlainText} from './stages/scalars.ts';

/**
 * A value as YAML text, laid out and quoted as the Go library does that Compose writes with: two blanks a level, lists
 * indented below their key, quotes only where a text would be read as something else.
 */
export function yamlText(value: Json): string {
  return `${block(value, 0).replace(/^[\n ]/, '')}\n`;
}

/** What stands behind a colon or dash; begins with a blank or a line break. */
function block(value: Json, indent: number): string {
  const pad = ' '.repeat(indent);
  if (isList(value)) {
    if (value.length === 0) return ' []';
    return value.map((item) => `\n${pad}- ${block(item, indent + 2).replace(/^(?:\n *| )/, '')}`).join('');
  }
  if (isObject(value)) {
    const entries = Object.entries(value);
    if (entries.length === 0) return ' {}';
    return entries.map(([key, member]) => `\n${pad}${keyText(key)}:${block(member, indent + 2)}`).join('');
  }
  return ` ${typeof value === 'string' ? stringText(value, indent) : plainText(value)}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json): value is {readonly [key: string]: Json} {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function plainText(value: null | boolean | number): string {
  if (typeof value !== 'number' || Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return '.nan';
  return value > 0 ? '.inf' : '-.inf';
}

interface Shape {
  readonly plain: boolean;
  readonly single: boolean;
  readonly literal: boolean;
}

// YAML 1.1 readers take these for something else than text.
const oldBoolean = /^(?:[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/;
const sexagesimal = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const timestamp =
  /^\d{4}-\d{1,2}-\d{1,2}(?:$|(?:[Tt]|[ \t]+)\d{1,2}:\d{2}:\d{2}(?:\.\d*)?[ \t]*(?:[Zz]|[-+]\d{1,2}(?::?\d{2})?)?$)/;
const unprintable = /[^\n\t\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u;
const breaks = /[\n\u2028\u2029]/;

function shapeOf(text: string): Shape {
  const special = unprintable.test(text);
  const blankBeforeBreak = / [\n\u2028\u2029]/.test(text);
  const blankAfterBreak = /[\n\u2028\u2029] /.test(text);
  const indicator = /^(?:[#,[\]{}&*!|>'"%@`]|[-?:](?:\s|$)|---|\.\.\.)/.test(text) || /:(?:[ \t]|$)|\s#/.test(text);
  const outside = /^[ \n\u2028\u2029]|[ \n\u2028\u2029]$/.test(text);
  return {
    plain: !(special || text.includes('\t') || indicator || outside || breaks.test(text)),
    single: !(special || text.includes('\t') || blankBeforeBreak || blankAfterBreak),
    literal: !(special || blankBeforeBreak || text.endsWith(' ')),
  };
}

function readsAsText(text: string): boolean {
  return (
    text !== '<<' && isPlainText(text) && !oldBoolean.test(text) && !sexagesimal.test(text) && !timestamp.test(text)
  );
}

function keyText(text: string): string {
  return text.includes('\n') ? doubleQuoted(text) : flowText(text);
}

function stringText(text: string, indent: number): string {
  if (!text.includes('\n')) return flowText(text);
  return shapeOf(text).literal ? literal(text, indent) : doubleQuoted(text);
}

function flowText(text: string): string {
  if (!readsAsText(text)) return doubleQuoted(text);
  const {plain, single} = shapeOf(text);
  if (plain) return text;
  return single ? `'${text.replaceAll("'", "''")}'` : doubleQuoted(text);
}

const escapes: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\u001b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function doubleQuoted(text: string): string {
  const inner = [...text].map((character) => {
    const known = escapes[character];
    if (known !== undefined) return known;
    if (!unprintable.test(character)) return character;
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${hex(code, 2)}` : code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
  });
  return `"${inner.join('')}"`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).toUpperCase().padStart(digits, '0');
}

function literal(text: string, indent: number): string {
  const kept = /(?:^|\n)\n$/.test(text) ? '+' : text.endsWith('\n') ? '' : '-';
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  const lines = body.split('\n').map((line) => (line === '' ? '' : `${' '.repeat(indent)}${line}`));
  return `|${hint}${kept}\n${lines.join('\n')}`;
}
