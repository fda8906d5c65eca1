/** How soon a change is to be seen: at once, with the next frames, or with the next tick of the clock. */
export type Urgency = 'now' | 'soon' | 'clock';

/** Least time between a frame and the one before it, in ms. */
const frameIntervals = {now: 15, soon: 200, clock: 1000} as const satisfies Record<Urgency, number>;

export interface Timers {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  after(ms: number, callback: () => void): Disposable;
}

export interface Pacer extends Disposable {
  /** Calls `draw` when the time has come; what was asked for sooner comes along. */
  request(urgency: Urgency): void;
}

/**
 * When to draw: keys at once, logs and events five times a second, clocks once. While logs flow, a key is answered by a
 * frame of its own, which shows the logs too; their next frame is then counted from it.
 */
export function createPacer(timers: Timers, draw: () => void): Pacer {
  let last = Number.NEGATIVE_INFINITY;
  let due = Number.POSITIVE_INFINITY;
  let timer: Disposable | undefined;
  const fire = (): void => {
    timer = undefined;
    due = Number.POSITIVE_INFINITY;
    last = timers.now();
    draw();
  };
  return {
    request(urgency) {
      const now = timers.now();
      const at = Math.max(now, last + frameIntervals[urgency]);
      if (at >= due) return;
      timer?.[Symbol.dispose]();
      due = at;
      timer = timers.after(at - now, fire);
    },
    [Symbol.dispose]() {
      timer?.[Symbol.dispose]();
      timer = undefined;
      due = Number.NEGATIVE_INFINITY;
    },
  };
}
