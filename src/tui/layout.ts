import {type Column, chooseColumns, tableWidth} from './table-columns.ts';
import {tableRows} from './table-rows.ts';
import type {UiState} from './types.ts';

export interface Pane {
  readonly width: number;
  /** With its heading, where `heading` is 1. */
  readonly height: number;
  readonly heading: 0 | 1;
}

export interface TablePane extends Pane {
  readonly columns: readonly Column[];
}

/** How the screen is divided: keys scroll by it, and the view draws by it. */
export interface Layout {
  /** `wide`: table left, logs right; `stacked`: table above logs; `single`: the one that has the focus. */
  readonly mode: 'wide' | 'stacked' | 'single';
  readonly header: 0 | 1;
  readonly footer: 0 | 1 | 2;
  readonly table: TablePane | undefined;
  /** About the selected service, below the table, where that leaves room. */
  readonly detail: Pane | undefined;
  readonly logs: Pane | undefined;
}

const wideFrom = 120;
const stackedFrom = 60;

export function layoutOf(state: UiState, columns: number, rows: number): Layout {
  const header = rows >= 3 ? 1 : 0;
  const footer = rows >= 8 ? 2 : rows >= 5 ? 1 : 0;
  const body = Math.max(1, rows - header - footer);
  const bars = {header, footer} as const;
  if (columns >= wideFrom && body >= 4) {
    const chosen = chooseColumns(state, Math.floor(columns * (columns >= 160 ? 0.58 : 0.61)));
    const width = tableWidth(chosen);
    const height = Math.min(body, Math.max(4, tableRows(state).length + 1));
    const detail = body - height >= leastDetail ? body - height : 0;
    return {
      mode: 'wide',
      ...bars,
      table: {...pane(width, body - detail), columns: chosen},
      detail: detail === 0 ? undefined : {width, height: detail, heading: 1},
      logs: pane(columns - width - 3, body),
    };
  }
  if (columns >= stackedFrom && body >= 9) {
    const wanted = tableRows(state).length + 1;
    const most = Math.max(4, Math.floor(body * (state.focus === 'logs' ? 0.35 : 0.5)));
    const height = Math.max(2, Math.min(wanted, most));
    const table = {width: columns, height, heading: 1, columns: chooseColumns(state, columns)} as const;
    return {mode: 'stacked', ...bars, table, detail: undefined, logs: pane(columns, body - height)};
  }
  const whole = pane(columns, body);
  return state.focus === 'logs'
    ? {mode: 'single', ...bars, table: undefined, detail: undefined, logs: whole}
    : {
        mode: 'single',
        ...bars,
        table: {...whole, columns: chooseColumns(state, columns)},
        detail: undefined,
        logs: undefined,
      };
}

/** Lines, with the heading, below which details say too little. */
const leastDetail = 7;

function pane(width: number, height: number): Pane {
  return {width, height, heading: height >= 4 ? 1 : 0};
}
