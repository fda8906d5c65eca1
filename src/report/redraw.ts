import {cellWidth} from './cells.ts';
import type {Output} from './reporter.ts';

/** The part of a terminal that is needed; its size may change at any time. */
export interface Terminal extends Output {
  readonly columns: number;
  readonly rows: number;
}

/**
 * Lines that are drawn in place of those drawn before, in one write. They must be fewer than the terminal has, and none
 * wider: what scrolled away or was broken cannot be reached any more.
 */
export function createRedraw(terminal: Terminal): (lines: readonly string[]) => void {
  let drawn: readonly string[] = [];
  return (lines) => {
    // Line by line: clearing the screen from its top would push it into the history of some terminals, frame after frame.
    terminal.write(`${backTo(drawn, terminal.columns)}${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[0J`);
    drawn = lines;
  };
}

/**
 * Moves to the beginning of what was drawn. A terminal that has become narrower has broken the lines: they are counted as
 * they are now.
 */
function backTo(drawn: readonly string[], columns: number): string {
  if (drawn.length === 0) return '';
  const height = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(cellWidth(line) / Math.max(1, columns))), 0);
  return `\x1b[${height}A\r`;
}
