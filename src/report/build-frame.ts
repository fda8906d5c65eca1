import picocolors from 'picocolors';
import {linesOf} from '../base/last-lines.ts';
import {
  type BuildEntry,
  buildEntries,
  chooseEntries,
  entryNote,
  entryPhase,
  entryTitle,
  mostOutput,
  timeWidth,
} from './build-entries.ts';
import type {BuildView, StepView} from './build-state.ts';
import {cellWidth, cut, oneLine, pad} from './cells.ts';
import {spinner} from './spinner.ts';

export interface BuildFrameOptions {
  /** Cells of a line. */
  readonly width: number;
  /** Lines; undefined: the last picture, which may be as long as it is. */
  readonly room: number | undefined;
  readonly color: boolean;
  readonly now: number;
  /** Of the spinner. */
  readonly step: number;
}

/** A picture of builds: steps with their times, below those that run what they said last, what was cached in one line. */
export function buildFrame(builds: readonly BuildView[], options: BuildFrameOptions): readonly string[] {
  const {room = Number.POSITIVE_INFINITY, width} = options;
  if (room < 1) return [];
  const last = options.room === undefined;
  const {shown, hidden} = chooseEntries(buildEntries(builds, {last}), room);
  const running = shown.filter(isRunning).length;
  const left = last ? 0 : room - shown.length - (hidden > 0 ? 1 : 0);
  const perStep = running === 0 ? 0 : Math.min(mostOutput, Math.floor(left / running));
  const layout = layOut(
    shown,
    builds.some(({name}) => name !== ''),
    options,
  );
  const color = picocolors.createColors(options.color);
  return [
    ...(hidden === 0 ? [] : [color.dim(cut(`   … ${hidden} more`, width))]),
    ...shown.flatMap((entry) => [
      entryLine(entry, layout),
      ...(entry.kind === 'step' && last ? reasonLines(entry.step, layout) : []),
      ...(isRunning(entry) ? outputLines(entry.step, perStep, layout) : []),
    ]),
  ];
}

function isRunning(entry: BuildEntry): entry is Extract<BuildEntry, {readonly kind: 'step'}> {
  return entry.kind === 'step' && entry.step.phase === 'working';
}

interface Layout extends BuildFrameOptions {
  /** Steps stand below the name of their build. */
  readonly indented: boolean;
  readonly titleWidth: number;
}

function layOut(entries: readonly BuildEntry[], indented: boolean, options: BuildFrameOptions): Layout {
  const widest = Math.max(
    0,
    ...entries.map((entry) => cellWidth(entryTitle(entry)) + indentOf(entry, indented).length),
  );
  // Symbol before it, blanks and the time after it.
  return {...options, indented, titleWidth: Math.max(1, Math.min(widest, options.width - 3 - 2 - timeWidth))};
}

function indentOf({kind}: BuildEntry, indented: boolean): string {
  return indented && kind !== 'build' ? '  ' : '';
}

function entryLine(entry: BuildEntry, layout: Layout): string {
  const color = picocolors.createColors(layout.color);
  const indent = indentOf(entry, layout.indented);
  const title = pad(cut(entryTitle(entry), layout.titleWidth - indent.length), layout.titleWidth - indent.length);
  const phase = entryPhase(entry);
  const text = `${indent} ${symbols[phase] ?? spinner(layout.step)} ${title}  ${entryNote(entry, layout.now)}`;
  const line = cut(text.trimEnd(), layout.width);
  if (phase === 'failed') return color.red(line);
  if (phase === 'done') return color.green(line);
  return phase === 'cached' || phase === 'canceled' ? color.dim(line) : line;
}

/** A symbol for each phase: colour is never all there is. */
const symbols: Readonly<Record<StepView['phase'], string | undefined>> = {
  working: undefined,
  cached: '=',
  done: '✔',
  failed: '✘',
  canceled: '-',
};

function outputLines(step: StepView, most: number, {width, color, indented}: Layout): readonly string[] {
  const {dim} = picocolors.createColors(color);
  const lines =
    most === 0
      ? []
      : linesOf(step.output)
          .map(oneLine)
          .filter((line) => line !== '');
  return lines.slice(-Math.max(1, most)).map((line) => dim(cut(`${indented ? '  ' : ''}     ${line}`, width)));
}

function reasonLines({explained}: StepView, {width, indented}: Layout): readonly string[] {
  if (explained?.verdict !== 'built') return [];
  return explained.reasons.map((reason) => cut(`${indented ? '  ' : ''}     not cached: ${oneLine(reason)}`, width));
}
