import {TscomposeError} from '../base/errors.ts';
import type {Filters} from './types/system.ts';

/** Filters the Engine API knows for each list, whether or not an engine implements them. */
export const knownFilters = {
  containers: [
    'ancestor',
    'before',
    'expose',
    'exited',
    'health',
    'id',
    'isolation',
    'is-task',
    'label',
    'name',
    'network',
    'publish',
    'since',
    'status',
    'volume',
  ],
  networks: ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'],
  volumes: ['dangling', 'driver', 'label', 'name'],
  images: ['before', 'dangling', 'label', 'reference', 'since', 'until'],
  containersPrune: ['label', 'label!', 'until'],
  networksPrune: ['label', 'label!', 'until'],
  volumesPrune: ['all', 'label', 'label!'],
  buildPrune: ['description', 'id', 'inuse', 'private', 'shared', 'type', 'until', 'unused-for'],
  imagesPrune: ['dangling', 'label', 'label!', 'until'],
  events: [
    'config',
    'container',
    'daemon',
    'event',
    'image',
    'label',
    'network',
    'node',
    'plugin',
    'scope',
    'secret',
    'service',
    'type',
    'volume',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/**
 * Reads a `filters` parameter in either form clients send: `{"label": ["a=b"]}` and `{"label": {"a=b": true}}`.
 * Values that are switched off in the second form are left out. Throws `invalid`.
 */
export function parseFilters(parameter: string): Filters {
  if (parameter === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(parameter);
  } catch (cause) {
    throw new TscomposeError('invalid', `parameter "filters": not valid JSON: ${parameter}`, {cause});
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notFilters(parameter);
  const filters: Record<string, readonly string[]> = {};
  for (const [key, values] of Object.entries(value)) filters[key] = filterValues(values, parameter);
  return filters;
}

/** The array form: what every engine since API 1.22 reads. */
export function formatFilters(filters: Filters): string {
  return JSON.stringify(filters);
}

/** Refuses a filter the list does not have, as the Engine API does. Throws `invalid`. */
export function checkFilters(filters: Filters | undefined, known: readonly string[]): void {
  for (const key of Object.keys(filters ?? {})) {
    if (!known.includes(key)) throw new TscomposeError('invalid', `invalid filter '${key}'`);
  }
}

/** True where every wanted label is there: `key` (any value) or `key=value`. */
export function matchesLabels(
  labels: Readonly<Record<string, string>> | null | undefined,
  wanted: readonly string[] | undefined,
): boolean {
  return (wanted ?? []).every((filter) => {
    const split = filter.indexOf('=');
    const key = split < 0 ? filter : filter.slice(0, split);
    if (labels === null || labels === undefined || !Object.hasOwn(labels, key)) return false;
    return split < 0 || labels[key] === filter.slice(split + 1);
  });
}

function filterValues(values: unknown, parameter: string): readonly string[] {
  if (Array.isArray(values)) {
    if (!values.every((value) => typeof value === 'string')) throw notFilters(parameter);
    return values;
  }
  if (typeof values !== 'object' || values === null) throw notFilters(parameter);
  return Object.entries(values).flatMap(([value, on]) => (on === true ? [value] : []));
}

function notFilters(parameter: string): TscomposeError {
  return new TscomposeError('invalid', `parameter "filters": not a map of lists: ${parameter}`);
}
