import {setTimeout as delay} from 'node:timers/promises';

/** Time, as far as the program may know it: given from outside, so that tests can give another. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after that long, or at once when the signal is raised: the caller looks at the signal. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export function systemClock(now: () => number): Clock {
  return {
    now,
    async sleep(ms, signal) {
      await delay(ms, undefined, signal === undefined ? undefined : {signal}).catch(() => undefined);
    },
  };
}
