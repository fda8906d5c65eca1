import {jsonText} from '../json-text.ts';
import {printFormatted, printValue} from './print.ts';

/** Throws an error whose message says what is wrong with the arguments. */
type TemplateFunction = (...args: readonly unknown[]) => unknown;

/** Go's truth: not zero, not empty. */
export function isTrue(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value === 'object' ? Object.keys(value).length > 0 : true;
}

/** Go's own functions, and those that Docker adds (docker/cli, package templates). */
export const functions = {
  and: (...args) => args.find((value) => !isTrue(value)) ?? args.at(-1),
  or: (...args) => args.find(isTrue) ?? args.at(-1),
  not: (value) => !isTrue(value),
  len: (value) => lengthOf(value),
  index: (value, ...keys) => keys.reduce((inner, key) => elementOf(inner, key), value),
  slice: (value, from, until) => sliceOf(value, from, until),
  print: (...args) => args.reduce<string>(printNext, ''),
  println: (...args) => `${args.map(printValue).join(' ')}\n`,
  printf: (format, ...args) => printFormatted(textOf(format), args),
  eq: (first, ...others) => others.some((other) => isEqual(first, other)),
  ne: (first, second) => !isEqual(first, second),
  lt: (first, second) => compare(first, second) < 0,
  le: (first, second) => compare(first, second) <= 0,
  gt: (first, second) => compare(first, second) > 0,
  ge: (first, second) => compare(first, second) >= 0,
  json: (value) => jsonText(value ?? null),
  html: (value) => textOf(value).replace(/["'&<>]/g, (letter) => escapes[letter] ?? letter),
  urlquery: (value) => encodeURIComponent(textOf(value)).replaceAll('%20', '+'),
  upper: (value) => textOf(value).toUpperCase(),
  lower: (value) => textOf(value).toLowerCase(),
  title: (value) => textOf(value).replace(/(?<![\p{L}\p{N}_])\p{L}/gu, (letter) => letter.toUpperCase()),
  split: (value, separator) => textOf(value).split(textOf(separator)),
  join: (value, separator) => listOf(value).map(printValue).join(textOf(separator)),
  pad: (value, before, after) => {
    const text = textOf(value);
    return text === '' ? '' : `${' '.repeat(Number(before))}${text}${' '.repeat(Number(after))}`;
  },
  truncate: (value, length) => textOf(value).slice(0, Number(length)),
} as const satisfies Readonly<Record<string, TemplateFunction>>;

export type FunctionName = keyof typeof functions;

export const functionNames: readonly string[] = Object.keys(functions);

const escapes: Readonly<Record<string, string>> = {'"': '&#34;', "'": '&#39;', '&': '&amp;', '<': '&lt;', '>': '&gt;'};

/** Of titles they leave everything as it is. */
const ofTitles: ReadonlySet<string> = new Set(['json', 'upper', 'lower', 'title', 'split', 'join', 'truncate']);

/** Runs one by name. */
export function callFunction(name: string, args: readonly unknown[], forTitles: boolean): unknown {
  if (forTitles && ofTitles.has(name)) return args.find((value) => typeof value === 'string');
  return (functions as Readonly<Record<string, TemplateFunction>>)[name]?.(...args);
}

/** Between two that are no texts stands a blank. */
function printNext(before: string, value: unknown, index: number, all: readonly unknown[]): string {
  const isApart = index > 0 && typeof value !== 'string' && typeof all[index - 1] !== 'string';
  return `${before}${isApart ? ' ' : ''}${printValue(value)}`;
}

function textOf(value: unknown): string {
  if (typeof value === 'object' && value !== null) throw new Error('a text is expected');
  return printValue(value);
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Error('a list is expected');
  return value;
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value !== 'object') throw new Error(`a ${typeof value} has no length`);
  return value === null ? 0 : Array.isArray(value) ? value.length : Object.keys(value).length;
}

function elementOf(value: unknown, key: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object') throw new Error('only lists and objects have members');
  if (!Array.isArray(value)) {
    return Object.hasOwn(value, String(key)) ? (value as Readonly<Record<string, unknown>>)[String(key)] : undefined;
  }
  const index = Number(key);
  if (!Number.isInteger(index) || index < 0 || index >= value.length)
    throw new Error(`index out of range: ${String(key)}`);
  return value[index];
}

function sliceOf(value: unknown, from: unknown = 0, until?: unknown): unknown {
  if (typeof value !== 'string' && !Array.isArray(value)) throw new Error('only texts and lists have parts');
  const [start, end] = [Number(from), Number(until ?? value.length)];
  if (!(start >= 0 && start <= end && end <= value.length)) throw new Error(`slice out of range: ${start}, ${end}`);
  return value.slice(start, end);
}

function isEqual(first: unknown, second: unknown): boolean {
  if (typeof first === 'object' && first !== null) throw new Error('only texts, numbers and truths are compared');
  if (!sameKind(first, second)) throw new Error('values of two kinds are compared');
  return (first ?? undefined) === (second ?? undefined);
}

/** What is not there is of every kind. */
function sameKind(first: unknown, second: unknown): boolean {
  return (
    (first ?? second) === undefined ||
    (second ?? first) === undefined ||
    typeof (first ?? second) === typeof (second ?? first)
  );
}

function compare(first: unknown, second: unknown): number {
  if (typeof first === 'number' && typeof second === 'number') return first - second;
  if (typeof first !== 'string' || typeof second !== 'string')
    throw new Error('only two texts or two numbers are in order');
  return first < second ? -1 : first > second ? 1 : 0;
}
