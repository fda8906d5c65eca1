import {TscomposeError} from '../base/errors.ts';
import type {Report} from '../report/event.ts';
import type {CliContext} from './context.ts';

export interface InterruptOptions {
  /** Told where what is under way does not end at once. */
  readonly report: Report;
  /** Logs are printed meanwhile: whoever prints them tells of it. */
  readonly silent?: boolean;
}

/** After Ctrl-C, what is under way is given this long before a word about it. */
const tellCancelAfterMs = 300;

/**
 * Runs work that the first Ctrl-C cancels at its next safe point; what was done so far stays whole. The second leaves at
 * once: what is under way is for the next command to put right.
 */
export async function interruptible<T>(
  context: Pick<CliContext, 'onInterrupt'>,
  {report, silent = false}: InterruptOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  let leave: (error: TscomposeError) => void = () => {};
  const left = new Promise<never>((_resolve, reject) => {
    leave = reject;
  });
  let tell: NodeJS.Timeout | undefined;
  using _interrupt = context.onInterrupt(() => {
    if (abort.signal.aborted) {
      leave(new TscomposeError('canceled', 'left at once: what was under way may not be finished'));
      return;
    }
    abort.abort();
    const message = 'interrupted: finishing; Ctrl-C again leaves at once';
    if (!silent)
      tell = setTimeout(() => report({kind: 'notice', notice: {level: 'warning', message}}), tellCancelAfterMs);
  });
  try {
    return await Promise.race([work(abort.signal), left]);
  } finally {
    clearTimeout(tell);
  }
}
