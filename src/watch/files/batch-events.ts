import {statSync} from 'node:fs';
import type {Clock} from '../../base/clock.ts';
import {type BatchTimes, createBatcher} from './batcher.ts';
import type {Batch, FileEvent} from './types.ts';

export interface BatchOptions {
  readonly clock: Clock;
  /** Called with one batch at a time, while others are gathered; not called again before it has resolved. */
  readonly onBatch: (batch: Batch) => void | Promise<void>;
  /** Files that git makes while it works on a tree, see `gitLocks`. */
  readonly locks?: readonly string[];
  readonly times?: BatchTimes;
}

export interface EventBatches {
  note(event: FileEvent): void;
  /** Drops what is gathered; resolves when a batch that is being handled has been. */
  close(): Promise<void>;
}

/** How often a lock is looked at while the end of a storm is waited for. */
const lookMs = 50;
/** A lock that is older was left behind by a git that died. */
const lockAgeMs = 60_000;

/** Brings events together into batches; the rules are those of `createBatcher`. */
export function batchEvents({clock, onBatch, locks = [], times}: BatchOptions): EventBatches {
  const batcher = createBatcher(times);
  const closing = new AbortController();
  let running: Promise<void> | undefined;
  const look = (): void => batcher.lock(isLocked(locks, clock.now()), clock.now());
  const run = async (): Promise<void> => {
    look();
    for (let due = batcher.due(); due !== undefined && !closing.signal.aborted; due = batcher.due()) {
      const wait = due - clock.now();
      if (wait > 0) {
        await clock.sleep(batcher.inStorm() ? Math.min(wait, lookMs) : wait, closing.signal);
        if (batcher.inStorm()) look();
        continue;
      }
      look();
      const batch = batcher.take(clock.now());
      if (batch !== undefined) await onBatch(batch);
    }
  };
  const start = (): void => {
    running = run().finally(() => {
      running = undefined;
      if (batcher.due() !== undefined && !closing.signal.aborted) start();
    });
  };
  return {
    note(event) {
      if (closing.signal.aborted) return;
      batcher.note(event, clock.now());
      if (running === undefined) start();
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}

function isLocked(locks: readonly string[], now: number): boolean {
  return locks.some((path) => {
    const stats = statSync(path, {throwIfNoEntry: false});
    return stats !== undefined && now - stats.mtimeMs < lockAgeMs;
  });
}
