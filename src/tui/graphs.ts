import type {Glyphs} from './glyphs.ts';
import {span} from './line.ts';
import type {Line, StyleName} from './types.ts';

/** The last samples as columns of a cell each, the newest on the right; `top` is the value of a full one. */
export function sparkline(samples: readonly number[], width: number, top: number, {spark}: Glyphs): string {
  if (width <= 0) return '';
  const shown = samples.slice(-width);
  const columns = shown.map((sample) => {
    const level = Math.round((Math.max(0, sample) / Math.max(top, Number.MIN_VALUE)) * (spark.length - 1));
    return spark[Math.min(spark.length - 1, level)] ?? ' ';
  });
  return columns.join('').padStart(columns.join('').length + width - shown.length);
}

/** A bar of `width` cells. What is more than nothing is seen, and full is only what is full. */
export function bar(ratio: number, width: number, style: StyleName, {barFull, barEmpty}: Glyphs): Line {
  const part = Math.min(1, Math.max(0, ratio));
  const full = part === 0 ? 0 : part >= 1 ? width : Math.min(width - 1, Math.max(1, Math.round(part * width)));
  return [span(barFull.repeat(full), style), span(barEmpty.repeat(width - full), 'border')];
}
