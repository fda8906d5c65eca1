import {drawBox} from './box.ts';
import {asciiGlyphs, unicodeGlyphs} from './glyphs.ts';
import {layoutOf} from './layout.ts';
import {finishLine, span} from './line.ts';
import type {LogReader} from './log-store.ts';
import {overlayBox} from './overlay-content.ts';
import type {Line, UiState, ViewOptions} from './types.ts';
import type {ViewContext} from './view-context.ts';
import {detailLines} from './view-detail.ts';
import {footerLines} from './view-footer.ts';
import {headerLine} from './view-header.ts';
import {logLines} from './view-log.ts';
import {tableLines} from './view-table.ts';

/** The screen: exactly `rows` lines, none wider than `columns` cells, whatever the state, the logs and the size are. */
export function view(state: UiState, logs: LogReader, options: ViewOptions): readonly Line[] {
  const {columns, rows} = options;
  const glyphs = options.theme.ascii ? asciiGlyphs : unicodeGlyphs;
  const context: ViewContext = {...options, state, logs, glyphs};
  const layout = layoutOf(state, columns, rows);
  const screen = [
    ...(layout.header === 1 ? [headerLine(context)] : []),
    ...bodyLines(context, layout),
    ...footerLines(context, layout.footer),
  ];
  const overlaid =
    state.overlay === undefined
      ? screen
      : [
          ...drawBox(
            screen.slice(0, rows - layout.footer),
            overlayBox({...context, rows: rows - layout.footer}, state.overlay),
            columns,
            glyphs,
          ),
          ...screen.slice(rows - layout.footer),
        ];
  return Array.from({length: Math.max(0, rows)}, (_, index) => finishLine(overlaid[index] ?? [], columns, glyphs.cut));
}

function bodyLines(context: ViewContext, layout: ReturnType<typeof layoutOf>): readonly Line[] {
  const table = layout.table === undefined ? [] : tableLines(context, layout.table);
  const logs = layout.logs === undefined ? [] : logLines(context, layout.logs, layout.mode !== 'wide');
  if (layout.mode !== 'wide') return [...table, ...logs];
  const left = layout.detail === undefined ? table : [...table, ...detailLines(context, layout.detail)];
  const divider = span(` ${context.glyphs.vertical} `, 'border');
  return left.map((line, index) => [...line, divider, ...(logs[index] ?? [])]);
}
