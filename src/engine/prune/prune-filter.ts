import {checkFilters, matchesLabels} from '../../api/filters.ts';
import type {Filters} from '../../api/types/system.ts';
import {parseDuration} from '../../base/duration.ts';
import {TscomposeError} from '../../base/errors.ts';
import {type Now, parseNanoseconds} from '../clock.ts';

type Labels = Readonly<Record<string, string>> | null | undefined;

/** What a prune may take, as Docker reads the filters. */
export interface PruneFilter {
  matches(labels: Labels, createdMs: number): boolean;
}

/** Throws `invalid` for a filter or a value that does not exist. */
export function readPruneFilter(filters: Filters, known: readonly string[], now: Now): PruneFilter {
  checkFilters(filters, known);
  const until = filters['until'] ?? [];
  if (until.length > 1) throw new TscomposeError('invalid', 'more than one until filter specified');
  const before = until[0] === undefined ? undefined : timeOf(until[0], now);
  const unwanted = filters['label!'] ?? [];
  return {
    matches: (labels, createdMs) =>
      matchesLabels(labels, filters['label']) &&
      !unwanted.some((label) => matchesLabels(labels, [label])) &&
      (before === undefined || createdMs < before),
  };
}

/** `true`, `1`, `t` and the like, as Go reads them. Throws `invalid`, also for values that contradict each other. */
export function switchOf(filters: Filters, key: string, otherwise: boolean): boolean {
  const values = filters[key] ?? [];
  if (values.length === 0) return otherwise;
  if (values.every((value) => /^(1|t|T|TRUE|true|True)$/.test(value))) return true;
  if (values.every((value) => /^(0|f|F|FALSE|false|False)$/.test(value))) return false;
  throw new TscomposeError('invalid', `invalid filter '${key}=[${values.join(' ')}]'`);
}

/** RFC 3339, Unix seconds, or how long ago: milliseconds since the epoch. Throws `invalid`. */
export function timeOf(text: string, now: Now): number {
  const nanoseconds = parseNanoseconds(text);
  if (nanoseconds !== undefined) return Number(nanoseconds / 1_000_000n);
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const duration = parseDuration(text);
  if (duration.ok) return now() - duration.nanoseconds / 1e6;
  const date = /^\d{4}-\d\d-\d\d(T[\d:]+)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(date)) return date;
  throw new TscomposeError('invalid', `failed to parse value as time or duration: "${text}"`);
}
