/** A lock that users take together. */
export interface LingeringLock extends AsyncDisposable {
  /** Does the work while the lock is held. */
  during<T>(work: () => T | Promise<T>): Promise<T>;
}

/**
 * Given up once the event loop has turned and nobody uses it: who comes before that (the next of many steps that wait for
 * nothing) finds it still taken, and is spared a trip to the helper and back.
 */
export function createLingeringLock(take: () => Promise<AsyncDisposable>): LingeringLock {
  let taken: Promise<AsyncDisposable> | undefined;
  let users = 0;
  let turn: NodeJS.Immediate | undefined;

  const current = (): Promise<AsyncDisposable> => {
    if (taken !== undefined) return taken;
    const attempt = take();
    taken = attempt;
    // Whoever comes after one that failed tries anew.
    attempt.catch(() => {
      if (taken === attempt) taken = undefined;
    });
    return attempt;
  };
  const giveUp = async () => {
    const lock = taken;
    taken = undefined;
    await (await lock?.catch(() => undefined))?.[Symbol.asyncDispose]();
  };
  const leave = () => {
    users -= 1;
    if (users > 0) return;
    turn = setImmediate(() => {
      turn = undefined;
      // Whoever takes it next hears of a helper that is gone.
      if (users === 0) giveUp().catch(() => undefined);
    });
  };

  return {
    async during(work) {
      users += 1;
      clearImmediate(turn);
      turn = undefined;
      try {
        await current();
        return await work();
      } finally {
        leave();
      }
    },
    async [Symbol.asyncDispose]() {
      clearImmediate(turn);
      turn = undefined;
      await giveUp();
    },
  };
}
