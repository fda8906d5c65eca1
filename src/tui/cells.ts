import stringWidth from 'string-width';

/**
 * Text as the screen shows it. Widths are sums over code points, so that a piece is never wider in a line than alone;
 * what terminals disagree about (joiners, variation selectors, skin tones, invisible and direction characters) is
 * taken out by `safeText` before anything is measured.
 */

const printableAscii = /^[\x20-\x7e]*$/;

/** Everything that `safeText` replaces or takes out. */
const unsafe = /[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}\u2028\u2029\ufff9-\ufffb]|\p{Emoji_Modifier}/u;
const allUnsafe = new RegExp(unsafe.source, 'gu');

export function isSafe(text: string): boolean {
  return printableAscii.test(text) || !unsafe.test(text);
}

/** A text that cannot do anything to a terminal: control characters become visible, invisible ones vanish. */
export function safeText(text: string): string {
  return isSafe(text) ? text : text.replace(allUnsafe, visible);
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d ? ' ' : `^${String.fromCharCode(code + 64)}`;
  if (code === 0x7f) return '^?';
  if (code < 0xa0) return `\\x${code.toString(16)}`;
  if (code === 0x2028 || code === 0x2029) return ' ';
  return code >= 0xd800 && code <= 0xdfff ? '\ufffd' : '';
}

/** The cells that a safe text takes. */
export function cellsOf(text: string): number {
  if (printableAscii.test(text)) return text.length;
  let cells = 0;
  for (const character of text) cells += characterCells(character);
  return cells;
}

/** Filled as characters come up: 0 is not known yet, else the width and one. */
const known = new Uint8Array(0x20000);
const noCells = /^[\p{Mn}\p{Me}]$/u;

export function characterCells(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  const seen = known[code] ?? 0;
  if (seen > 0) return seen - 1;
  // Spacing marks are counted as a cell: some terminals give them one.
  const cells = noCells.test(character) ? 0 : Math.max(1, stringWidth(character));
  if (code < known.length) known[code] = cells + 1;
  return cells;
}

/** Where a text must end to take at most `cells`, as an index; marks stay with their letter. */
export function indexOfCell(text: string, cells: number): number {
  if (printableAscii.test(text)) return Math.min(text.length, Math.max(0, cells));
  let used = 0;
  let index = 0;
  for (const character of text) {
    used += characterCells(character);
    if (used > cells) return index;
    index += character.length;
  }
  return index;
}

/** A safe text cut to at most `width` cells, with `mark` where something is missing. */
export function cutCells(text: string, width: number, mark = '…'): string {
  if (width < 1) return '';
  if (text.length <= width && printableAscii.test(text)) return text;
  if (cellsOf(text) <= width) return text;
  const room = width - cellsOf(mark);
  return room < 0 ? text.slice(0, indexOfCell(text, width)) : text.slice(0, indexOfCell(text, room)) + mark;
}

/** A text broken to rows of at most `width` cells; at least one. The blank between two rows is in neither. */
export function breakText(
  text: string,
  width: number,
  widthAfterFirst = width,
): readonly {readonly start: number; readonly end: number}[] {
  const rows: {start: number; end: number}[] = [];
  let start = 0;
  do {
    const room = start === 0 ? width : widthAfterFirst;
    const next = breakAt(text, start, room);
    const row = text.slice(start, next);
    rows.push({start, end: start + (cellsOf(row) > room ? row.trimEnd() : row).length});
    start = next;
  } while (start < text.length);
  return rows;
}

/** The index where a text is broken to rows of `width` cells, beginning at `from`; always moves on. */
function breakAt(text: string, from: number, width: number): number {
  const rest = text.slice(from);
  const index = indexOfCell(rest, width);
  if (index >= rest.length) return text.length;
  if (index === 0) return from + ((rest.codePointAt(0) ?? 0) > 0xffff ? 2 : 1);
  // Between words where there is a blank in the last third; else wherever the line is full.
  const blank = rest.lastIndexOf(' ', index);
  return from + (blank > (index * 2) / 3 ? blank + 1 : index);
}
