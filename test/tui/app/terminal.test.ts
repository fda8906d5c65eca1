import {expect, test} from 'vitest';
import {createAlternateScreen} from '../../../src/tui/app/terminal.ts';
import {fakeTerminal} from './fake-terminal.ts';

const entered = [
  'guard screen',
  'raw on',
  'write \\x1b[?1049h\\x1b[?25l\\x1b[?7l\\x1b[?2004h\\x1b[?1004h\\x1b[0m\\x1b[2J',
];
const left = [
  'write \\x1b[?2026l\\x1b[0m\\x1b[?1004l\\x1b[?2004l\\x1b[?7h\\x1b[?25h\\x1b[?1049l',
  'raw off',
  'guard disarmed',
];

test('the guard is armed before the screen is taken, and let go after it was given back', async () => {
  const {device, guard, done} = fakeTerminal();
  const screen = createAlternateScreen(device, guard);
  expect(screen.active).toBe(false);
  await screen.enter();
  expect([screen.active, done]).toEqual([true, entered]);
  await screen.leave();
  expect([screen.active, done]).toEqual([false, [...entered, ...left]]);
  await screen.leave();
  expect(done).toEqual([...entered, ...left]);
});

test('a program gets the terminal as it was, and the screen is taken again also where it fails', async () => {
  const {device, guard, done} = fakeTerminal();
  const screen = createAlternateScreen(device, guard);
  await screen.enter();
  const work = screen.lend(async () => {
    done.push('program');
    throw new Error('no shell');
  });
  await expect(work).rejects.toThrow('no shell');
  expect(done).toEqual([...entered, ...left, 'guard settings', 'program', 'guard disarmed', ...entered]);
  expect(screen.active).toBe(true);
});

test('after a stop by others everything is set anew', async () => {
  const {device, guard, done} = fakeTerminal();
  const screen = createAlternateScreen(device, guard);
  await screen.enter();
  await screen.enterAgain();
  expect(done).toEqual([...entered, 'raw off', ...entered]);
});
