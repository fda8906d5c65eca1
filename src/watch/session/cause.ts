import {posix} from 'node:path';
import type {WatchCause} from '../../report/watch-event.ts';

/** Paths that are named; the others are counted. */
const named = 3;

const {dirname} = posix;

/** What set work off, gathered over several batches. */
export interface CauseNotes {
  /** As they are shown. */
  readonly paths: Set<string>;
  /** When the first of them was saved; undefined where nothing was saved just now. */
  savedAt: number | undefined;
}

export function emptyNotes(): CauseNotes {
  return {paths: new Set(), savedAt: undefined};
}

export function addNotes(
  to: CauseNotes,
  from: {readonly paths: Iterable<string>; readonly savedAt: number | undefined},
) {
  for (const path of from.paths) to.paths.add(path);
  if (from.savedAt !== undefined) to.savedAt = Math.min(to.savedAt ?? from.savedAt, from.savedAt);
}

/** Names files rather than the directories that they are in, which are new or gone with them. */
export function toCause(paths: Iterable<string>): WatchCause {
  const known = new Set(paths);
  const above = new Set<string>();
  for (const path of known) {
    for (let at = dirname(path); known.has(at) && !above.has(at); at = dirname(at)) above.add(at);
  }
  const all = [...known].filter((path) => !above.has(path)).sort();
  return {paths: all.slice(0, named), more: Math.max(0, all.length - named)};
}
