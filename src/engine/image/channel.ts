/** Lines from work that goes on by itself to one reader. */
export interface Channel<T> {
  push(value: T): void;
}

/**
 * Runs `work` and yields what it pushes, then ends, or throws what it threw. A reader that leaves early aborts the work's
 * signal and waits for its end, so that nothing goes on behind its back.
 */
export async function* runWithProgress<T>(
  work: (channel: Channel<T>, signal: AbortSignal) => Promise<void>,
  signal?: AbortSignal,
): AsyncGenerator<T> {
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, {once: true});

  const queue: T[] = [];
  let wake: (() => void) | undefined;
  let ended = false;
  const notify = () => {
    wake?.();
    wake = undefined;
  };
  const push = (value: T) => {
    queue.push(value);
    notify();
  };
  const running = work({push}, controller.signal).finally(() => {
    ended = true;
    notify();
  });
  // Awaited below; until then a failure is nobody's surprise.
  running.catch(() => undefined);
  let done = false;
  try {
    for (;;) {
      yield* queue.splice(0);
      if (queue.length > 0) continue;
      if (ended) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    done = true;
    await running;
  } finally {
    signal?.removeEventListener('abort', abort);
    if (!done) {
      controller.abort();
      await running.catch(() => undefined);
    }
  }
}
