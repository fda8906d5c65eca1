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
} from '../report/build-entries.ts';
import type {StepView} from '../report/build-state.ts';
import {oneLine} from '../report/cells.ts';
import {cellsOf, safeText} from './cells.ts';
import {fillLine, lineCells, span} from './line.ts';
import type {Line, StyleName, UiState} from './types.ts';
import type {ViewContext} from './view-context.ts';

type BuildsContext = Pick<ViewContext, 'state' | 'glyphs' | 'now'>;

/** Something is being built. */
export function isBuilding({builds}: Pick<UiState, 'builds'>): boolean {
  return builds.some(({phase}) => phase === 'working');
}

/**
 * Builds with their steps and times; what was cached is one line, and below a step that runs or failed stands what it said last.
 * With `room` as many lines as that: what goes on comes before what is done.
 */
export function buildLines(
  context: BuildsContext,
  {width, room = Number.POSITIVE_INFINITY}: {readonly width: number; readonly room?: number},
): readonly Line[] {
  const whole = room === Number.POSITIVE_INFINITY;
  const {shown, hidden} = chooseEntries(buildEntries(context.state.builds, {last: false, whole}), room);
  const telling = shown.filter(isTelling).length;
  const left = room - shown.length - (hidden > 0 ? 1 : 0);
  const perStep = telling === 0 ? 0 : Math.max(0, Math.min(mostOutput, Math.floor(left / telling)));
  const widest = Math.max(0, ...shown.map((entry) => cellsOf(indentOf(entry) + safeText(entryTitle(entry)))));
  // A mark before it, blanks and the time after it.
  const titleWidth = Math.max(1, Math.min(widest, width - 2 - 2 - timeWidth));
  return [
    ...(hidden > 0 ? [[span(`  ${hidden} more`, 'dim')]] : []),
    ...shown.flatMap((entry) => [
      cut(entryLine(context, entry, {width, titleWidth}), width, context),
      ...(isTelling(entry) ? outputLines(context, entry, {width, most: perStep}) : []),
    ]),
  ];
}

function cut(line: Line, width: number, {glyphs}: BuildsContext): Line {
  return lineCells(line) <= width ? line : fillLine(line, width, glyphs.cut);
}

/** Cells that a title has before anything beside it does. */
const leastTitle = 20;

type StepEntry = Extract<BuildEntry, {readonly kind: 'step'}>;

function isTelling(entry: BuildEntry): entry is StepEntry {
  return entry.kind === 'step' && (entry.step.phase === 'working' || entry.step.phase === 'failed');
}

/** Steps stand below the name of their build. */
function indentOf({kind, build}: BuildEntry): string {
  return kind !== 'build' && build.name !== '' ? '  ' : '';
}

const styles: Readonly<Record<StepView['phase'], StyleName>> = {
  working: 'busy',
  cached: 'dim',
  done: 'good',
  failed: 'bad',
  canceled: 'dim',
};

function entryLine(
  {glyphs, now}: BuildsContext,
  entry: BuildEntry,
  {width, titleWidth}: {readonly width: number; readonly titleWidth: number},
): Line {
  const phase = entryPhase(entry);
  const style = styles[phase];
  const turn = glyphs.spinner[Math.floor(now / 200) % glyphs.spinner.length] ?? '';
  const mark = {working: turn, cached: '=', done: glyphs.ok, failed: glyphs.bad, canceled: '-'}[phase];
  const indent = indentOf(entry);
  const note = `  ${entryNote(entry, now)}`;
  // What is said of a whole build is longer than a time, and gives way to its name.
  const room = Math.min(titleWidth, Math.max(leastTitle, width - 2 - cellsOf(note))) - indent.length;
  const title = span(entryTitle(entry), entry.kind === 'build' ? 'strong' : phase === 'working' ? 'plain' : style);
  return [
    span(`${indent}${mark} `, style),
    ...fillLine([title], Math.max(1, room), glyphs.cut),
    span(note, phase === 'failed' ? 'bad' : 'dim'),
  ];
}

function outputLines(
  context: BuildsContext,
  entry: StepEntry,
  {width, most}: {readonly width: number; readonly most: number},
): readonly Line[] {
  if (most === 0) return [];
  const lines = linesOf(entry.step.output)
    .map(oneLine)
    .filter((line) => line !== '');
  const indent = `${indentOf(entry)}    `;
  return lines.slice(-most).map((line) => cut([span(`${indent}${line}`, 'dim')], width, context));
}
