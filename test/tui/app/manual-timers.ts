import type {Timers} from '../../../src/tui/app/pacer.ts';

export interface ManualTimers extends Timers {
  /** Lets time pass, and calls back what is due, in order. */
  pass(ms: number): void;
}

/** Time that passes only when a test says so. */
export function manualTimers(): ManualTimers {
  let time = 0;
  const waiting = new Set<{readonly at: number; readonly callback: () => void}>();
  return {
    now: () => time,
    after(ms, callback) {
      const timer = {at: time + ms, callback};
      waiting.add(timer);
      return {[Symbol.dispose]: () => void waiting.delete(timer)};
    },
    pass(ms) {
      const end = time + ms;
      for (;;) {
        const [first] = [...waiting].filter(({at}) => at <= end).sort((a, b) => a.at - b.at);
        if (first === undefined) break;
        waiting.delete(first);
        time = Math.max(time, first.at);
        first.callback();
      }
      time = end;
    },
  };
}
