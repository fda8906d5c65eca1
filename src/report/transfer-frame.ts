import picocolors from 'picocolors';
import {cut, oneLine} from './cells.ts';
import {spinner} from './spinner.ts';
import type {TransferView} from './transfer-state.ts';
import {type TransferredLayers, totalsText, transferTotals} from './transfer-totals.ts';

export interface TransferFrameOptions {
  /** Cells of a line. */
  readonly width: number;
  /** Lines; undefined: the last picture. */
  readonly room: number | undefined;
  readonly color: boolean;
  readonly now: number;
  /** Of the spinner. */
  readonly step: number;
}

/** A picture of images on their way: layers that move with their bytes, those that are done in one line. */
export function transferFrame(transfers: readonly TransferView[], options: TransferFrameOptions): readonly string[] {
  const {room = Number.POSITIVE_INFINITY} = options;
  const lines = transfers.flatMap((transfer) => {
    const head =
      transfers.length === 1 ? [] : [cut(` ${oneLine(transfer.image)}  ${transferText(transfer)}`, options.width)];
    return [...head, ...layerLines(transfer.layers, options)];
  });
  // The latest ones are those that still change.
  return room < 1 ? [] : lines.slice(-Math.min(lines.length, room));
}

/** `3/5 layers  34.5 of 120.0 MB  12.3 MB/s`. */
export function transferText({layers, startedAt, toldAt}: TransferView): string {
  const totals = transferTotals(layers);
  if (totals.layers === 0) return '';
  const seconds = (toldAt - startedAt) / 1000;
  const rate = totals.current > 0 && seconds >= 0.5 ? `${(totals.current / 1_000_000 / seconds).toFixed(1)} MB/s` : '';
  return [`${totals.done}/${totals.layers} ${totals.layers === 1 ? 'layer' : 'layers'}`, totalsText(totals), rate]
    .filter((part) => part !== '')
    .join('  ');
}

const barWidth = 20;

function layerLines(layers: TransferredLayers, {width, color, step}: TransferFrameOptions): readonly string[] {
  const {green, dim} = picocolors.createColors(color);
  const entries = Object.entries(layers);
  const done = entries.filter(([, layer]) => layer.done).length;
  const folded = done === 0 ? [] : [green(cut(` ✔ ${done} ${done === 1 ? 'layer' : 'layers'}`, width))];
  const open = entries.flatMap(([id, {status, current, total, done: isDone}]) => {
    if (isDone) return [];
    if (total === 0) return [dim(cut(` · ${oneLine(id)}  ${oneLine(status).toLowerCase()}`, width))];
    const text = ` ${spinner(step)} ${oneLine(id)}  ${bar(current / total)}  ${totalsText({current, total})}`;
    const also = status === 'Downloading' || status === 'Pushing' ? '' : `  ${oneLine(status).toLowerCase()}`;
    return [cut(text + also, width)];
  });
  return [...folded, ...open];
}

function bar(part: number): string {
  const filled = Math.round(Math.max(0, Math.min(1, part)) * barWidth);
  return `[${'='.repeat(filled)}${' '.repeat(barWidth - filled)}]`;
}
