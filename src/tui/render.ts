import {sgrOf} from './theme.ts';
import type {Line, Theme} from './types.ts';

/** The lines as strings for a terminal: SGR sequences where the look changes, and none left open at the end of a line. */
export function renderLines(lines: readonly Line[], theme: Theme): readonly string[] {
  return lines.map((line) => renderLine(line, theme));
}

function renderLine(line: Line, theme: Theme): string {
  let text = '';
  let current = '';
  for (const piece of line) {
    const look = sgrOf(piece, theme);
    if (look !== current) {
      text += look === '' ? '\x1b[0m' : current === '' ? `\x1b[${look}m` : `\x1b[0;${look}m`;
      current = look;
    }
    text += piece.text;
  }
  return current === '' ? text : `${text}\x1b[0m`;
}
