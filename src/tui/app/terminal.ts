/**
 * Somebody outside this process who puts the terminal right when this process ends without doing so. Each call resolves
 * once it is in force.
 */
export interface TerminalGuard {
  /** `screen`: the other screen is on; `settings`: only the settings are other ones. */
  arm(state: 'screen' | 'settings'): Promise<void>;
  /** Everything is as it was before. */
  disarm(): Promise<void>;
  close(): void;
}

/** The terminal that the UI has, as far as it needs one. */
export interface TerminalDevice {
  readonly columns: number;
  readonly rows: number;
  /** It has not yet taken what was written: more would only pile up. */
  readonly congested: boolean;
  write(text: string): void;
  /** Keys one by one, without echo; or as they were before. */
  setRaw(on: boolean): void;
  /** Text that is typed, until disposed; while nobody listens, nothing is read. */
  onInput(listener: (text: string) => void): Disposable;
  onResize(listener: () => void): Disposable;
  /** Stops the process group as Ctrl-Z does, and resolves once it was continued (or could not be stopped). */
  stop(): Promise<void>;
  /** Somebody else tells the process to stop as Ctrl-Z does, or has continued it; not heard during `stop`. */
  onJobControl(listeners: {readonly stop: () => void; readonly continued: () => void}): Disposable;
}

/** Alternate screen; no cursor; no wrapping; bracketed paste; focus reports. */
const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h\x1b[?1004h\x1b[0m\x1b[2J';
const leave = '\x1b[?2026l\x1b[0m\x1b[?1004l\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l';

/** The alternate screen of a terminal, which is left and entered again as often as needed. */
export interface AlternateScreen {
  readonly active: boolean;
  enter(): Promise<void>;
  leave(): Promise<void>;
  /** After the process was stopped and continued by others: whoever had the terminal meanwhile may have set anything. */
  enterAgain(): Promise<void>;
  /** Lets a program use the terminal that reads keys itself and is drawn on the main screen. */
  lend<T>(work: () => Promise<T>): Promise<T>;
}

export function createAlternateScreen(device: TerminalDevice, guard: TerminalGuard): AlternateScreen {
  let active = false;
  const begin = async (): Promise<void> => {
    await guard.arm('screen');
    device.setRaw(true);
    device.write(enter);
    active = true;
  };
  const end = async (): Promise<void> => {
    if (!active) return;
    active = false;
    device.write(leave);
    device.setRaw(false);
    await guard.disarm();
  };
  return {
    get active() {
      return active;
    },
    enter: begin,
    leave: end,
    async enterAgain() {
      device.setRaw(false);
      await begin();
    },
    async lend(work) {
      await end();
      await guard.arm('settings');
      try {
        return await work();
      } finally {
        await guard.disarm();
        await begin();
      }
    },
  };
}
