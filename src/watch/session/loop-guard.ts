import {posix} from 'node:path';

/** So many actions in a row, each set off while the one before was at work, are a loop. */
const loopLength = 5;
/** What a service writes right after its start counts as written by the action. */
const afterActionMs = 1000;

export interface Trigger {
  /** Relative paths that changed; at least one. */
  readonly paths: readonly string[];
  /** Of the first change. */
  readonly firstEventAt: number;
}

export type GuardVerdict =
  | {readonly kind: 'go'}
  /** It goes on after it was suspended: other paths changed. */
  | {readonly kind: 'resumed'}
  /** From now on the rule is let be. */
  | {readonly kind: 'suspended'; readonly paths: readonly string[]; readonly times: number; readonly withinMs: number}
  /** Still suspended. */
  | {readonly kind: 'held'};

/**
 * Notices a rule whose own action sets it off again: a service that writes into a watched directory when it starts. A
 * person who saves the same file again and again does not do so each time while the restart is at work.
 */
export interface LoopGuard {
  judge(trigger: Trigger): GuardVerdict;
  actionBegins(now: number): void;
  actionEnds(now: number): void;
  isSuspended(): boolean;
}

/** Actions that followed each other, each set off by the one before, and what changed. */
interface Row {
  readonly length: number;
  readonly begin: number;
  readonly paths: ReadonlySet<string>;
  /** New names each time, as with temporary files: what counts is where they are. */
  readonly freshNames: boolean;
}

export function createLoopGuard(): LoopGuard {
  let action: {readonly begin: number; readonly end: number} | undefined;
  let row: Row | undefined;
  let suspended: Row | undefined;
  return {
    judge(trigger) {
      if (suspended !== undefined) {
        if (belongsTo(suspended, trigger)) return {kind: 'held'};
        suspended = undefined;
        row = undefined;
        return {kind: 'resumed'};
      }
      const {firstEventAt} = trigger;
      const byItself =
        action !== undefined && firstEventAt >= action.begin && firstEventAt <= action.end + afterActionMs;
      if (!byItself) {
        row = undefined;
        return {kind: 'go'};
      }
      row = extend(row, trigger);
      if (row.length < loopLength) return {kind: 'go'};
      suspended = row;
      return {
        kind: 'suspended',
        paths: [...row.paths].sort(),
        times: row.length,
        withinMs: firstEventAt - row.begin,
      };
    },
    actionBegins(now) {
      action = {begin: now, end: Number.POSITIVE_INFINITY};
    },
    actionEnds(now) {
      if (action !== undefined) action = {begin: action.begin, end: now};
    },
    isSuspended: () => suspended !== undefined,
  };
}

/** Changes elsewhere begin a new row. */
function extend(row: Row | undefined, {paths, firstEventAt}: Trigger): Row {
  const first: Row = {length: 1, begin: firstEventAt, paths: new Set(paths), freshNames: false};
  if (row === undefined || !inSameDirectories(row.paths, paths)) return first;
  return {
    length: row.length + 1,
    begin: row.begin,
    paths: new Set([...row.paths, ...paths]),
    freshNames: row.freshNames || !paths.some((path) => row.paths.has(path)),
  };
}

function belongsTo(row: Row, {paths}: Trigger): boolean {
  return row.freshNames ? inSameDirectories(row.paths, paths) : paths.every((path) => row.paths.has(path));
}

function inSameDirectories(known: ReadonlySet<string>, paths: readonly string[]): boolean {
  const directories = new Set([...known].map((path) => posix.dirname(path)));
  return paths.every((path) => directories.has(posix.dirname(path)));
}
