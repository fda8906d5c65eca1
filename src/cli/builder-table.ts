import type {BuildCacheRow} from '../api/types/system.ts';
import {humanDuration} from './relative-time.ts';
import {humanSize} from './size.ts';
import {formatTable} from './table.ts';
import {safeForTerminal} from './terminal-text.ts';

/** Rows as people read them; marks as `docker buildx du` has them: `*` for what is counted elsewhere, too. */
export function builderTable(
  rows: readonly BuildCacheRow[],
  {now, columns}: {readonly now: number; readonly columns: number | undefined},
): string {
  const header = ['ID', 'RECLAIMABLE', 'SIZE', 'LAST USED', 'DESCRIPTION'];
  const cells = rows.map((row) => [
    row.ID.slice(0, idLength),
    `${!row.InUse}${row.Shared ? '*' : ''}`,
    humanSize(row.Size),
    ago(row.LastUsedAt, now),
    safeForTerminal(row.Description, false),
  ]);
  return formatTable(header, cells, {columns, drop: ['LAST USED', 'RECLAIMABLE', 'SIZE'], cut: {DESCRIPTION: 20}});
}

/** Enough to tell one from another; `prune --filter id=` takes the start of an id. */
const idLength = 25;

/** All that is known, as blocks. */
export function builderBlocks(rows: readonly BuildCacheRow[], now: number): string {
  return rows.map((row) => block(row, now)).join('');
}

function block(row: BuildCacheRow, now: number): string {
  const lines = [
    ['ID', row.ID],
    ['Created at', row.CreatedAt],
    ['Mutable', String(row.Type !== 'regular')],
    ['Reclaimable', String(!row.InUse)],
    ['Shared', String(row.Shared)],
    ['Size', humanSize(row.Size)],
    ['Description', safeForTerminal(row.Description, false)],
    ['Usage count', String(row.UsageCount)],
    ['Last used', ago(row.LastUsedAt, now)],
    ['Type', row.Type],
  ];
  return `${lines.map(([name, value]) => `${`${name}:`.padEnd(16)}${value}\n`).join('')}\n`;
}

/** What is shared is not counted in the total. */
export function builderTotals(rows: readonly BuildCacheRow[]): string {
  const own = rows.filter(({Shared}) => !Shared);
  const sum = (list: readonly BuildCacheRow[]) => humanSize(list.reduce((total, {Size}) => total + Size, 0));
  const lines = [
    ['Shared', sum(rows.filter(({Shared}) => Shared))],
    ['Private', sum(own)],
    ['Reclaimable', sum(own.filter(({InUse}) => !InUse))],
    ['Total', sum(own)],
  ];
  return lines.map(([name, value]) => `${`${name}:`.padEnd(16)}${value}\n`).join('');
}

function ago(time: string | null, now: number): string {
  return time === null ? 'never' : `${humanDuration(Math.max(now - Date.parse(time), 0) / 1000)} ago`;
}
