import {TscomposeError} from '../../../base/errors.ts';

/** A profile that cannot be read. The words are Docker's. */
export function badProfile(reason: string): TscomposeError {
  return new TscomposeError('invalid', `Decoding seccomp profile failed: ${reason}`);
}

/** The members of an object, of which only `known` ones may say anything. Throws `invalid`. */
export function members<K extends string>(
  value: unknown,
  where: string,
  known: readonly K[],
): {readonly [P in K]?: unknown} {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badProfile(`${where || 'the profile'} is not an object`);
  }
  const unknown = Object.keys(value).find((name) => !(known as readonly string[]).includes(name));
  if (unknown !== undefined) throw badProfile(`unknown member ${where ? `${where}.` : ''}${unknown}`);
  return value as {readonly [P in K]?: unknown};
}

/** Absent and null are no items. */
export function items(value: unknown, where: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw badProfile(`${where} is not a list`);
}

export function texts(value: unknown, where: string): readonly string[] {
  return items(value, where).map((item, index) => text(item, `${where}[${index}]`));
}

/** Absent and null are the empty text. */
export function text(value: unknown, where: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  throw badProfile(`${where} is not a text`);
}

/** A whole number from 0 to `most`; absent and null are undefined. */
export function whole(value: unknown, where: string, most: number | bigint): number | bigint | undefined {
  if (value === undefined || value === null) return undefined;
  const isWhole = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
  if (isWhole && value >= 0 && value <= most) return value;
  throw badProfile(`${where} is not a whole number from 0 to ${most}`);
}

/** The row of a table that a name stands for. Throws `invalid` for a name without one. */
export function named<T>(table: Readonly<Record<string, T>>, name: string, where: string): T {
  const row = Object.hasOwn(table, name) ? table[name] : undefined;
  if (row === undefined) throw badProfile(`${where}: unknown name "${name}"`);
  return row;
}
