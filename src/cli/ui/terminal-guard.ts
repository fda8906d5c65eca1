import {spawn} from 'node:child_process';
import type {Duplex} from 'node:stream';
import {TscomposeError} from '../../base/errors.ts';
import type {TerminalGuard} from '../../tui/app/terminal.ts';

/** Bytes of the verb `guard` (docs/native.md). */
const states = {screen: 'S', settings: 'T', idle: 'I'} as const;

/** Longer than it takes on the busiest machine. */
const answerWithinMs = 60_000;

/**
 * The helper's verb `guard` for the terminal on standard input and output: it restores the terminal when this process is
 * gone without having done so. Throws `unavailable` where it does not start.
 */
export function startTerminalGuard(helperPath: string): TerminalGuard {
  const child = spawn(helperPath, ['guard'], {stdio: ['ignore', 'ignore', 'ignore', 'pipe', 0, 1], env: {}});
  const socket = child.stdio[3] as Duplex;
  let failed: TscomposeError | undefined;
  let answered: (() => void) | undefined;
  const fail = (reason: string, cause?: unknown): void => {
    failed ??= new TscomposeError('unavailable', `the guard of the terminal ${reason}`, {cause});
    answered?.();
  };
  child.on('error', (error) => fail(`does not start: ${error.message}`, error));
  child.on('exit', () => fail('has ended'));
  socket.on('error', (error: Error) => fail(`is gone: ${error.message}`, error));
  socket.on('data', () => answered?.());
  // It must not keep this process alive.
  child.unref();
  const tell = async (state: string): Promise<void> => {
    if (failed === undefined) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => fail('does not answer'), answerWithinMs);
        answered = () => {
          clearTimeout(timer);
          answered = undefined;
          resolve();
        };
        socket.write(state);
      });
    }
    if (failed !== undefined) throw failed;
  };
  return {
    arm: (state) => tell(states[state]),
    // Without a guard there is nothing to take back.
    disarm: () => tell(states.idle).catch(() => undefined),
    close: () => socket.destroy(),
  };
}

/** Where the helper is missing, as it may with a remote engine: the UI itself still restores what it can. */
export const noGuard: TerminalGuard = {
  arm: async () => undefined,
  disarm: async () => undefined,
  close: () => undefined,
};
