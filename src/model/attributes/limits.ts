import type {Limit} from './attribute.ts';

/** The way out where only the built-in engine cannot do something, as the end of a hint. */
export const otherEngine = 'use a Docker Engine: --host unix:///var/run/docker.sock';

/** A limit of all of an attribute: wherever it says anything. */
export function whole(by: Limit<unknown>['by'], reason: string, hint?: string): Limit<unknown> {
  return {by, reason, where: (value) => (saysNothing(value) ? [] : ['']), ...(hint === undefined ? {} : {hint})};
}

/** A limit of those values that fit. */
export function values<T>(
  by: Limit<T>['by'],
  {of, reason, hint}: {readonly of: string; readonly reason: string; readonly hint?: string},
  fits: (value: T) => boolean,
): Limit<T> {
  const where = (value: T): readonly string[] => (fits(value) ? [''] : []);
  return {by, of, reason, ofValue: true, where, ...(hint === undefined ? {} : {hint})};
}

/** A limit of those items of a list that fit; `below` is the member that says so. */
export function items<T>(
  by: Limit<readonly T[]>['by'],
  {
    of,
    reason,
    hint,
    below = '',
  }: {readonly of: string; readonly reason: string; readonly hint?: string; readonly below?: string},
  fits: (item: T) => boolean,
): Limit<readonly T[]> {
  return {
    by,
    of,
    reason,
    ofValue: true,
    where: (list) => list.flatMap((item, index) => (fits(item) ? [`[${index}]${below}`] : [])),
    ...(hint === undefined ? {} : {hint}),
  };
}

/** Limits of certain members of a mapping, wherever they are stated. */
export function members<T extends object>(
  by: Limit<T>['by'],
  names: readonly (keyof T & string)[],
  {reason, hint}: {readonly reason: string; readonly hint?: string},
): Limit<T> {
  return {
    by,
    of: names.join(', '),
    reason,
    where: (value) => names.filter((name) => !saysNothing(value[name])),
    ...(hint === undefined ? {} : {hint}),
  };
}

/** Zero, false and what is empty ask for nothing. */
export function saysNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
