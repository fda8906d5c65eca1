import type {Target, UiEffect, UiEventContent} from '../types.ts';

/** What is done for a key outside of the screen. */
export type WorldEffect = Exclude<UiEffect, {readonly kind: 'exec' | 'copy' | 'suspend' | 'redraw' | 'quit'}>;

/** Everything that the UI shows and does, behind one door. */
export interface UiWorld {
  /** Tells what there is and what happens until the signal. Rejects only for a fault of ours. */
  follow(emit: (event: UiEventContent) => void, signal: AbortSignal): Promise<void>;
  /** Answers a line about what was done. Throws a `TscomposeError` whose message is shown. */
  perform(effect: WorldEffect, signal: AbortSignal): Promise<string | undefined>;
  /** In this terminal, which is nobody else's meanwhile. Answers a line where there is something to say. */
  shell(target: Target & {readonly kind: 'replica'}): Promise<string | undefined>;
}
