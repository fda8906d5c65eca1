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

/** Actions that followed each other, each set off by the one before: what changed each time, in the same directories. */
interface Row {
  readonly begin: number;
  readonly changes: readonly (readonly string[])[];
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
      if (row.changes.length < loopLength) return {kind: 'go'};
      suspended = row;
      const repeated = repeatedPaths(row);
      return {
        kind: 'suspended',
        paths: [...(repeated.size > 0 ? repeated : allPaths(row))].sort(),
        times: row.changes.length,
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
  if (row === undefined || !inSameDirectories(allPaths(row), paths)) return {begin: firstEventAt, changes: [paths]};
  return {begin: row.begin, changes: [...row.changes, paths]};
}

/** Where the names are new each time, as with temporary files, what counts is where they are. */
function belongsTo(row: Row, {paths}: Trigger): boolean {
  const repeated = repeatedPaths(row);
  return repeated.size > 0 ? paths.every((path) => repeated.has(path)) : inSameDirectories(allPaths(row), paths);
}

function allPaths({changes}: Row): ReadonlySet<string> {
  return new Set(changes.flat());
}

function repeatedPaths({changes}: Row): ReadonlySet<string> {
  const all = changes.flatMap((paths) => [...new Set(paths)]);
  return new Set(all.filter((path, index) => all.indexOf(path) !== index));
}

function inSameDirectories(known: ReadonlySet<string>, paths: readonly string[]): boolean {
  const directories = new Set([...known].map((path) => posix.dirname(path)));
  return paths.every((path) => directories.has(posix.dirname(path)));
}
