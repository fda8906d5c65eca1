import picocolors from 'picocolors';
import {buildEntries, stepCounts} from './build-entries.ts';
import {buildFrame} from './build-frame.ts';
import {cellWidth, cut, cutStart, oneLine, pad} from './cells.ts';
import {spinner} from './spinner.ts';
import type {ViewRow, ViewState} from './state.ts';
import {shortTime} from './time.ts';
import {transferFrame, transferText} from './transfer-frame.ts';
import {wrapLine} from './wrap.ts';

export interface LiveFrameOptions {
  readonly columns: number;
  /** Of the terminal; undefined: as many lines as there are. */
  readonly rows: number | undefined;
  readonly color: boolean;
  readonly title: string;
  readonly now: number;
  /** Of the spinner. */
  readonly step: number;
}

/** A picture of the state: no line wider than the terminal, and where `rows` is given fewer lines than it has. */
export function liveFrame(state: ViewState, options: LiveFrameOptions): readonly string[] {
  const color = picocolors.createColors(options.color);
  // The last column stays free: some terminals break the line when it is written to.
  const width = Math.max(1, options.columns - 1);
  const whole = options.rows === undefined;
  const notices = state.notices.flatMap((notice) => noticeLines(notice, {width, whole, paint: color.yellow}));
  const room = options.rows === undefined ? Number.POSITIVE_INFINITY : Math.max(1, options.rows - 2);
  const noticeRoom = Math.min(notices.length, Math.max(0, Math.floor(room / 3)));
  const left = Math.max(0, room - 1 - noticeRoom);
  // An image that is built has lines of its own.
  const rows = state.rows.filter(({kind, name}) => kind !== 'image' || !state.builds.some(({image}) => image === name));
  // What is built has what it needs, up to half of the room, and what rows leave: for what it says.
  const needed = buildEntries(state.builds, {last: false}).length + state.transfers.length;
  const rowRoom = Math.min(rows.length, Math.max(Math.floor(left / 2), left - needed));
  const {shown, hidden} = chooseRows(rows, rowRoom);
  const layout = layOut(shown, width);
  return [
    color.bold(cut(headText(state, options), width)),
    ...notices.slice(0, noticeRoom),
    ...buildFrame(state.builds, {...options, width, room: whole ? undefined : left - rowRoom}),
    ...transferFrame(state.transfers, {...options, width, room: whole ? undefined : left - rowRoom}),
    ...shown.map((row) => rowLine(row, {...options, ...layout, width})),
    ...(hidden === 0 ? [] : [color.dim(cut(`   … ${hidden} more`, width))]),
  ].slice(0, room);
}

function headText(state: ViewState, {title, now}: LiveFrameOptions): string {
  if (state.lockWait) return `${title}: waiting for another command on this project`;
  const done = state.rows.filter(({phase}) => phase === 'done').length;
  const build = state.builds.find(({name}) => name === '');
  const [transfer] = state.transfers;
  const counts = [
    ...(state.rows.length === 0 && (build !== undefined || transfer !== undefined)
      ? []
      : [`${done}/${state.rows.length}`]),
    shortTime((endOf(state) ?? now) - (state.startedAt ?? now)),
    // One image alone has no line of its own that could say it.
    ...(build !== undefined && build.steps.length > 0 ? [stepCounts(build)] : []),
    ...(transfer !== undefined && state.transfers.length === 1 ? [transferText(transfer)] : []),
  ];
  return [title, ...counts].join('  ');
}

/** A line while there is something to watch; in the last frame all of it, with what to do. */
function noticeLines(
  {level, message, hint}: ViewState['notices'][number],
  {width, whole, paint}: {readonly width: number; readonly whole: boolean; readonly paint: (text: string) => string},
): readonly string[] {
  const text = ` ! ${level}: ${oneLine(message)}`;
  if (!whole) return [paint(cut(text, width))];
  const rows = (line: string): readonly string[] => wrapLine(line, width).map((row) => cut(row, width));
  return [...rows(text).map(paint), ...(hint === undefined ? [] : rows(`   hint: ${oneLine(hint)}`))];
}

function endOf(state: ViewState): number | undefined {
  if (state.rows.length === 0 && state.builds.length > 0 && !state.builds.some(({phase}) => phase === 'working'))
    return Math.max(...state.builds.map(({startedAt, endedAt}) => endedAt ?? startedAt));
  return state.ended === undefined || state.startedAt === undefined ? undefined : state.startedAt + state.ended.tookMs;
}

/** Where not all fit: what goes on and what failed before what is done or still to come. */
function chooseRows(
  rows: readonly ViewRow[],
  room: number,
): {readonly shown: readonly ViewRow[]; readonly hidden: number} {
  if (rows.length <= room) return {shown: rows, hidden: 0};
  const urgency: Readonly<Record<ViewRow['phase'], number>> = {
    failed: 0,
    working: 1,
    waiting: 2,
    skipped: 3,
    done: 4,
    planned: 5,
  };
  const chosen = new Set([...rows].sort((a, b) => urgency[a.phase] - urgency[b.phase]).slice(0, Math.max(0, room - 1)));
  return {shown: rows.filter((row) => chosen.has(row)), hidden: rows.length - chosen.size};
}

/** What rows share, so that they stand in columns. */
interface Layout {
  /** Whether the name's kind (network, container) is told: not in a narrow terminal. */
  readonly withKind: boolean;
  readonly nameWidth: number;
  readonly statusWidth: number;
}

/** Of the symbol with its blanks; of the blanks and the time after name and status. */
const symbolWidth = 3;
const timeWidth = 5;
/** Fewer cells of a detail say nothing. */
const leastDetail = 12;

/** The status is what one looks for: first the kind goes, then the beginning of the name. */
function layOut(rows: readonly ViewRow[], width: number): Layout {
  const statusWidth = Math.max(0, ...rows.map(({status}) => cellWidth(status)));
  const room = width - symbolWidth - statusWidth - timeWidth - 4;
  const widest = (withKind: boolean) => Math.max(0, ...rows.map((row) => cellWidth(subjectText(row, withKind))));
  const withKind = widest(true) <= room;
  return {withKind, statusWidth, nameWidth: Math.max(1, Math.min(room, widest(withKind)))};
}

interface RowOptions extends LiveFrameOptions, Layout {
  readonly width: number;
}

function rowLine(row: ViewRow, options: RowOptions): string {
  const color = picocolors.createColors(options.color);
  const time = row.startedAt === undefined ? '' : shortTime((endedAt(row) ?? options.now) - row.startedAt);
  const name = pad(cutStart(subjectText(row, options.withKind), options.nameWidth), options.nameWidth);
  const columns = ` ${symbol(row, options.step)} ${name}  ${pad(row.status, options.statusWidth)}  ${time.padStart(timeWidth)}`;
  const detail = detailText(row);
  const hasRoom = cellWidth(columns) + Math.min(cellWidth(detail), leastDetail) <= options.width;
  const line = cut((hasRoom ? columns + detail : columns).trimEnd(), options.width);
  if (row.phase === 'failed') return color.red(line);
  if (row.phase === 'done') return color.green(line);
  return row.phase === 'planned' || row.phase === 'skipped' ? color.dim(line) : line;
}

/** A detail is a sentence about the container ("shop-db-1 is starting"); beside its name that need not be said again. */
function detailText({detail, name}: ViewRow): string {
  if (detail === undefined) return '';
  const text = oneLine(detail);
  const subject = `${oneLine(name)} is `;
  return `  ${text.startsWith(subject) ? text.slice(subject.length) : text}`;
}

function endedAt(row: ViewRow): number | undefined {
  return row.phase === 'working' || row.phase === 'waiting' ? undefined : row.endedAt;
}

function subjectText({kind, name}: ViewRow, withKind: boolean): string {
  return withKind ? `${kind} ${oneLine(name)}` : oneLine(name);
}

function symbol({phase}: ViewRow, step: number): string {
  switch (phase) {
    case 'working':
    case 'waiting':
      return spinner(step);
    case 'done':
      return '✔';
    case 'failed':
      return '✘';
    case 'skipped':
      return '-';
    case 'planned':
      return '·';
  }
}
