import {createKeyDecoder, type TerminalInput} from './key-decoder.ts';
import type {Timers} from './pacer.ts';

/** An escape that nothing follows within this is the key; terminals send sequences in one piece. */
const escapeAloneMs = 30;

/** Turns what a terminal sends into keys, until disposed. */
export interface InputReader extends Disposable {
  push(text: string): void;
}

export function createInputReader(timers: Timers, take: (input: TerminalInput) => void): InputReader {
  const decoder = createKeyDecoder();
  let alone: Disposable | undefined;
  return {
    push(text) {
      alone?.[Symbol.dispose]();
      decoder.push(text).forEach(take);
      if (decoder.pending) alone = timers.after(escapeAloneMs, () => decoder.flush().forEach(take));
    },
    [Symbol.dispose]: () => alone?.[Symbol.dispose](),
  };
}
