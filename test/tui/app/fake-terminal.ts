import type {TerminalDevice, TerminalGuard} from '../../../src/tui/app/terminal.ts';

export interface FakeTerminal {
  readonly device: TerminalDevice;
  readonly guard: TerminalGuard;
  /** What was done to it, in order; escapes written out. */
  readonly done: string[];
  /** All that was written. */
  written(): string;
  type(text: string): void;
  resize(columns: number, rows: number): void;
  /** Somebody else stops the process, or lets it go on. */
  signal(which: 'stop' | 'continued'): void;
  congested: boolean;
}

/** A terminal that remembers what it was told. */
export function fakeTerminal(size = {columns: 80, rows: 24}): FakeTerminal {
  const done: string[] = [];
  const inputs = new Set<(text: string) => void>();
  const resizes = new Set<() => void>();
  const jobs = new Set<{readonly stop: () => void; readonly continued: () => void}>();
  let {columns, rows} = size;
  let written = '';
  const listen = <T>(set: Set<T>, listener: T): Disposable => {
    set.add(listener);
    return {[Symbol.dispose]: () => void set.delete(listener)};
  };
  const fake: FakeTerminal = {
    done,
    congested: false,
    written: () => written,
    type: (text) => {
      for (const listener of inputs) listener(text);
    },
    resize(nextColumns, nextRows) {
      columns = nextColumns;
      rows = nextRows;
      for (const listener of resizes) listener();
    },
    signal: (which) => {
      for (const listeners of jobs) listeners[which]();
    },
    device: {
      get columns() {
        return columns;
      },
      get rows() {
        return rows;
      },
      get congested() {
        return fake.congested;
      },
      write(text) {
        written += text;
        done.push(`write ${text.replaceAll('\x1b', '\\x1b')}`);
      },
      setRaw: (on) => void done.push(`raw ${on ? 'on' : 'off'}`),
      onInput: (listener) => listen(inputs, listener),
      onResize: (listener) => listen(resizes, listener),
      async stop() {
        done.push('stopped');
      },
      onJobControl: (listeners) => listen(jobs, listeners),
    },
    guard: {
      arm: async (state) => void done.push(`guard ${state}`),
      disarm: async () => void done.push('guard disarmed'),
      close: () => void done.push('guard closed'),
    },
  };
  return fake;
}
