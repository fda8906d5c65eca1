import {StringDecoder} from 'node:string_decoder';
import {setTimeout as delay} from 'node:timers/promises';
import type {TerminalDevice} from '../../tui/app/terminal.ts';
import type {CliContext} from '../context.ts';

/** What is not taken by then is more than a screen full of changes. */
const congestedAtBytes = 32 * 1024;
/** A process group that nobody controls (no shell with jobs above it) is not stopped: then we go on after this long. */
const notStoppedAfterMs = 200;

/** The terminal on standard input and output. `onGone` is called once it is not there any more. */
export function terminalDevice({stdin, stdout}: CliContext, onGone: () => void): TerminalDevice {
  let stopping = false;
  stdin.on('error', onGone);
  stdin.on('end', onGone);
  return {
    get columns() {
      return stdout.columns ?? 80;
    },
    get rows() {
      return stdout.rows ?? 24;
    },
    get congested() {
      return stdout.writableLength > congestedAtBytes;
    },
    write: (text) => void stdout.write(text),
    setRaw: (on) => void stdin.setRawMode(on),
    onInput(listener) {
      const decoder = new StringDecoder('utf8');
      const onData = (data: Buffer): void => listener(decoder.write(data));
      stdin.on('data', onData);
      stdin.resume();
      return {
        [Symbol.dispose]() {
          stdin.off('data', onData);
          stdin.pause();
        },
      };
    },
    onResize(listener) {
      stdout.on('resize', listener);
      return {[Symbol.dispose]: () => void stdout.off('resize', listener)};
    },
    async stop() {
      stopping = true;
      const signals = process.listeners('SIGTSTP');
      process.removeAllListeners('SIGTSTP');
      const continued = new AbortController();
      const onContinue = (): void => continued.abort();
      process.once('SIGCONT', onContinue);
      try {
        // The whole group, as the terminal does it: what started us (npm, a script) and the helper stop too.
        process.kill(0, 'SIGTSTP');
        await delay(notStoppedAfterMs, undefined, {signal: continued.signal}).catch(() => undefined);
      } finally {
        process.off('SIGCONT', onContinue);
        for (const listener of signals) process.on('SIGTSTP', listener);
        stopping = false;
      }
    },
    onJobControl({stop, continued}) {
      const onContinued = (): void => {
        if (!stopping) continued();
      };
      process.on('SIGTSTP', stop);
      process.on('SIGCONT', onContinued);
      return {
        [Symbol.dispose]() {
          process.off('SIGTSTP', stop);
          process.off('SIGCONT', onContinued);
        },
      };
    },
  };
}
