import picocolors from 'picocolors';
import {cellWidth, cut, oneLine, pad} from './cells.ts';
import type {ViewRow, ViewState} from './state.ts';
import {shortTime} from './time.ts';

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

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** A picture of the state: no line wider than the terminal, and where `rows` is given fewer lines than it has. */
export function liveFrame(state: ViewState, options: LiveFrameOptions): readonly string[] {
  const color = picocolors.createColors(options.color);
  // The last column stays free: some terminals break the line when it is written to.
  const width = Math.max(1, options.columns - 1);
  const done = state.rows.filter(({phase}) => phase === 'done').length;
  const head = state.lockWait
    ? `${options.title}: waiting for another command on this project`
    : `${options.title}  ${done}/${state.rows.length}  ${shortTime((endOf(state) ?? options.now) - (state.startedAt ?? options.now))}`;
  const notices = state.notices.map(({level, message}) => color.yellow(cut(` ! ${level}: ${oneLine(message)}`, width)));
  const room = options.rows === undefined ? Number.POSITIVE_INFINITY : Math.max(1, options.rows - 2);
  const noticeRoom = Math.min(notices.length, Math.max(0, Math.floor(room / 3)));
  const {shown, hidden} = chooseRows(state.rows, Math.max(0, room - 1 - noticeRoom));
  const nameWidth = Math.max(0, ...shown.map((row) => cellWidth(subjectText(row))));
  const statusWidth = Math.max(0, ...shown.map(({status}) => cellWidth(status)));
  return [
    color.bold(cut(head, width)),
    ...notices.slice(0, noticeRoom),
    ...shown.map((row) => rowLine(row, {...options, width, nameWidth, statusWidth})),
    ...(hidden === 0 ? [] : [color.dim(cut(`   … ${hidden} more`, width))]),
  ].slice(0, room);
}

function endOf(state: ViewState): number | undefined {
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

interface RowOptions extends LiveFrameOptions {
  readonly width: number;
  readonly nameWidth: number;
  readonly statusWidth: number;
}

function rowLine(row: ViewRow, options: RowOptions): string {
  const color = picocolors.createColors(options.color);
  const time = row.startedAt === undefined ? '' : shortTime((endedAt(row) ?? options.now) - row.startedAt);
  const text = ` ${symbol(row, options.step)} ${pad(subjectText(row), options.nameWidth)}  ${pad(row.status, options.statusWidth)}`;
  const detail = row.detail === undefined ? '' : `  ${oneLine(row.detail)}`;
  const room = options.width - cellWidth(time) - 2;
  // Too narrow for a column of times: the name is what matters.
  const line =
    time === '' || room < 20 ? cut(text + detail, options.width) : `${pad(cut(text + detail, room), room)}  ${time}`;
  if (row.phase === 'failed') return color.red(line);
  if (row.phase === 'done') return color.green(line);
  return row.phase === 'planned' || row.phase === 'skipped' ? color.dim(line) : line;
}

function endedAt(row: ViewRow): number | undefined {
  return row.phase === 'working' || row.phase === 'waiting' ? undefined : row.endedAt;
}

function subjectText({kind, name}: ViewRow): string {
  return `${kind} ${oneLine(name)}`;
}

function symbol({phase}: ViewRow, step: number): string {
  switch (phase) {
    case 'working':
    case 'waiting':
      return spinner[step % spinner.length] ?? '·';
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
