import {type Instance, render, Transform} from 'ink';
import type {ReactElement} from 'react';

/**
 * The only module that knows Ink. Ink lays out and renders; what it renders is taken as rows and never reaches a terminal
 * by itself: the alternate screen, sizes, suspending and writing are `TerminalScreen`'s. Whoever moves to an Ink that does
 * these things well changes this file (docs/decisions/0012-ink-behind-our-screen.md).
 */
export interface InkApp {
  /** Renders at once: `onFrame` is called before this returns. */
  show(rows: readonly string[], columns: number): void;
  close(): void;
}

/** `onFrame` takes the rows of each frame. An error while rendering is thrown by the `show` that caused it. */
export function startInk(onFrame: (rows: readonly string[]) => void): InkApp {
  let columns = 80;
  let app: Instance | undefined;
  let closed = false;
  const stdout = {
    // Ink asks for the width of its output, and writes to it.
    get columns() {
      return columns;
    },
    rows: 1000,
    isTTY: false,
    write(text: string, done?: unknown): boolean {
      if (typeof done === 'function') setImmediate(done as () => void);
      if (!closed && text !== '') onFrame(text.split('\n'));
      return true;
    },
    on: () => stdout,
    off: () => stdout,
  };
  const stdin = {isTTY: false, on: () => stdin, off: () => stdin, ref: () => stdin, unref: () => stdin};
  return {
    show(rows, width) {
      columns = width;
      const screen = <Screen rows={rows} />;
      if (app !== undefined) return app.rerender(screen);
      app = render(screen, {
        stdout: stdout as unknown as NodeJS.WriteStream,
        stdin: stdin as unknown as NodeJS.ReadStream,
        stderr: stdout as unknown as NodeJS.WriteStream,
        // Each frame is written whole and at once, with nothing around it, also where Ink thinks that this is CI.
        debug: true,
        exitOnCtrlC: false,
        patchConsole: false,
      });
    },
    close() {
      closed = true;
      app?.unmount();
      app = undefined;
    },
  };
}

/**
 * As many lines as the screen has, each put in when Ink writes it: to Ink the text is the same in every frame, so that it
 * is laid out and measured only when the screen gets another height. The rows fit the screen already.
 */
function Screen({rows}: {readonly rows: readonly string[]}): ReactElement {
  return <Transform transform={(_line, row) => rows[row] ?? ''}>{blankLines(rows.length)}</Transform>;
}

function blankLines(count: number): string {
  return Array.from({length: count}, () => ' ').join('\n');
}
