import {Terminal} from '@xterm/headless';
import {expect, test} from 'vitest';
import {TscomposeError} from '../../../src/base/errors.ts';
import {runUi, type UiOptions} from '../../../src/tui/app/run-ui.ts';
import type {UiWorld, WorldEffect} from '../../../src/tui/app/world.ts';
import type {LogStore} from '../../../src/tui/log-store.ts';
import type {UiEventContent} from '../../../src/tui/types.ts';
import {eventually} from '../../support/host.ts';
import {container, noColor, now, shopScene} from '../scenes.ts';
import {fakeTerminal} from './fake-terminal.ts';
import {manualTimers} from './manual-timers.ts';

interface Run {
  readonly terminal: ReturnType<typeof fakeTerminal>;
  readonly timers: ReturnType<typeof manualTimers>;
  readonly logs: LogStore;
  readonly performed: WorldEffect[];
  readonly ended: Promise<void>;
  emit(event: UiEventContent): void;
  throwUncaught(error: unknown): void;
  /** The screen as a terminal shows it. */
  screen(): Promise<string>;
}

async function start(world: Partial<UiWorld> = {}, options: Partial<UiOptions> = {}): Promise<Run> {
  const terminal = fakeTerminal({columns: 100, rows: 16});
  const timers = manualTimers();
  const {logs} = shopScene(100, 16);
  const performed: WorldEffect[] = [];
  let emit: (event: UiEventContent) => void = () => undefined;
  let uncaught: (error: unknown) => void = () => undefined;
  let following: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    following = resolve;
  });
  const ended = runUi({
    device: terminal.device,
    guard: terminal.guard,
    world: {
      async follow(tell, signal) {
        emit = tell;
        following();
        await new Promise((resolve) => signal.addEventListener('abort', resolve, {once: true}));
      },
      async perform(effect) {
        performed.push(effect);
        return undefined;
      },
      shell: async () => undefined,
      ...world,
    },
    logs,
    project: 'shop',
    command: 'tscompose',
    theme: noColor,
    timers,
    now: () => now,
    utcOffsetMinutes: () => 0,
    signal: new AbortController().signal,
    onFault(listener) {
      uncaught = listener;
      return {[Symbol.dispose]: () => undefined};
    },
    ...options,
  });
  // Whoever looks at the end looks at this promise.
  ended.catch(() => undefined);
  if (world.follow === undefined) await begun;
  return {
    terminal,
    timers,
    logs,
    performed,
    ended,
    emit: (event) => emit(event),
    throwUncaught: (error) => uncaught(error),
    async screen() {
      timers.pass(1000);
      const shown = new Terminal({cols: terminal.device.columns, rows: terminal.device.rows, allowProposedApi: true});
      await new Promise<void>((resolve) => shown.write(terminal.written(), resolve));
      const {active} = shown.buffer;
      return Array.from({length: shown.rows}, (_, row) => active.getLine(row)?.translateToString(true)).join('\n');
    },
  };
}

const stack: UiEventContent = {kind: 'stack', project: 'shop', services: [{name: 'web', wanted: 1}]};
const running: UiEventContent = {kind: 'snapshot', containers: [container('web', 1)]};

async function expectSane({terminal, ended}: Run): Promise<void> {
  await ended;
  expect(terminal.done.slice(-3)).toEqual([expect.stringMatching(/\?1049l$/), 'raw off', 'guard disarmed']);
}

test('what happens is drawn, keys are answered, and quitting gives the terminal back', async () => {
  const run = await start();
  run.emit(stack);
  run.emit(running);
  expect(await run.screen()).toContain('● 1/1 up');
  run.terminal.type('?');
  expect(await run.screen()).toContain('─ help ─');
  run.terminal.type('\x1b');
  // An escape alone is the key once nothing follows it.
  expect(await run.screen()).not.toContain('─ help ─');
  run.terminal.type('q');
  await expectSane(run);
});

test('actions are done one after the other, and their ends are shown', async () => {
  const order: string[] = [];
  let finish: () => void = () => undefined;
  const run = await start({
    async perform(effect) {
      order.push(`begin ${effect.kind}`);
      if (effect.kind === 'restart') await new Promise<void>((resolve) => (finish = resolve));
      order.push(`end ${effect.kind}`);
      if (effect.kind === 'stop') throw new TscomposeError('conflict', 'it does not stop', {hint: 'kill it'});
      return undefined;
    },
  });
  run.emit(stack);
  run.emit(running);
  run.terminal.type('rsy');
  await eventually(() => expect(order).toEqual(['begin restart']));
  expect(await run.screen()).toContain('tscompose restart web');
  finish();
  await eventually(() => expect(order).toEqual(['begin restart', 'end restart', 'begin stop', 'end stop']));
  expect(await run.screen()).toContain('✗ tscompose stop web  it does not stop (kill it)');
  run.terminal.type('q');
  await expectSane(run);
});

test('what only looks does not wait for what acts', async () => {
  const run = await start({
    perform: (effect) => (effect.kind === 'restart' ? new Promise(() => undefined) : Promise.resolve('planned')),
  });
  run.emit(stack);
  run.emit(running);
  run.terminal.type('r');
  run.terminal.type('p');
  run.terminal.type('\x1b');
  await run.screen();
  run.terminal.type('v');
  await eventually(async () => expect(await run.screen()).toContain('· planned'));
});

test('a shell gets the terminal, and the screen comes back with what it had to say', async () => {
  const seen: string[] = [];
  const run = await start({
    async shell({name}) {
      seen.push(name, ...run.terminal.done.slice(-2));
      return 'the shell ended with code 3';
    },
  });
  run.emit(stack);
  run.emit(running);
  run.terminal.type('e');
  await eventually(async () => expect(await run.screen()).toContain('the shell ended with code 3'));
  expect(seen).toEqual(['shop-web-1', 'guard disarmed', 'guard settings']);
  // Keys are heard again.
  run.terminal.type('q');
  await expectSane(run);
});

test('Ctrl-Z gives the terminal back before the process stops, and takes it again after', async () => {
  const run = await start();
  run.terminal.type('\x1a');
  await eventually(() => expect(run.terminal.done).toContain('stopped'));
  const {done} = run.terminal;
  const at = done.indexOf('stopped');
  expect(done.slice(at - 2, at + 2)).toEqual(['raw off', 'guard disarmed', 'stopped', 'guard screen']);
  run.terminal.signal('stop');
  await eventually(() => expect(done.filter((step) => step === 'stopped').length).toBe(2));
  run.terminal.type('\x03');
  await expectSane(run);
});

test('after a stop that nobody heard of the screen is set up and drawn anew', async () => {
  const run = await start();
  await run.screen();
  const before = run.terminal.done.length;
  run.terminal.signal('continued');
  await eventually(() => expect(run.terminal.done.slice(before)).toContain('guard screen'));
  expect(run.terminal.done.slice(before)[0]).toBe('raw off');
});

test('another size is drawn whole', async () => {
  const run = await start();
  run.emit(stack);
  await run.screen();
  run.terminal.resize(40, 10);
  const screen = await run.screen();
  expect(screen.split('\n').length).toBe(10);
  expect(screen).toContain('web');
});

test('a terminal that does not take what is written gets fewer frames', async () => {
  const run = await start();
  await run.screen();
  run.terminal.congested = true;
  const before = run.terminal.written();
  run.emit(stack);
  run.timers.pass(2000);
  expect(run.terminal.written()).toBe(before);
  run.terminal.congested = false;
  expect(await run.screen()).toContain('web');
});

test('while only clocks and graphs change there is a frame a second, while logs flow five', async () => {
  let clock = now;
  const run = await start({}, {now: () => clock});
  run.emit(stack);
  run.emit(running);
  run.timers.pass(3000);
  const frames = (): number => run.terminal.written().split('\x1b[?2026h').length - 1;
  const idle = frames();
  for (let ms = 0; ms < 10_000; ms += 250) {
    clock += 250;
    run.emit({kind: 'stats', samples: [{id: container('web', 1).id, cpuPercent: ms % 90, memoryBytes: ms * 1e6}]});
    run.timers.pass(250);
  }
  expect(frames() - idle).toBeGreaterThan(8);
  expect(frames() - idle).toBeLessThanOrEqual(10);
  const quiet = frames();
  for (let ms = 0; ms < 10_000; ms += 10) {
    run.logs.push({id: 'web', service: 'web', number: 1}, 'stdout', Buffer.from(`line ${ms}\n`), now + ms);
    run.emit({kind: 'logs'});
    run.timers.pass(10);
  }
  expect(frames() - quiet).toBeGreaterThan(40);
  expect(frames() - quiet).toBeLessThanOrEqual(50);
});

test('whatever is thrown, the terminal is given back first', async () => {
  const faulty = await start({
    follow: async () => {
      throw new Error('a fault of ours');
    },
  });
  await expect(faulty.ended).rejects.toThrow('a fault of ours');
  expect(faulty.terminal.done.slice(-2)).toEqual(['raw off', 'guard disarmed']);
  const uncaught = await start();
  uncaught.throwUncaught(new Error('nobody caught it'));
  await expect(uncaught.ended).rejects.toThrow('nobody caught it');
  expect(uncaught.terminal.done.slice(-2)).toEqual(['raw off', 'guard disarmed']);
});

test('a signal from outside ends it as the key does', async () => {
  const quit = new AbortController();
  const run = await start({}, {signal: quit.signal});
  quit.abort();
  await expectSane(run);
});

test('a command is copied by the terminal itself', async () => {
  const run = await start();
  run.emit(stack);
  run.emit(running);
  run.terminal.type('r');
  await eventually(() => expect(run.performed.length).toBe(1));
  run.terminal.type('y');
  expect(run.terminal.written()).toContain(`\x1b]52;c;${Buffer.from('tscompose restart web').toString('base64')}\x07`);
});

test('what is to be done first is done when the screen opens', async () => {
  const run = await start({}, {first: {kind: 'applyPlan', command: 'tscompose up -d'}});
  await eventually(() => expect(run.performed).toEqual([{kind: 'applyPlan', command: 'tscompose up -d'}]));
});
