import type {BuildView, StepView} from './build-state.ts';
import {oneLine} from './cells.ts';
import {shortTime} from './time.ts';
import {type TransferredLayers, totalsText, transferTotals} from './transfer-totals.ts';

/** A line of a picture of builds, before it is known how wide it may be. */
export type BuildEntry =
  | {readonly kind: 'build'; readonly build: BuildView}
  | {readonly kind: 'pull'; readonly reference: string; readonly layers: TransferredLayers; readonly build: BuildView}
  | {readonly kind: 'step'; readonly step: StepView; readonly build: BuildView}
  /** Several steps one after another that came from the cache. */
  | {readonly kind: 'cached'; readonly steps: number; readonly build: BuildView};

export interface EntryOptions {
  /** Nothing follows any more: all that is worth keeping is shown. */
  readonly last: boolean;
  /** Builds that are done keep their steps. */
  readonly whole?: boolean;
}

/** The lines of all builds. One that is alone has no line with its name; one of several that is done is that line alone. */
export function buildEntries(builds: readonly BuildView[], {last, whole = false}: EntryOptions): readonly BuildEntry[] {
  return builds.flatMap((build): readonly BuildEntry[] => {
    const alone = build.name === '';
    const head: readonly BuildEntry[] = alone ? [] : [{kind: 'build', build}];
    const isTold = build.steps.some(({explained}) => explained !== undefined) && last;
    if (!alone && build.phase === 'done' && !isTold && !whole) return head;
    const pulls = Object.entries(build.pulls).map(([reference, layers]) => ({
      kind: 'pull' as const,
      ...{reference, layers, build},
    }));
    return [...head, ...pulls, ...stepEntries(build, isTold)];
  });
}

function stepEntries(build: BuildView, unfolded: boolean): readonly BuildEntry[] {
  const entries: BuildEntry[] = [];
  for (const step of build.steps) {
    const before = entries.at(-1);
    if (unfolded || step.phase !== 'cached') entries.push({kind: 'step', step, build});
    else if (before?.kind === 'cached') entries[entries.length - 1] = {...before, steps: before.steps + 1};
    else if (before?.kind === 'step' && before.step.phase === 'cached')
      entries[entries.length - 1] = {kind: 'cached', steps: 2, build};
    else entries.push({kind: 'step', step, build});
  }
  return entries;
}

/** Where not all fit: what goes on and what failed before what is done. In their order; `hidden` says how many are missing. */
export function chooseEntries(
  entries: readonly BuildEntry[],
  room: number,
): {readonly shown: readonly BuildEntry[]; readonly hidden: number} {
  if (entries.length <= room) return {shown: entries, hidden: 0};
  const most = Math.max(0, Math.floor(room) - 1);
  // Of those that count alike the later ones: there it goes on.
  const ranked = entries.map((entry, index) => ({index, rank: rankOf(entry)}));
  ranked.sort((a, b) => a.rank - b.rank || b.index - a.index);
  const kept = new Set(ranked.slice(0, most).map(({index}) => index));
  return {shown: entries.filter((_, index) => kept.has(index)), hidden: entries.length - kept.size};
}

function rankOf(entry: BuildEntry): number {
  if (entry.kind === 'pull') return 0;
  if (entry.kind === 'cached') return 3;
  const {phase} = entry.kind === 'step' ? entry.step : entry.build;
  const isUrgent = phase === 'working' || phase === 'failed';
  return entry.kind === 'step' ? (isUrgent ? 0 : 3) : isUrgent ? 1 : 2;
}

/** Lines of what a step said last that are shown below it at most. */
export const mostOutput = 6;

/** Cells of a time. */
export const timeWidth = 6;

/** What an entry is about, in one line. */
export function entryTitle(entry: BuildEntry): string {
  switch (entry.kind) {
    case 'build':
      return `build ${oneLine(entry.build.name)}`;
    case 'pull':
      return `pulling ${oneLine(entry.reference)}`;
    case 'step':
      return oneLine(entry.step.title);
    case 'cached':
      return `${entry.steps} steps`;
  }
}

/** How far it is: its symbol and its colour go by that. */
export function entryPhase(entry: BuildEntry): StepView['phase'] {
  if (entry.kind === 'pull') return 'working';
  if (entry.kind === 'cached') return 'cached';
  return entry.kind === 'step' ? entry.step.phase : entry.build.phase;
}

/** What stands beside the title: the time, or in its place what is known. */
export function entryNote(entry: BuildEntry, now: number): string {
  if (entry.kind === 'cached') return 'cached'.padStart(timeWidth);
  if (entry.kind === 'pull') return totalsText(transferTotals(entry.layers));
  const {phase, startedAt, endedAt} = entry.kind === 'step' ? entry.step : entry.build;
  if (phase === 'cached' || phase === 'canceled') return (phase === 'cached' ? phase : 'ended').padStart(timeWidth);
  const time = shortTime((endedAt ?? now) - startedAt).padStart(timeWidth);
  return entry.kind === 'build' ? `${time}  ${stepCounts(entry.build)}` : time;
}

/** `9 steps, 4 cached`. */
export function stepCounts({steps}: BuildView): string {
  const cached = steps.filter(({phase}) => phase === 'cached').length;
  return `${steps.length} ${steps.length === 1 ? 'step' : 'steps'}${cached === 0 ? '' : `, ${cached} cached`}`;
}
