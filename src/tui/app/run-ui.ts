import {setMaxListeners} from 'node:events';
import {reduceKey} from '../keys.ts';
import type {LogStore} from '../log-store.ts';
import {initialUiState, reduceUi} from '../reduce.ts';
import {renderLines} from '../render.ts';
import type {Key, Target, Theme, UiEffect, UiEventContent, UiState} from '../types.ts';
import {view} from '../view.ts';
import {createActionQueue, describe} from './action-queue.ts';
import {createInputReader} from './input.ts';
import {createPacer, type Timers} from './pacer.ts';
import {screenUpdate} from './screen-update.ts';
import {createAlternateScreen, type TerminalDevice, type TerminalGuard} from './terminal.ts';
import type {UiWorld, WorldEffect} from './world.ts';

export interface UiOptions {
  readonly device: TerminalDevice;
  readonly guard: TerminalGuard;
  readonly world: UiWorld;
  readonly logs: LogStore;
  readonly project: string;
  readonly command: string;
  readonly theme: Theme;
  readonly timers: Timers;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly utcOffsetMinutes: () => number;
  /** Is done when the screen opens. */
  readonly first?: WorldEffect;
  /** Ends the UI as the key to quit does. */
  readonly signal: AbortSignal;
  /** Calls back for what was thrown where nobody caught it, until disposed. */
  readonly onFault: (listener: (error: unknown) => void) => Disposable;
}

const tickMs = 1000;

/** Draws, reads keys and follows the world until somebody quits. Whatever happens, the terminal is as before then. */
export async function runUi(options: UiOptions): Promise<void> {
  const {device, world, logs, theme, timers, now} = options;
  // The only part that is a module of its own (scripts/build.mjs): nobody else pays for Ink.
  const {startInk} = await import('./ink-compat.tsx');
  const screen = createAlternateScreen(device, options.guard);
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, options.signal]);
  // Every sleep and every request to the engine ends with it: many at a time are no leak.
  setMaxListeners(0, signal);
  let state: UiState = initialUiState({
    project: options.project,
    command: options.command,
    columns: device.columns,
    rows: device.rows,
  });
  let shown: readonly string[] = [];
  let fault: {readonly error: unknown} | undefined;
  let transition = Promise.resolve();

  const fail = (error: unknown): void => {
    fault ??= {error};
    over.abort();
  };
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      fail(error);
    }
  };
  const ink = startInk((rows) => {
    const update = screenUpdate(shown, rows);
    if (update !== '') device.write(update);
    shown = rows;
  });
  const draw = (): void => {
    if (!screen.active || signal.aborted) return;
    // A slow line gets fewer frames, not older ones.
    if (device.congested) {
      pacer.request('soon');
      return;
    }
    const {columns, rows} = state;
    const utcOffsetMinutes = options.utcOffsetMinutes();
    const lines = view(state, logs, {columns, rows, now: now(), theme, utcOffsetMinutes});
    ink.show(renderLines(lines, theme), columns);
  };
  using pacer = createPacer(timers, () => guarded(draw));
  const drawAnew = (): void => {
    shown = [];
    if (screen.active) device.write('\x1b[0m\x1b[2J');
    pacer.request('now');
  };

  const emit = (event: UiEventContent): void =>
    guarded(() => {
      if (event.kind === 'logs') return pacer.request('soon');
      const next = reduceUi(state, {time: now(), ...event});
      if (next === state) return;
      state = next;
      // Graphs go on with the clock.
      pacer.request(event.kind === 'resize' ? 'now' : event.kind === 'stats' ? 'clock' : 'soon');
    });
  const notice = (text: string, level: 'info' | 'error' = 'info'): void => emit({kind: 'notice', level, text});

  /** The screen goes to and fro one step at a time. */
  const change = (work: () => Promise<void>): void => {
    transition = transition.then(work).catch(fail);
  };
  const measure = (): void => emit({kind: 'resize', columns: device.columns, rows: device.rows});
  const suspend = (): void =>
    change(async () => {
      if (!screen.active) return;
      await screen.leave();
      await device.stop();
      await screen.enter();
      measure();
      drawAnew();
    });
  const shell = (target: Target & {readonly kind: 'replica'}): void =>
    change(async () => {
      if (signal.aborted) return;
      reading[Symbol.dispose]();
      let said: string | undefined;
      await screen.lend(async () => {
        said = await world.shell(target).catch((error: unknown) => describe(error));
      });
      reading = device.onInput(onInput);
      measure();
      drawAnew();
      if (said !== undefined) notice(said, 'error');
    });

  const actions = createActionQueue(world, emit, signal);
  const perform = (effect: UiEffect): void => {
    switch (effect.kind) {
      case 'quit':
        over.abort();
        return;
      case 'suspend':
        suspend();
        return;
      case 'redraw':
        drawAnew();
        return;
      case 'exec':
        shell(effect.target);
        return;
      case 'copy':
        // OSC 52: the terminal has the clipboard, also at the other end of ssh.
        device.write(`\x1b]52;c;${Buffer.from(effect.text).toString('base64')}\x07`);
        notice(`copied: ${effect.text}`);
        return;
      default:
        actions.take(effect);
        return;
    }
  };
  const onKey = (key: Key): void => {
    const result = reduceKey(state, key, logs);
    const changed = result.state !== state;
    state = result.state;
    if (changed) pacer.request('now');
    result.effects.forEach(perform);
  };

  const input = createInputReader(timers, (read) =>
    guarded(() => {
      if (read.kind === 'focus') emit({kind: 'terminalFocus', focused: read.focused});
      else onKey(read.key);
    }),
  );
  const onInput = (text: string): void => guarded(() => input.push(text));
  const tick = (): Disposable =>
    timers.after(tickMs, () => {
      ticking = tick();
      pacer.request('clock');
    });

  using _fault = options.onFault(fail);
  await screen.enter();
  let reading = device.onInput(onInput);
  let ticking = tick();
  using _resize = device.onResize(() => {
    measure();
    guarded(drawAnew);
  });
  using _jobs = device.onJobControl({
    stop: suspend,
    // It was stopped without a word (SIGSTOP), and whoever had the terminal since may have changed anything.
    continued: () =>
      change(async () => {
        if (!screen.active) return;
        await screen.enterAgain();
        measure();
        drawAnew();
      }),
  });
  pacer.request('now');
  const following = world.follow(emit, signal).catch((error: unknown) => {
    if (!signal.aborted) fail(error);
  });
  if (options.first !== undefined) actions.take(options.first);
  try {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, {once: true}));
  } finally {
    ticking[Symbol.dispose]();
    input[Symbol.dispose]();
    ink.close();
    await transition;
    reading[Symbol.dispose]();
    await screen.leave();
    over.abort();
  }
  if (fault !== undefined) throw fault.error;
  await Promise.all([following, actions.settled()]);
}
