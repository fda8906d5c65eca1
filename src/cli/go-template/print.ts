import {ofMissing} from './member.ts';
import type {Term} from './nodes.ts';

/** The value of a term that stands alone: what has no value is told. */
export function printTerm({from, path}: Term, value: unknown): string {
  if (value !== undefined && value !== null) return printValue(value);
  const name = path.at(-1);
  if (name === undefined) return from.kind === 'value' || value === undefined ? '' : '<nil>';
  return ofMissing.get(name) ?? (value === null ? '<nil>' : '<no value>');
}

/** A value as Go prints it (`%v` of package fmt). What is not there is nothing. */
export function printValue(value: unknown): string {
  return value === undefined || value === null ? '' : printInner(value);
}

function printInner(value: unknown): string {
  if (value === undefined || value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(printInner).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${members.map(([key, member]) => `${key}:${printInner(member)}`).join(' ')}]`;
}

/** `printf`: the verbs for what templates are filled with, with flags `-`, `+`, `0`, width and precision. */
export function printFormatted(format: string, args: readonly unknown[]): string {
  let next = 0;
  const text = format.replace(
    /%([-+0 #]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g,
    (_all, flags: string, width = '0', precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const shown = showAs(verb, args[next], {flags, precision});
      next += 1;
      if (flags.includes('-')) return shown.padEnd(Number(width));
      const isNumber = flags.includes('0') && /^[-+]?\d/.test(shown);
      const sign = isNumber && /^[-+]/.test(shown) ? (shown[0] ?? '') : '';
      return isNumber
        ? `${sign}${shown.slice(sign.length).padStart(Number(width) - sign.length, '0')}`
        : shown.padStart(Number(width));
    },
  );
  const extra = args.slice(next).map((value) => `${typeof value}=${printInner(value)}`);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`;
}

function showAs(
  verb: string,
  value: unknown,
  {flags, precision}: {readonly flags: string; readonly precision: string | undefined},
): string {
  const sign = flags.includes('+') && Number(value) >= 0 ? '+' : '';
  const wrong = `%!${verb}(${typeof value}=${printInner(value)})`;
  switch (verb) {
    case 'v':
      return printInner(value);
    case 's':
      return precision === undefined ? printInner(value) : [...printInner(value)].slice(0, Number(precision)).join('');
    case 'q':
      return JSON.stringify(printInner(value));
    case 't':
      return typeof value === 'boolean' ? String(value) : wrong;
    case 'd':
      return Number.isInteger(value) ? `${sign}${String(value)}` : wrong;
    case 'x':
      return typeof value === 'string' ? Buffer.from(value).toString('hex') : (whole(value, 16) ?? wrong);
    case 'X':
      return (
        typeof value === 'string' ? Buffer.from(value).toString('hex') : (whole(value, 16) ?? wrong)
      ).toUpperCase();
    case 'o':
      return whole(value, 8) ?? wrong;
    case 'b':
      return whole(value, 2) ?? wrong;
    case 'f':
      return typeof value === 'number' ? `${sign}${value.toFixed(Number(precision ?? 6))}` : wrong;
    default:
      return wrong;
  }
}

function whole(value: unknown, base: number): string | undefined {
  return typeof value === 'number' && Number.isInteger(value) ? value.toString(base) : undefined;
}
