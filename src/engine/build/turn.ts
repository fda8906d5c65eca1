import {rm} from 'node:fs/promises';
import type {CachedStep} from './cache.ts';
import type {BuildWork} from './context.ts';

/** The right to make a step, alone as far as others wait. */
export interface Turn extends AsyncDisposable {
  /** What somebody else made of it meanwhile. */
  readonly found: CachedStep | undefined;
  /** Whoever waits for it goes on at once. */
  release(): Promise<void>;
}

export interface TakingTurns {
  readonly key: string;
  /** False: what others make of it is not wanted, so they are not waited for. */
  readonly waits: boolean;
  /** Looks once more. */
  readonly find: () => Promise<CachedStep | undefined>;
  readonly signal: AbortSignal;
  /** Told once somebody else is making it. */
  readonly onWait: () => void;
}

/**
 * Waits while another build makes the same step, of this process or of another one. All who wait go on together, whether it was
 * made, failed or was given up, and nobody waits twice: a step that fails does so for all at the same time, and not for one
 * after the other. The kernel frees the lock of who dies.
 */
export async function takeTurn(
  {images: {helper, layout}}: Pick<BuildWork, 'images'>,
  {key, waits, find, signal, onWait}: TakingTurns,
): Promise<Turn> {
  const path = layout.locks.step(key);
  let lock = await helper.tryLock(path);
  const release = async (): Promise<void> => {
    const held = lock;
    lock = undefined;
    // The file goes while the lock is still held: whoever waits for it sees that, and makes a new one.
    if (held !== undefined) await rm(path, {force: true});
    await held?.[Symbol.asyncDispose]();
  };
  try {
    if (lock === undefined && waits) {
      try {
        const made = await helper.lock(path, {mode: 'shared', signal, onWait});
        await made[Symbol.asyncDispose]();
      } finally {
        // Also of who gives up, who may have made the file anew: the last one to ask gets the lock, and removes it.
        lock = await helper.tryLock(path);
      }
    }
    // Also of who did not wait: it may have been made since it was looked for.
    const found = waits ? await find() : undefined;
    return {found, release, [Symbol.asyncDispose]: release};
  } catch (error) {
    await release();
    throw error;
  }
}
