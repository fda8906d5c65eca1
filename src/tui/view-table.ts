import {cutCells} from './cells.ts';
import {bar, sparkline} from './graphs.ts';
import type {TablePane} from './layout.ts';
import {blanks, fillLine, span} from './line.ts';
import {pendingOf} from './pending.ts';
import {shortBytes, shortPercent, shortSpan} from './short-text.ts';
import {healthText, isUp, replicaStatus, serviceStatus, shortCause} from './status.ts';
import {type Column, gapOf, nameText, portsText} from './table-columns.ts';
import {isSelected, scrolledTop, selectedIndex, type TableRow, tableRows} from './table-rows.ts';
import type {Line, ReplicaState, Span, StyleName} from './types.ts';
import {sumLimits, sumRings} from './usage.ts';
import type {ViewContext} from './view-context.ts';

/** The services as lines of `pane.width` cells, `pane.height` of them. */
export function tableLines(context: ViewContext, pane: TablePane): readonly Line[] {
  const {state, glyphs} = context;
  const {columns} = pane;
  const rows = tableRows(state);
  const height = pane.height - pane.heading;
  const top = scrolledTop(state.tableTop, selectedIndex(rows, state.selection), rows.length, height);
  const shown = rows.slice(top, top + height);
  const body = shown.map((row) => rowLine(context, row, columns, pane.width));
  if (rows.length === 0)
    body.push([span(state.revision === 0 ? ' reading the stack file' : ' the stack file has no services', 'dim')]);
  const heading = headingLine(context, columns, {above: top, below: rows.length - top - shown.length});
  const lines = pane.heading === 1 ? [heading, ...body] : body;
  return Array.from({length: pane.height}, (_, index) => fillLine(lines[index] ?? [], pane.width, glyphs.cut));
}

/** Lines that are not seen are told in the place of the first title, which needs no words. */
function headingLine(
  {glyphs}: ViewContext,
  columns: readonly Column[],
  {above, below}: {readonly above: number; readonly below: number},
): Line {
  const hidden = [
    ...(above > 0 ? [`${glyphs.less}${above}`] : []),
    ...(below > 0 ? [`${glyphs.more}${below}`] : []),
  ].join(' ');
  const cells = columns.map((column, index): Line => {
    if (index === 0 && hidden !== '') return fillLine([span(hidden, 'accent')], column.width, glyphs.cut);
    return fillLine([span(aligned(column.title, column), 'dim')], column.width, glyphs.cut);
  });
  const gap = gapOf(columns);
  return [span(' '), ...cells.flatMap((cell, index) => (index === 0 ? cell : [blanks(gap), ...cell]))];
}

function rowLine(context: ViewContext, row: TableRow, columns: readonly Column[], width: number): Line {
  const {state, glyphs} = context;
  const selected = isSelected(row, state.selection);
  const replicas = row.replica === undefined ? row.service.replicas : [row.replica];
  const marker = span(selected ? glyphs.marker : ' ', state.focus === 'services' ? 'accent' : 'dim');
  const gap = gapOf(columns);
  const line: Span[] = [marker];
  for (const [index, column] of columns.entries()) {
    const cell = fillLine(cellOf(context, {row, replicas, column, selected}), column.width, glyphs.cut);
    if (index > 0) line.push(blanks(gap));
    line.push(...cell);
  }
  return selected
    ? fillLine(line, width, glyphs.cut).map((piece) => ({...piece, background: 'selection' as const}))
    : line;
}

interface CellOptions {
  readonly row: TableRow;
  readonly replicas: readonly ReplicaState[];
  readonly column: Column;
  readonly selected: boolean;
}

function cellOf(context: ViewContext, options: CellOptions): Line {
  const {glyphs, now} = context;
  const {row, replicas, column} = options;
  switch (column.name) {
    case 'name':
      return nameCell(context, options);
    case 'state': {
      const {glyph, word, style} = row.replica === undefined ? serviceStatus(row.service) : replicaStatus(row.replica);
      return [span(`${glyphs[glyph]} ${word}`, style)];
    }
    case 'health': {
      const {glyph, text, short, style} = healthText(replicas);
      if (glyph === undefined) return [span(glyphs.none, 'border')];
      return [span(`${glyphs[glyph]} ${column.width < 14 ? short : text}`, style)];
    }
    case 'up': {
      const started = replicas.filter(isUp).flatMap(({startedAt}) => startedAt ?? []);
      return [span(aligned(started.length === 0 ? '' : shortSpan(now - Math.min(...started)), column))];
    }
    case 'cpu':
      return cpuCell(context, options);
    case 'memory':
      return memoryCell(context, options);
    case 'restarts':
      return restartsCell(context, options);
    case 'ports':
      return [span(portsText(replicas, column.width))];
  }
}

function nameCell({state, glyphs}: ViewContext, {row, column, selected}: CellOptions): Line {
  if (row.replica !== undefined) {
    const branch = row.last ? glyphs.lastBranch : glyphs.branch;
    return [span(`${branch} `, 'border'), span(row.replica.name, selected ? 'strong' : 'plain')];
  }
  const touched = pendingOf(state).services.includes(row.service.name);
  const text = nameText(row.service, glyphs.times);
  const room = touched ? column.width - glyphs.plan.length - 1 : column.width;
  const name = span(cutCells(text, room, glyphs.cut), selected ? 'strong' : 'plain');
  return touched ? [name, span(` ${glyphs.plan}`, 'warning')] : [name];
}

function cpuCell({glyphs}: ViewContext, {replicas, column}: CellOptions): Line {
  const running = replicas.filter(isUp).map(({usage}) => usage);
  const samples = sumRings(running.map(({cpu}) => cpu));
  const newest = samples.at(-1);
  if (newest === undefined) return [span(aligned('', column))];
  const limit = sumLimits(running.map(({cpuLimit}) => cpuLimit));
  const style = limit !== undefined && newest >= limit * 0.9 ? 'warning' : 'plain';
  const graph = sparkline(samples, column.extra, limit ?? Math.max(100, ...samples), glyphs);
  if (column.width === column.extra) return [span(graph, style === 'plain' ? 'cpu' : style)];
  return [span(graph, 'cpu'), span(shortPercent(newest).padStart(column.width - column.extra), style)];
}

function memoryCell({glyphs}: ViewContext, {replicas, column}: CellOptions): Line {
  const running = replicas.filter(isUp).map(({usage}) => usage);
  const used = sumRings(running.map(({memory}) => memory)).at(-1);
  if (used === undefined) return [span(aligned('', column))];
  const limit = sumLimits(running.map(({memoryLimit}) => memoryLimit));
  const ratio = limit === undefined ? 0 : used / limit;
  const style: StyleName = ratio >= 0.95 ? 'bad' : ratio >= 0.8 ? 'warning' : 'plain';
  const text =
    column.width === 4 || limit === undefined ? shortBytes(used) : `${shortBytes(used)}/${shortBytes(limit)}`;
  const room = column.extra === 0 ? column.width : column.width - column.extra - 1;
  const graph =
    column.extra === 0
      ? []
      : limit === undefined
        ? [span(' '.repeat(column.extra + 1))]
        : [...bar(ratio, column.extra, style === 'plain' ? 'memory' : style, glyphs), span(' ')];
  return [...graph, span(text.padStart(room), style)];
}

function restartsCell({glyphs}: ViewContext, {replicas, column}: CellOptions): Line {
  const count = replicas.reduce((sum, {restarts}) => sum + restarts, 0);
  const style = count === 0 ? 'dim' : 'warning';
  const last = replicas
    .flatMap(({causes}) => causes)
    .sort((a, b) => a.time - b.time)
    .at(-1);
  if (column.extra === 0) return [span(aligned(count > 999 ? '999' : String(count), column), style)];
  if (count === 0 || last === undefined) return [span(String(count), style)];
  const harmless = last.kind === 'watch' || last.kind === 'command' || last.kind === 'recreated';
  return [span(`${count} ${glyphs.left} ${shortCause(last)}`, harmless ? 'plain' : 'warning')];
}

function aligned(text: string, {width, align}: Column): string {
  return align === 'right' ? text.padStart(width) : text.padEnd(width);
}
