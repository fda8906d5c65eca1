import stringWidth from 'fast-string-width';
import {graphemes} from '../base/graphemes.ts';
import {sequences} from '../base/printable.ts';

/** A text cut to at most `width` cells of a terminal, with an ellipsis where something is missing. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  if (width < 1) return '';
  let kept = '';
  let used = 0;
  for (const segment of graphemes(text)) {
    const size = stringWidth(segment);
    if (used + size > width - 1) break;
    kept += segment;
    used += size;
  }
  return `${kept}…`;
}

/** The same with the end kept: of names that begin alike. */
export function cutStart(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  if (width < 1) return '';
  let kept = '';
  let used = 0;
  for (const segment of graphemes(text).toReversed()) {
    const size = stringWidth(segment);
    if (used + size > width - 1) break;
    kept = segment + kept;
    used += size;
  }
  return `…${kept}`;
}

/** A text filled up with blanks to `width` cells. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}

export function cellWidth(text: string): number {
  return stringWidth(text);
}

/** One line, without anything that could move the cursor or do more: texts of containers and engines are not trusted. */
export function oneLine(text: string): string {
  return harmless(text).trim();
}

/** The same with its blanks at both ends. */
export function harmless(text: string): string {
  return text.replace(sequences, '').replace(controls, ' ');
}

const controls = /[\x00-\x1f\x7f-\x9f]+/g;
