import {graphemes} from '../base/graphemes.ts';
import {cellWidth} from './cells.ts';

/**
 * A line as rows of at most `columns` cells, broken between words; what follows the first row is set in a little more. A
 * word that is longer than a row is broken where the row ends.
 */
export function wrapLine(line: string, columns: number): readonly string[] {
  if (cellWidth(line) <= columns) return [line];
  const own = /^ */.exec(line)?.[0] ?? '';
  // Where there is hardly room for words there is none for blanks.
  const further = columns < 20 ? '' : `${own}  `;
  const rows: string[] = [];
  let row = columns < 20 ? '' : own;
  let blank = '';
  for (const word of line.trim().split(/ +/)) {
    if (cellWidth(row + blank + word) > columns && blank !== '') {
      rows.push(row);
      row = further;
      blank = '';
    }
    const pieces = broken(word, columns - cellWidth(row + blank), columns - cellWidth(further));
    row += blank + (pieces[0] ?? '');
    for (const piece of pieces.slice(1)) {
      rows.push(row);
      row = further + piece;
    }
    blank = ' ';
  }
  return [...rows, row];
}

/** A word in pieces: the first fits into what is left of a row, the others into rows of their own. */
function broken(word: string, first: number, others: number): readonly string[] {
  const pieces = [''];
  for (const segment of graphemes(word)) {
    const last = pieces.at(-1) ?? '';
    const room = pieces.length === 1 ? first : others;
    if (last !== '' && cellWidth(last + segment) > room) pieces.push(segment);
    else pieces[pieces.length - 1] = last + segment;
  }
  return pieces;
}
