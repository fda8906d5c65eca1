import {comparePositions, type LogTrack} from './log-track.ts';
import type {LogPosition} from './types.ts';

/** Lines of several tracks, read as one in order of time. */
export interface LogResult<T extends LogPosition> {
  readonly count: number;
  newest(): T | undefined;
  oldest(): T | undefined;
  /** The last `limit` lines that stand at or before a position, in order; `end`: the last of all. */
  upTo(position: LogPosition | 'end', limit: number): readonly T[];
  /** The first `limit` lines behind a position, in order; `start`: the first of all. */
  after(position: LogPosition | 'start', limit: number): readonly T[];
  /** How many stand at or before a position. */
  rank(position: LogPosition): number;
}

export function mergeTracks<T extends LogPosition>(tracks: () => readonly LogTrack<T>[]): LogResult<T> {
  return {
    get count() {
      return tracks().reduce((sum, {length}) => sum + length, 0);
    },
    newest() {
      return this.upTo('end', 1)[0];
    },
    oldest() {
      return this.after('start', 1)[0];
    },
    upTo(position, limit) {
      const cursors = tracks().map((track) => ({
        track,
        next: (position === 'end' ? track.length : track.countUpTo(position)) - 1,
      }));
      return take(cursors, limit, -1).reverse();
    },
    after(position, limit) {
      const cursors = tracks().map((track) => ({track, next: position === 'start' ? 0 : track.countUpTo(position)}));
      return take(cursors, limit, 1);
    },
    rank(position) {
      return tracks().reduce((sum, track) => sum + track.countUpTo(position), 0);
    },
  };
}

interface Cursor<T extends LogPosition> {
  readonly track: LogTrack<T>;
  next: number;
}

/** Step by step the nearest line of all tracks: with 50 services and a screenful of lines some thousand comparisons. */
function take<T extends LogPosition>(cursors: readonly Cursor<T>[], limit: number, direction: 1 | -1): T[] {
  const taken: T[] = [];
  while (taken.length < limit) {
    let best: Cursor<T> | undefined;
    let bestItem: T | undefined;
    for (const cursor of cursors) {
      const item = cursor.track.at(cursor.next);
      if (item === undefined) continue;
      if (bestItem === undefined || comparePositions(item, bestItem) * direction < 0) {
        best = cursor;
        bestItem = item;
      }
    }
    if (best === undefined || bestItem === undefined) break;
    taken.push(bestItem);
    best.next += direction;
  }
  return taken;
}
