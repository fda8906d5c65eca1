import {TscomposeError} from '../base/errors.ts';

export function canceled(cause: unknown): TscomposeError {
  return new TscomposeError('canceled', 'canceled', {cause});
}

/** Rejects with `canceled` as soon as the signal is aborted; the work itself goes on, and its result is dropped. */
export async function abortable<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  if (signal === undefined) return work();
  if (signal.aborted) throw canceled(signal.reason);
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(canceled(signal.reason));
    signal.addEventListener('abort', onAbort, {once: true});
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The same for each value of a stream. */
export async function* abortableStream<T>(
  signal: AbortSignal | undefined,
  stream: AsyncIterable<T>,
): AsyncGenerator<T> {
  if (signal === undefined) {
    yield* stream;
    return;
  }
  const iterator = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await abortable(signal, () => iterator.next());
      // Whoever watches the same signal may have ended the stream first.
      if (signal.aborted) throw canceled(signal.reason);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Not awaited: a generator that still waits for its next value does not return before it has come.
    iterator.return?.()?.catch(() => {});
  }
}
