import {cellsOf, cutCells} from './cells.ts';
import type {Glyphs} from './glyphs.ts';
import {fillLine, lineCells, span} from './line.ts';
import type {Line} from './types.ts';

export interface Box {
  readonly title: string;
  readonly lines: readonly Line[];
  /** What a person types for the same. */
  readonly command?: string;
  /** The first of the lines that is shown. */
  readonly top: number;
  /** In place of `top`: how many are hidden below the last that is shown. */
  readonly above?: number;
}

/** The part of the screen that a box may take: all but the header and the last line, with a margin where there is room. */
export function boxRoom(columns: number, rows: number): {readonly width: number; readonly height: number} {
  return {
    width: Math.max(1, columns >= 60 ? columns - 8 : columns),
    height: Math.max(1, rows >= 16 ? rows - 4 : rows >= 6 ? rows - 2 : rows),
  };
}

/** How many lines of its content a box shows. */
export function boxHeight(rows: number, columns: number, lines: number): number {
  const {height} = boxRoom(columns, rows);
  return Math.max(1, Math.min(lines, height - 2));
}

/** Draws a box over the middle of the screen; what lies above and below it steps back. */
export function drawBox(screen: readonly Line[], box: Box, columns: number, glyphs: Glyphs): readonly Line[] {
  const room = boxRoom(columns, screen.length);
  const shown = boxHeight(screen.length, columns, box.lines.length);
  // Less than three lines of three cells cannot have a frame.
  const wanted = box.above === undefined ? box.top : box.lines.length - shown - box.above;
  const top = Math.max(0, Math.min(wanted, box.lines.length - shown));
  if (room.height < 3 || room.width < 8)
    return screen.map((line, index) => (index < room.height ? (box.lines[top + index] ?? []) : line));
  const widest = Math.max(cellsOf(box.title) + 4, cellsOf(box.command ?? '') + 4, ...box.lines.map(lineCells));
  const width = Math.min(room.width, widest + 4);
  const left = Math.floor((columns - width) / 2);
  const first = Math.max(screen.length >= 6 ? 1 : 0, Math.floor((screen.length - shown - 2) / 2));
  const framed = frame(box, {width, top, shown}, glyphs);
  return screen.map((line, index) => {
    const row = framed[index - first];
    return row === undefined
      ? line.map(({text}) => ({text, style: 'border' as const}))
      : [span(' '.repeat(left)), ...row];
  });
}

function frame(
  box: Box,
  {width, top, shown}: {readonly width: number; readonly top: number; readonly shown: number},
  {horizontal, vertical, corners, cut, less, more}: Glyphs,
): readonly Line[] {
  const above = top;
  const below = box.lines.length - top - shown;
  const title = cutCells(box.title, width - 6, cut);
  const counts = [...(above > 0 ? [`${less}${above}`] : []), ...(below > 0 ? [`${more}${below}`] : [])];
  const hidden = counts.length === 0 ? '' : `${counts.join(' ')} more`;
  const side = span(vertical, 'border');
  const head: Line = [
    span(`${corners[0]}${horizontal} `, 'border'),
    span(title, 'title'),
    span(` ${horizontal.repeat(Math.max(0, width - cellsOf(title) - 5))}${corners[1]}`, 'border'),
  ];
  const tail = hidden === '' || cellsOf(hidden) + 8 > width ? '' : ` ${hidden} `;
  const room = width - 4 - cellsOf(tail);
  const command = box.command === undefined || cellsOf(box.command) + 2 > room ? '' : ` ${box.command} `;
  const foot: Line = [
    span(`${corners[2]}${horizontal}`, 'border'),
    span(command, 'dim'),
    span(horizontal.repeat(room - cellsOf(command)), 'border'),
    span(tail, 'accent'),
    span(horizontal + corners[3], 'border'),
  ];
  const body = box.lines
    .slice(top, top + shown)
    .map((line): Line => [side, span(' '), ...fillLine(line, width - 4, cut), span(' '), side]);
  return [head, ...body, foot];
}
