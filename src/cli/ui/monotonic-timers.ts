import type {Timers} from '../../tui/app/pacer.ts';

export const monotonicTimers: Timers = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.max(0, Math.ceil(ms)));
    return {[Symbol.dispose]: () => clearTimeout(timer)};
  },
};
