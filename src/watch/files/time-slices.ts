import {setImmediate as nextTurn} from 'node:timers/promises';

/**
 * Looking at a file takes microseconds when it is done at once and many times that through the thread pool. So trees are
 * walked at once, in slices: between two of them everything else has its turn.
 */
export function timeSlices(sliceMs = 8): () => Promise<void> | undefined {
  let began = performance.now();
  return () => {
    if (performance.now() - began < sliceMs) return undefined;
    return nextTurn().then(() => {
      began = performance.now();
    });
  };
}
