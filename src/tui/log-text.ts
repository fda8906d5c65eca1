import {cellsOf, isSafe, safeText} from './cells.ts';
import {plainColor, readColor, writeColor} from './log-color.ts';

/** From `start` (an index of the text) on, the text has these SGR attributes; empty: none. */
export interface ColorRun {
  readonly start: number;
  readonly sgr: string;
}

export interface LogText {
  /** Safe to show, without escape sequences, tabs expanded. */
  readonly text: string;
  readonly colors: readonly ColorRun[];
}

/** Longer lines are cut: nobody reads on, and every frame would pay for it. */
export const longestLine = 8192;

const none: readonly ColorRun[] = [];

/** ECMA-48: control sequences; strings (titles, clipboard, links) to their end; other escapes. Also one that is cut off. */
const sequences =
  /\x1b\[[0-?]*[ -/]*(?:[@-~]|$)|\x9b[0-?]*[ -/]*(?:[@-~]|$)|(?:\x1b[PX^_\]]|[\x90\x98\x9d-\x9f])[\s\S]*?(?:\x1b\\|\x07|\x9c|$)|\x1b[ -/]*[0-~]?/g;
const attributes = /^(?:\x1b\[|\x9b)([0-9;:]*)m$/;
const lineRestarts = /\x1b\[(?:[01]?G|[12]K)/g;

/**
 * A line of a container's output, made safe to show: a container must not move the cursor, change the title or write
 * to the clipboard of whoever looks at its log. Colours are kept as data. Of a line that was overwritten with carriage
 * returns (a progress bar) the last state is kept. `dropped`: characters of the line that were not even kept.
 */
export function readLogText(raw: string, dropped = 0): LogText {
  if (dropped === 0 && raw.length <= longestLine && isSafe(raw)) return {text: raw, colors: none};
  const last = withReturns(raw).replace(/\r+$/, '');
  const state = last.slice(last.lastIndexOf('\r') + 1);
  const shown = state.slice(0, longestLine);
  const more = state.length - shown.length + dropped;
  const read = /[\x1b\x80-\x9f]/.test(shown) ? withoutSequences(shown) : {text: shown, colors: none};
  const {text, colors} = read.colors.length === 0 ? {text: cleanPiece(read.text, 0), colors: none} : cleanRuns(read);
  if (more === 0) return {text, colors};
  // The text is written anew: a slice would keep the whole of a line of megabytes in memory.
  return {text: Buffer.from(`${text}… (${more} more characters)`).toString(), colors};
}

/** Sequences by which progress bars begin their line anew (to column 1, clear the line), as carriage returns. */
export function withReturns(raw: string): string {
  return raw.includes('\x1b[') ? raw.replace(lineRestarts, '\r') : raw;
}

function withoutSequences(raw: string): LogText {
  const colors: ColorRun[] = [];
  let color = plainColor;
  let text = '';
  let from = 0;
  for (const match of raw.matchAll(sequences)) {
    text += raw.slice(from, match.index);
    from = match.index + match[0].length;
    const parameters = attributes.exec(match[0])?.[1];
    if (parameters === undefined) continue;
    color = readColor(color, parameters);
    const sgr = writeColor(color);
    if (colors.at(-1)?.start === text.length) colors.pop();
    if ((colors.at(-1)?.sgr ?? '') !== sgr) colors.push({start: text.length, sgr});
  }
  return {text: text + raw.slice(from), colors};
}

/** Tabs and controls change lengths: each run is cleaned on its own. */
function cleanRuns({text, colors}: LogText): LogText {
  let cleaned = cleanPiece(text.slice(0, colors[0]?.start), 0);
  const runs: ColorRun[] = [];
  for (const [index, run] of colors.entries()) {
    const piece = cleanPiece(text.slice(run.start, colors[index + 1]?.start), cellsOf(cleaned));
    if (piece !== '') runs.push({start: cleaned.length, sgr: run.sgr});
    cleaned += piece;
  }
  return {text: cleaned, colors: runs};
}

function cleanPiece(piece: string, startCell: number): string {
  if (!piece.includes('\t')) return safeText(piece);
  let text = '';
  let cell = startCell;
  for (const [index, part] of piece.split('\t').entries()) {
    if (index > 0) {
      const blanks = 8 - (cell % 8);
      text += ' '.repeat(blanks);
      cell += blanks;
    }
    const safe = safeText(part);
    text += safe;
    cell += cellsOf(safe);
  }
  return text;
}
