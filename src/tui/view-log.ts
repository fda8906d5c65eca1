import {breakText, cellsOf, cutCells, indexOfCell} from './cells.ts';
import type {Pane} from './layout.ts';
import {fillLine, lineCells, sliceLine, span, spreadLine} from './line.ts';
import {readMatcher} from './log-filter.ts';
import type {LogLine} from './log-store.ts';
import {comparePositions} from './log-track.ts';
import {foundLines, lineLabels, logQuery, shownLines} from './log-view.ts';
import {clockTime} from './short-text.ts';
import type {Line, LogLevel, LogPosition, Span, StyleName, UiState} from './types.ts';
import {buildLines, isBuilding} from './view-builds.ts';
import type {ViewContext} from './view-context.ts';

/** The log pane as lines of `pane.width` cells, `pane.height` of them. */
export function logLines(context: ViewContext, pane: Pane, rule: boolean): readonly Line[] {
  const {glyphs} = context;
  const height = pane.height - pane.heading;
  const body = bodyLines(context, pane.width, height);
  const lines = pane.heading === 1 ? [headingLine(context, pane.width, rule), ...body] : body;
  return Array.from({length: pane.height}, (_, index) => fillLine(lines[index] ?? [], pane.width, glyphs.cut));
}

function headingLine({state, logs, glyphs}: ViewContext, width: number, rule: boolean): Line {
  const shown = shownLines(state, logs);
  const {log} = state;
  const focused = state.focus === 'logs';
  const parts: Span[] = [span(logTitle(state), focused ? 'accent' : 'strong')];
  if (log.filter !== '')
    parts.push(span('  only ', 'dim'), span(log.filter, 'warning'), span(` (${shown.count})`, 'dim'));
  const found = foundLines(state, logs);
  if (found !== undefined) {
    const place = log.match === undefined ? '' : `${found.rank(log.match)} of `;
    parts.push(span('  /', 'dim'), span(log.search, 'warning'), span(` (${place}${found.count})`, 'dim'));
  }
  const newer = log.position === 'follow' ? 0 : shown.count - shown.rank(log.position);
  const mode: Line =
    log.position === 'follow'
      ? // Nothing is added to what has ended.
        log.previous
        ? []
        : [span('following', 'dim')]
      : [span(newer === 0 ? 'held' : `held ${glyphs.dot} ${newer} newer`, 'warning')];
  const right = log.wrap ? [span('wrapped  ', 'dim'), ...mode] : mode;
  if (!rule) return spreadLine(parts, right, width, glyphs.cut);
  // Where the logs lie below the table, their heading is the line between the two.
  const line = (cells: number): Span => span(glyphs.horizontal.repeat(Math.max(0, cells)), 'border');
  const left = [line(1), span(' '), ...parts, span(' ')];
  const ending = right.length === 0 ? [] : [span(' '), ...right, span(' '), line(1)];
  const gap = width - lineCells(left) - lineCells(ending);
  return gap < 0 ? left : [...left, line(gap), ...ending];
}

function logTitle(state: UiState): string {
  const {service, number} = logQuery(state);
  const previous = state.log.previous ? 'previous ' : '';
  if (service === undefined) return 'logs of all services';
  return `${previous}logs of ${service}${number === undefined ? '' : ` ${number}`}`;
}

function bodyLines(context: ViewContext, width: number, height: number): readonly Line[] {
  const {state, logs} = context;
  const shown = shownLines(state, logs);
  const {position} = state.log;
  const draw = lineDrawer(context, width);
  const above = shown.upTo(position === 'follow' ? 'end' : position, height);
  let rows = above.flatMap(draw);
  // At the very top the screen is filled from below.
  const last = above.at(-1);
  if (rows.length < height && position !== 'follow')
    rows = [...rows, ...shown.after(last ?? 'start', height - rows.length).flatMap(draw)].slice(0, height);
  if (rows.length === 0 && height > 0) {
    // Nothing can be said by what is not built yet.
    if (state.log.filter === '' && !state.log.previous && isBuilding(state))
      return buildLines(context, {width: width - 1, room: height}).map((line) => [span(' '), ...line]);
    return [[span(` ${emptyText(state)}`, 'dim')]];
  }
  return rows.slice(-height);
}

function emptyText({log, services}: UiState): string {
  if (log.filter !== '') return `no line matches ${log.filter}`;
  if (log.previous) return 'nothing is kept of a run before this one';
  return services.some(({replicas}) => replicas.length > 0) ? 'no output yet' : 'nothing runs yet';
}

/** How many cells of a line stand before its text. */
function headCells(state: UiState, width: number): {readonly label: number; readonly time: number} {
  const {service, number} = logQuery(state);
  const single = service !== undefined && (number !== undefined || (replicaCount(state, service) ?? 0) < 2);
  const widest = Math.max(
    0,
    ...state.services.map(({name, replicas, wanted}) => labelCells(name, Math.max(replicas.length, wanted ?? 0))),
  );
  const label = single ? 0 : Math.min(widest, 16, Math.floor(width / 4));
  return {label, time: state.log.timestamps && width >= 24 ? 8 : 0};
}

function labelCells(name: string, count: number): number {
  return cellsOf(name) + (count > 1 ? 1 + String(count).length : 0);
}

function replicaCount({services}: UiState, service: string): number | undefined {
  const found = services.find(({name}) => name === service);
  return found === undefined ? undefined : Math.max(found.replicas.length, found.wanted ?? 0);
}

const levelStyles: Readonly<Record<LogLevel, StyleName>> = {
  error: 'error',
  warning: 'warning',
  info: 'plain',
  debug: 'dim',
  none: 'plain',
};

function lineDrawer(context: ViewContext, width: number): (line: LogLine) => readonly Line[] {
  const {state, glyphs, utcOffsetMinutes} = context;
  const head = headCells(state, width);
  const labelOf = lineLabels(state);
  const styles = serviceStyles(state);
  const matcher = readMatcher(state.log.search) ?? readMatcher(state.log.filter);
  const before = (head.label === 0 ? 0 : head.label + 2) + (head.time === 0 ? 0 : head.time + 2);
  const room = Math.max(1, width - before);
  return (line) => {
    const heads: Span[] = [];
    if (head.label > 0) {
      const label = cutCells(labelOf(line), head.label, glyphs.cut);
      heads.push(
        span(`${label}${' '.repeat(Math.max(0, head.label - cellsOf(label)) + 2)}`, styles.get(line.service) ?? 'dim'),
      );
    }
    if (head.time > 0) heads.push(span(`${clockTime(line.time, utcOffsetMinutes)}  `, 'dim'));
    if (line.note)
      return [[...heads, span(`${glyphs.horizontal.repeat(2)} ${line.text} ${glyphs.horizontal.repeat(2)}`, 'dim')]];
    const isMatch = isAt(line, state.log.match);
    const text = styledText(line, matcher?.places(line.text) ?? [], isMatch);
    if (!state.log.wrap) return [[...heads, ...cutText(text, room, glyphs.cut)]];
    return breakText(line.text, room).map(({start, end}, index) => [
      ...(index === 0 ? heads : [span(' '.repeat(before))]),
      ...sliceLine(text, start, end),
    ]);
  };
}

function isAt(line: LogLine, position: LogPosition | undefined): boolean {
  return position !== undefined && comparePositions(line, position) === 0;
}

/** Rows that a line takes; for keys that scroll by the screen. */
export function rowsOfLine(line: LogLine, state: UiState, width: number): number {
  if (!state.log.wrap || line.note) return 1;
  const head = headCells(state, width);
  const before = (head.label === 0 ? 0 : head.label + 2) + (head.time === 0 ? 0 : head.time + 2);
  return breakText(line.text, Math.max(1, width - before)).length;
}

/** The text in pieces of one look: its level, or its own colours; over both what the search found. */
function styledText(
  {text, colors, level}: LogLine,
  places: readonly {readonly start: number; readonly end: number}[],
  isMatch: boolean,
): Line {
  const style = levelStyles[level];
  // What was found by its level has no place in the text: the whole line is the match.
  if (isMatch && places.length === 0) return [{text, style, background: 'currentMatch'}];
  if (colors.length === 0 && places.length === 0) return [{text, style}];
  const cuts = [0, text.length];
  for (const {start} of colors) cuts.push(start);
  for (const {start, end} of places) cuts.push(start, end);
  const edges = [...new Set(cuts)].sort((a, b) => a - b);
  const spans: Span[] = [];
  for (const [index, start] of edges.entries()) {
    const end = edges[index + 1];
    if (end === undefined) break;
    const sgr = colors.findLast((run) => run.start <= start)?.sgr ?? '';
    const found = places.some((place) => place.start <= start && end <= place.end);
    spans.push({
      text: text.slice(start, end),
      style: colors.length === 0 ? style : 'plain',
      ...(sgr === '' ? {} : {sgr}),
      ...(found ? {background: isMatch ? ('currentMatch' as const) : ('match' as const)} : {}),
    });
  }
  return spans;
}

function cutText(text: Line, room: number, mark: string): Line {
  const [only] = text;
  if (text.length === 1 && only !== undefined) return [{...only, text: cutCells(only.text, room, mark)}];
  return lineCells(text) <= room
    ? text
    : [...sliceLine(text, 0, cutIndex(text, room - cellsOf(mark))), span(cutCells(mark, room), 'dim')];
}

function cutIndex(text: Line, cells: number): number {
  const whole = text.map((piece) => piece.text).join('');
  return indexOfCell(whole, cells);
}

const serviceColors = ['service0', 'service1', 'service2', 'service3', 'service4', 'service5'] as const;

function serviceStyles({services}: UiState): ReadonlyMap<string, StyleName> {
  return new Map(services.map(({name}, index) => [name, serviceColors[index % serviceColors.length] ?? 'dim']));
}
