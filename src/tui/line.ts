import {breakText, cellsOf, cutCells, indexOfCell, isSafe, safeText} from './cells.ts';
import type {Line, Span, StyleName} from './types.ts';

export function span(text: string, style: StyleName = 'plain', background?: Span['background']): Span {
  const safe = safeText(text);
  return background === undefined ? {text: safe, style} : {text: safe, style, background};
}

export function blanks(count: number): Span {
  return {text: ' '.repeat(count), style: 'plain'};
}

export function lineCells(line: Line): number {
  let cells = 0;
  for (const {text} of line) cells += cellsOf(text);
  return cells;
}

/** The line cut to `width` cells, with `mark` where something is missing. */
function fitLine(line: Line, width: number, mark: string): Line {
  return lineCells(line) <= width ? line : cutLine(line, width, mark);
}

function cutLine(line: Line, width: number, mark: string): Line {
  const room = Math.max(0, width - cellsOf(mark));
  const fitted: Span[] = [];
  let used = 0;
  for (const piece of line) {
    const cells = cellsOf(piece.text);
    if (used + cells > room) {
      const end = indexOfCell(piece.text, room - used);
      fitted.push({...piece, text: piece.text.slice(0, end) + cutCells(mark, width)});
      break;
    }
    fitted.push(piece);
    used += cells;
  }
  return fitted;
}

/** The pieces between two indexes of the line's text. */
export function sliceLine(line: Line, start: number, end: number): Line {
  const pieces: Span[] = [];
  let at = 0;
  for (const piece of line) {
    const from = Math.max(start, at);
    const to = Math.min(end, at + piece.text.length);
    if (from < to) pieces.push({...piece, text: piece.text.slice(from - at, to - at)});
    at += piece.text.length;
  }
  return pieces;
}

/** As many lines as it takes, each of at most `width` cells; what goes on stands a little further in. */
export function wrapLine(line: Line, width: number): readonly Line[] {
  if (lineCells(line) <= width) return [line];
  const text = line.map((piece) => piece.text).join('');
  const indent = Math.min(text.length - text.trimStart().length + 2, Math.floor(width / 2));
  return breakText(text, width, Math.max(1, width - indent)).map(({start, end}) => {
    const piece = sliceLine(line, start, end);
    return start === 0 ? piece : [blanks(indent), ...piece];
  });
}

/** Exactly `width` cells: cut, or filled up with blanks. */
export function fillLine(line: Line, width: number, mark: string): Line {
  const missing = width - lineCells(line);
  if (missing === 0) return line;
  return missing < 0 ? fillLine(cutLine(line, width, mark), width, mark) : [...line, blanks(missing)];
}

/** Left and right parts with blanks between; the right one goes first where both have no room. */
export function spreadLine(left: Line, right: Line, width: number, mark: string): Line {
  const rightCells = lineCells(right);
  const room = width - rightCells;
  if (rightCells === 0 || room < Math.min(lineCells(left), 12) + 1) return fillLine(left, width, mark);
  return [...fillLine(left, room - 1, mark), span(' '), ...right];
}

/** The last look before a line leaves: whatever text came in, it is safe and not wider than the screen. */
export function finishLine(line: Line, width: number, mark: string): Line {
  const safe = line.every(({text}) => isSafe(text))
    ? line
    : line.map((piece) => ({...piece, text: safeText(piece.text)}));
  return fitLine(
    safe.filter(({text}) => text !== ''),
    width,
    mark,
  );
}
