import type {Report} from './event.ts';

/** Somebody who tells people or programs about the progress of a command. */
export interface Reporter {
  readonly report: Report;
  /** Somebody else uses the terminal until what is answered is called; what is told meanwhile is shown afterwards. */
  pause(): () => void;
  /** The command has ended: nothing is drawn any more. */
  finish(): void;
}

/** The part of a stream that a reporter needs. */
export interface Output {
  write(text: string): unknown;
}
