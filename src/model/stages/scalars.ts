import type {Scalar} from '../tree.ts';

const words: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ['', null],
  ['~', null],
  ['null', null],
  ['Null', null],
  ['NULL', null],
  ['true', true],
  ['True', true],
  ['TRUE', true],
  ['false', false],
  ['False', false],
  ['FALSE', false],
]);
const integer = /^[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$/;
const infinite = /^[-+]?\.(?:inf|Inf|INF)$/;
const notANumber = /^\.(?:nan|NaN|NAN)$/;

/**
 * What a plain (unquoted) YAML scalar stands for, by the rules of the Go library that Compose reads files with: YAML 1.2
 * words, `0700` and `0o700` octal, `0x` and `0b`, `_` between digits. `yes`, `on` and `12:30` are text; so are dates,
 * which Compose refuses wherever text is wanted. A whole number that a double cannot hold stays text.
 */
export function resolvePlainScalar(text: string): Scalar {
  const word = words.get(text);
  if (word !== undefined) return word;
  const first = text.charCodeAt(0);
  // Nothing but a digit, a sign or a point begins a number.
  if (!(first >= 0x30 && first <= 0x39) && first !== 0x2b && first !== 0x2d && first !== 0x2e) return text;
  if (integer.test(text)) return resolveInteger(text);
  if (float.test(text)) return resolveFloat(text);
  if (infinite.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (notANumber.test(text)) return Number.NaN;
  return text;
}

/** True for plain text that stands for text: neither a word of YAML nor a number. */
export function isPlainText(text: string): boolean {
  return !(words.has(text) || integer.test(text) || float.test(text) || infinite.test(text) || notANumber.test(text));
}

function resolveInteger(text: string): Scalar {
  const negative = text.startsWith('-');
  const digits = text.replace(/^[-+]/, '').replaceAll('_', '');
  const octal = /^0[0-7]+$/.test(digits);
  const value = octal ? Number.parseInt(digits, 8) : Number(digits);
  if (!Number.isSafeInteger(value)) return resolveBig(negative ? `-${digits}` : digits, value);
  return negative && value !== 0 ? -value : value;
}

/** Up to 64 bits the digits stay as they are; beyond that it is a float. */
function resolveBig(digits: string, value: number): Scalar {
  const exact = /^-?0[xbo]/.test(digits) ? undefined : BigInt(digits);
  return exact !== undefined && exact < 1n << 64n && exact >= -(1n << 63n) ? exact.toString() : value;
}

function resolveFloat(text: string): Scalar {
  return Number(text.replaceAll('_', ''));
}

/** How Go prints a number that was written as a float, where that differs from `scalarText` of its value. */
export function floatSpelling(text: string, value: Scalar): string | undefined {
  if (typeof value !== 'number' || Math.abs(value) < 1e6 || !Number.isSafeInteger(value) || integer.test(text))
    return undefined;
  return floatText(value);
}

/** A scalar as text, as Go prints it: what becomes of `PORT: 8080` in an environment. Null has none. */
export function scalarText(value: Exclude<Scalar, null>): string {
  return typeof value === 'number' && !Number.isSafeInteger(value) ? floatText(value) : String(value);
}

/** Shortest digits that give the value back; with an exponent below 1e-4 and from 1e6 on. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}
