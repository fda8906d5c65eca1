import {parseBytes} from '../../base/bytes.ts';
import {parseDuration} from '../../base/duration.ts';
import type {Problem, Problems} from '../problems.ts';
import {scalarText} from '../stages/scalars.ts';
import type {Scalar, Tree} from '../tree.ts';
import {isNull} from '../tree.ts';

export interface ReadContext {
  readonly problems: Problems;
  /** What is being read, for messages: `services.web.healthcheck`. */
  readonly where: string;
}

/**
 * Turns a validated tree into a value. Undefined: the value is not there, or is wrong; what the schema cannot see is
 * reported here, what it can see has been.
 */
export type Reader<T> = (node: Tree, context: ReadContext) => T | undefined;

export function wrong(
  node: Tree,
  context: ReadContext,
  problem: Omit<Problem, 'code'> & {readonly code?: string; readonly hint: string},
): undefined {
  context.problems.error(node.at, {code: 'wrong-value', ...problem, message: `${context.where}: ${problem.message}`});
  return undefined;
}

function scalarOf(node: Tree): Exclude<Scalar, null> | undefined {
  return node.kind === 'scalar' && node.value !== null ? node.value : undefined;
}

export const text: Reader<string> = (node) => {
  const value = scalarOf(node);
  if (node.kind !== 'scalar' || value === undefined) return undefined;
  return node.spelling ?? scalarText(value);
};

/** As `text`, and null is a value: a variable to be unset, a name alone. */
export const textOrNull: Reader<string | null> = (node, context) => (isNull(node) ? null : text(node, context));

export const number: Reader<number> = (node, context) => {
  const value = scalarOf(node);
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const parsed = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  return Number.isFinite(parsed)
    ? parsed
    : wrong(node, context, {message: `"${value}" is not a number`, hint: 'write a number like 2 or 0.5'});
};

export const integer: Reader<number> = (node, context) => {
  const value = scalarOf(node);
  const parsed = typeof value === 'string' && /^[-+]?\d+$/.test(value.trim()) ? Number(value) : value;
  if (typeof parsed === 'number' && Number.isSafeInteger(parsed)) return parsed;
  return value === undefined || typeof value === 'boolean'
    ? undefined
    : wrong(node, context, {message: `"${value}" is not a whole number`, hint: 'write a number without a fraction'});
};

const truths: Readonly<Record<string, boolean>> = {
  true: true,
  false: false,
  y: true,
  yes: true,
  on: true,
  n: false,
  no: false,
  off: false,
};

export const boolean: Reader<boolean> = (node, context) => {
  const value = scalarOf(node);
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  const truth = truths[value.toLowerCase()];
  if (truth === undefined)
    return wrong(node, context, {message: `"${value}" is neither true nor false`, hint: 'write true or false'});
  if (!/^(?:true|false)$/i.test(value)) {
    context.problems.warning(node.at, {
      code: 'old-boolean',
      message: `${context.where}: "${value}" is an old way to write ${truth}`,
      hint: `write ${truth}`,
    });
  }
  return truth;
};

/** Nanoseconds. */
export const duration: Reader<number> = (node, context) => {
  const value = scalarOf(node);
  if (typeof value !== 'string') return undefined;
  const parsed = parseDuration(value);
  if (parsed.ok) return parsed.nanoseconds;
  return wrong(node, context, {
    message: `"${value}" is not a duration${parsed.reason.includes(`"${value}"`) ? '' : `: ${parsed.reason}`}`,
    hint: 'write a number with a unit, like 30s or 1m30s',
  });
};

/** Bytes; -1 where that is a value (no limit). */
export const bytes: Reader<number> = (node, context) => {
  const value = scalarOf(node);
  if (typeof value === 'number' && Number.isFinite(value)) return Math.trunc(value);
  if (typeof value === 'boolean' || value === undefined) return undefined;
  const size = value === '-1' ? -1 : parseBytes(String(value));
  return (
    size ??
    wrong(node, context, {message: `"${value}" is not a size`, hint: 'write a number with a unit, like 512m or 1g'})
  );
};

export function oneOf<T extends string>(...values: readonly T[]): Reader<T> {
  return (node, context) => {
    const value = text(node, context);
    return values.find((known) => known === value);
  };
}

export function list<T>(item: Reader<T>): Reader<readonly T[]> {
  return (node, context) => {
    if (node.kind !== 'sequence') return undefined;
    return node.items
      .map((child) => item(child, context))
      .filter((value): value is Awaited<T> & T => value !== undefined);
  };
}

export const texts = list(text);

export function record<T>(value: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (node, context) => {
    if (node.kind !== 'mapping') return undefined;
    // Made of entries, since an assignment to a key named "__proto__" would be lost.
    const members = [...node.entries].map(([key, entry]) => [key, value(entry.value, context)] as const);
    return Object.fromEntries(members.filter((found): found is [string, Awaited<T> & T] => found[1] !== undefined));
  };
}

type Fields<T> = {readonly [K in keyof T]-?: Reader<Exclude<T[K], undefined>>};

/** Members that are not there stay out; the schema has seen to it that required ones are there. */
export function object<T>(fields: Fields<T>): Reader<T> {
  const names = Object.keys(fields) as unknown as readonly (keyof T & string)[];
  return (node, context) => {
    if (node.kind !== 'mapping') return undefined;
    const result: Partial<T> = {};
    for (const name of names) {
      const entry = node.entries.get(name);
      if (entry === undefined || isNull(entry.value)) continue;
      const value = fields[name](entry.value, {...context, where: `${context.where}.${name}`});
      if (value !== undefined) result[name] = value;
    }
    return result as T;
  };
}

/** A reader whose result is looked at once more, with the node at hand for its place. */
export function refine<T, R>(
  reader: Reader<T>,
  next: (value: T, node: Tree, context: ReadContext) => R | undefined,
): Reader<R> {
  return (node, context) => {
    const value = reader(node, context);
    return value === undefined ? undefined : next(value, node, context);
  };
}
