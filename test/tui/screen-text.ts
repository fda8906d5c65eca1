import {characterCells} from '../../src/tui/cells.ts';

/** A screen that a terminal was told to draw, as a person reads it in a file. */
export interface ScreenText {
  /** Its characters, without trailing blanks. */
  readonly plain: readonly string[];
  /** Below each cell a letter for its look, blank where it has none. */
  readonly looks: readonly string[];
  /** What the letters stand for: parameters of SGR. */
  readonly legend: readonly string[];
}

/** Reads rows with SGR sequences. Throws for any other control character, and for a look that goes on behind its row. */
export function readScreen(rows: readonly string[]): ScreenText {
  const letters = new Map<string, string>();
  const plain: string[] = [];
  const looks: string[] = [];
  for (const row of rows) {
    const {text, cells} = readRow(row, letters);
    plain.push(text.trimEnd());
    looks.push(cells.trimEnd());
  }
  return {plain, looks, legend: [...letters].map(([look, letter]) => `${letter} = ${look}`)};
}

function readRow(row: string, letters: Map<string, string>): {readonly text: string; readonly cells: string} {
  let text = '';
  let cells = '';
  let look = '';
  let from = 0;
  for (const match of row.matchAll(/\x1b\[(?:0;)?([\d;]*)m/g)) {
    take(row.slice(from, match.index));
    look = match[1] === '0' ? '' : (match[1] ?? '');
    from = match.index + match[0].length;
  }
  take(row.slice(from));
  if (look !== '') throw new Error(`a look goes on behind ${JSON.stringify(row)}`);
  return {text, cells};

  function take(piece: string): void {
    if (/[\x00-\x1f\x7f-\x9f]/.test(piece)) throw new Error(`control characters in ${JSON.stringify(piece)}`);
    for (const character of piece) {
      text += character;
      cells += letterOf(look, letters).repeat(characterCells(character));
    }
  }
}

const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

function letterOf(look: string, letters: Map<string, string>): string {
  if (look === '') return ' ';
  const letter = letters.get(look) ?? alphabet[letters.size];
  if (letter === undefined) throw new Error('more looks than letters');
  letters.set(look, letter);
  return letter;
}
