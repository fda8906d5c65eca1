import {Worker} from 'node:worker_threads';

/** Tells the watchdog what is about to be done: a text that would do it again. */
export interface Watchdog extends Disposable {
  working(on: string): void;
}

/** Far longer than any one step takes on the slowest machine; a step that hangs takes for ever. */
const patienceMs = 60_000;
const room = 1 << 20;

/** Waits for another step to begin; where none does, it says which one hangs and ends the process, which cannot itself. */
const source = `
const {workerData: {state, text, patienceMs}} = require('node:worker_threads');
const {writeSync} = require('node:fs');
for (;;) {
  const step = Atomics.load(state, 0);
  if (Atomics.wait(state, 0, step, patienceMs) !== 'timed-out') continue;
  if (Atomics.load(state, 1) === 0) continue;
  writeSync(2, 'this does not come to an end: ' + Buffer.from(text.slice(0, Atomics.load(state, 1))) + '\\n');
  process.kill(process.pid, 'SIGKILL');
}
`;

/** Guards steps that could run for ever without giving timers a chance. */
export function startWatchdog(): Watchdog {
  const state = new Int32Array(new SharedArrayBuffer(8));
  const text = new Uint8Array(new SharedArrayBuffer(room));
  const worker = new Worker(source, {eval: true, workerData: {state, text, patienceMs}});
  worker.unref();
  return {
    working: (on) => {
      const {written} = new TextEncoder().encodeInto(on, text);
      Atomics.store(state, 1, written);
      Atomics.add(state, 0, 1);
      Atomics.notify(state, 0);
    },
    [Symbol.dispose]: () => {
      void worker.terminate();
    },
  };
}
