import type {Json} from '../base/canonical-json.ts';
import {resolvePlainScalar} from './stages/scalars.ts';

/** Plain text could be read as something else by YAML 1.1 readers, which are still about. */
const oldBooleans = /^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)$/;
const sexagesimal = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const timestamp = /^\d{4}-\d{1,2}-\d{1,2}(?:$|[Tt ])/;
const indicator = /^[-?:,[\]{}#&*!|>'"%@`]/;
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u0084\u0086-\u009f\ufeff\ufffe\uffff]/;

/** A value as YAML text, laid out as Go's library does it: two blanks a level, lists indented below their key. */
export function yamlText(value: Json): string {
  return `${block(value, 0)}\n`.replace(/^\n/, '');
}

function block(value: Json, indent: number): string {
  const pad = ' '.repeat(indent);
  if (isList(value)) {
    if (value.length === 0) return ' []';
    return value.map((item) => `\n${pad}- ${nested(item, indent + 2)}`).join('');
  }
  if (isObject(value)) {
    const entries = Object.entries(value);
    if (entries.length === 0) return ' {}';
    return entries.map(([key, member]) => `\n${pad}${scalarText(key, indent)}:${child(member, indent)}`).join('');
  }
  return ` ${scalarText(value, indent)}`;
}

function child(value: Json, indent: number): string {
  return block(value, indent + 2);
}

/** What stands behind a dash begins on its line. */
function nested(value: Json, indent: number): string {
  return block(value, indent).replace(/^(?:\n *| )/, '');
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json): value is {readonly [key: string]: Json} {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function scalarText(value: Json, indent: number): string {
  if (typeof value === 'string') return stringText(value, indent);
  if (typeof value === 'number') return numberText(value);
  return String(value);
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  return String(value);
}

function stringText(text: string, indent: number): string {
  if (text.includes('\n') && isBlockText(text)) return literal(text, indent);
  if (isPlain(text)) return text;
  return needsEscapes(text) || typeof resolvePlainScalar(text) !== 'string' || isAmbiguous(text)
    ? JSON.stringify(text)
    : `'${text.replaceAll("'", "''")}'`;
}

function isAmbiguous(text: string): boolean {
  return oldBooleans.test(text) || sexagesimal.test(text) || timestamp.test(text);
}

function needsEscapes(text: string): boolean {
  return /[\n\t\u0085\u2028\u2029]/.test(text) || unprintable.test(text);
}

function isBlockText(text: string): boolean {
  return !unprintable.test(text) && !/[\t\u0085\u2028\u2029]/.test(text)
    ? true
    : !unprintable.test(text) && !/^\s/.test(text);
}

function literal(text: string, indent: number): string {
  const chomp = text.endsWith('\n\n') || text === '\n' ? '+' : text.endsWith('\n') ? '' : '-';
  const first = /^[ \n\t]/.test(text) ? '2' : '';
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  const lines = body.split('\n').map((line) => (line === '' ? '' : `${' '.repeat(indent)}${line}`));
  return `|${first}${chomp}\n${lines.join('\n')}`;
}

function isPlain(text: string): boolean {
  if (text === '' || needsEscapes(text) || isAmbiguous(text)) return false;
  if (typeof resolvePlainScalar(text) !== 'string') return false;
  if (/^\s|\s$/.test(text) || / #|: |:$/.test(text)) return false;
  if (/^[-?:](?=\S)/.test(text)) return !/^[?:]/.test(text) || !/^[-?:](?:\s|$)/.test(text);
  return !indicator.test(text);
}
