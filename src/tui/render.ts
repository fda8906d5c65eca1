import {sgrOf} from './theme.ts';
import type {Line, Span, Theme} from './types.ts';

/** The lines as strings for a terminal: SGR sequences where the look changes, and none left open at the end of a line. */
export function renderLines(lines: readonly Line[], theme: Theme): readonly string[] {
  // The same few looks come up thousands of times on a screen.
  const looks = new Map<string, string>();
  const lookOf = (piece: Span): string => {
    if (piece.sgr !== undefined) return sgrOf(piece, theme);
    const key = piece.background === undefined ? piece.style : `${piece.style} ${piece.background}`;
    const known = looks.get(key) ?? sgrOf(piece, theme);
    looks.set(key, known);
    return known;
  };
  return lines.map((line) => renderLine(line, lookOf));
}

function renderLine(line: Line, lookOf: (piece: Span) => string): string {
  let text = '';
  let current = '';
  for (const piece of line) {
    const look = lookOf(piece);
    if (look !== current) {
      text += look === '' ? '\x1b[0m' : current === '' ? `\x1b[${look}m` : `\x1b[0;${look}m`;
      current = look;
    }
    text += piece.text;
  }
  return current === '' ? text : `${text}\x1b[0m`;
}
