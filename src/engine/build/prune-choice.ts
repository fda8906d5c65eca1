import {checkFilters, knownFilters} from '../../api/filters.ts';
import type {BuildPruning} from '../../api/types/prune.ts';
import type {Now} from '../clock.ts';
import {readPruneFilter, switchOf} from '../prune/prune-filter.ts';
import type {KeptRow} from './rows.ts';

/**
 * What a prune may take: of results of steps those whose layers are part of no image, what clients sent, of cache mounts those
 * that are named by `id` or `type`; with `all` each. Throws `invalid` for filters that do not exist.
 */
export function pruneMatcher(
  {all, filters}: Pick<BuildPruning, 'all' | 'filters'>,
  now: Now,
): (row: KeptRow) => boolean {
  checkFilters(filters, knownFilters.buildPrune);
  const {id, type, description, until, 'unused-for': unused} = filters;
  const time = until ?? unused;
  const old = readPruneFilter(time === undefined ? {} : {until: time}, ['until'], now);
  const namesMounts = id !== undefined || type?.includes('exec.cachemount') === true;
  const is = (key: 'inuse' | 'shared' | 'private', value: boolean) =>
    filters[key] === undefined || switchOf(onlyGiven(filters[key], key), key, true) === value;
  return ({row, usedMs, isOfImage}) =>
    (all || (row.Type === 'exec.cachemount' ? namesMounts : !isOfImage)) &&
    old.matches(undefined, usedMs) &&
    (id === undefined || id.some((start) => row.ID.startsWith(start) || row.Description === `cached mount ${start}`)) &&
    (type === undefined || type.includes(row.Type)) &&
    (description === undefined || description.includes(row.Description)) &&
    is('inuse', row.InUse) &&
    is('shared', row.Shared) &&
    is('private', !row.Shared);
}

/** The name alone means that it is so. */
function onlyGiven(values: readonly string[], key: string): Readonly<Record<string, readonly string[]>> {
  return {[key]: values.filter((value) => value !== '')};
}

/** Of what may go, in the order of last use, as much as has to so that no more than the limits is left. */
export function withinLimits(
  rows: readonly KeptRow[],
  matching: readonly KeptRow[],
  limits: BuildPruning & {readonly freeBytes: number},
): readonly KeptRow[] {
  const {reservedSpace = 0, maxUsedSpace = 0, minFreeSpace = 0, freeBytes} = limits;
  if (reservedSpace === 0 && maxUsedSpace === 0 && minFreeSpace === 0) return matching;
  let total = sizeOf(rows);
  const most = [
    ...(maxUsedSpace > 0 ? [maxUsedSpace] : []),
    ...(minFreeSpace > 0 ? [total - Math.max(minFreeSpace - freeBytes, 0)] : []),
  ];
  const kept = Math.max(most.length === 0 ? 0 : Math.min(...most), reservedSpace);
  const chosen: KeptRow[] = [];
  for (const row of matching) {
    if (total <= kept) break;
    chosen.push(row);
    total -= sizeOf([row]);
  }
  return chosen;
}

/** Bytes that nobody else needs. */
function sizeOf(rows: readonly KeptRow[]): number {
  return rows.reduce((sum, {row}) => sum + (row.Shared ? 0 : row.Size), 0);
}
