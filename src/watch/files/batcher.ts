import type {Batch, FileEvent} from './types.ts';

export interface BatchTimes {
  /** A batch is due when nothing came for so long. */
  readonly quietMs: number;
  /** At the latest so long after its first event, however busy it is. */
  readonly ceilingMs: number;
  /** More events than this within the window are a storm. */
  readonly stormEvents: number;
  readonly stormWindowMs: number;
  /** A storm is over when nothing came, and git held no lock, for so long. */
  readonly calmMs: number;
  /** A storm that does not end is taken for one after so long; with a lock of git's, after `lockCeilingMs`. */
  readonly stormCeilingMs: number;
  readonly lockCeilingMs: number;
}

export const batchTimes: BatchTimes = {
  quietMs: 25,
  ceilingMs: 300,
  stormEvents: 200,
  stormWindowMs: 100,
  calmMs: 150,
  stormCeilingMs: 5_000,
  lockCeilingMs: 30_000,
};

/** Gathers events into batches. It knows no clock: every call says what time it is, in milliseconds. */
export interface Batcher {
  note(event: FileEvent, now: number): void;
  /** Whether git holds a lock on its index: a checkout or a rebase goes on. */
  lock(held: boolean, now: number): void;
  /** When the next batch is due, as things stand; undefined: there is none. */
  due(): number | undefined;
  /** True while only the end of a storm is waited for. */
  inStorm(): boolean;
  /** The batch, if it is due. */
  take(now: number): Batch | undefined;
}

interface Gathering {
  readonly paths: Set<string>;
  readonly firstAt: number;
  lastAt: number;
  reason: 'storm' | 'overflow' | undefined;
  windowAt: number;
  inWindow: number;
  lockSeenAt: number | undefined;
}

export function createBatcher(times: BatchTimes = batchTimes): Batcher {
  let gathering: Gathering | undefined;
  // A lock that was waited for in vain has been left behind: it is not waited for again until it is gone.
  let staleLock = false;
  return {
    note(event, now) {
      gathering ??= {
        paths: new Set(),
        firstAt: now,
        lastAt: now,
        reason: undefined,
        windowAt: now,
        inWindow: 0,
        lockSeenAt: undefined,
      };
      noteEvent(gathering, event, now, times);
    },
    lock(held, now) {
      if (!held) staleLock = false;
      if (gathering === undefined || !held || staleLock) return;
      gathering.lockSeenAt = now;
      gathering.reason ??= 'storm';
    },
    due: () => (gathering === undefined ? undefined : dueAt(gathering, times)),
    inStorm: () => gathering?.reason !== undefined,
    take(now) {
      if (gathering === undefined || now < dueAt(gathering, times)) return undefined;
      const {paths, firstAt, reason, lockSeenAt} = gathering;
      staleLock ||= lockSeenAt !== undefined && now - firstAt >= times.lockCeilingMs;
      gathering = undefined;
      return reason === undefined
        ? {kind: 'paths', paths: [...paths], firstEventAt: firstAt}
        : {kind: 'everything', reason, firstEventAt: firstAt};
    },
  };
}

function noteEvent(gathering: Gathering, {path, overflow}: FileEvent, now: number, times: BatchTimes): void {
  gathering.lastAt = now;
  if (now - gathering.windowAt >= times.stormWindowMs) {
    gathering.windowAt = now;
    gathering.inWindow = 0;
  }
  gathering.inWindow += 1;
  if (overflow === true) gathering.reason = 'overflow';
  else if (gathering.inWindow > times.stormEvents) gathering.reason ??= 'storm';
  if (gathering.reason === undefined) gathering.paths.add(path);
  else gathering.paths.clear();
}

function dueAt({firstAt, lastAt, reason, lockSeenAt}: Gathering, times: BatchTimes): number {
  if (reason === undefined) return Math.min(lastAt + times.quietMs, firstAt + times.ceilingMs);
  const calmAt = Math.max(lastAt, lockSeenAt ?? lastAt) + times.calmMs;
  const ceiling = lockSeenAt === undefined ? times.stormCeilingMs : times.lockCeilingMs;
  return Math.min(calmAt, firstAt + ceiling);
}
