import {join} from 'node:path';
import {expect, test} from 'vitest';
import {execute} from '../support/host.ts';
import {startHelper} from './helper-process.ts';

interface Left {
  /** What the program drew before it ended, and what was written after. */
  readonly drawn: string;
  readonly written: string;
  /** As before the program, or, where others took the terminal meanwhile, as they left it. */
  readonly settingsAsExpected: boolean;
  readonly guardEnded: boolean;
  readonly ownGroup: boolean;
  readonly descriptors: readonly number[];
}

async function afterwards(scenario: string): Promise<Left> {
  const helper = startHelper();
  const path = await helper.path();
  await helper.close();
  const script = join(import.meta.dirname, 'guard-terminal.py');
  const {stdout, stderr} = await execute('python3', [script, path, scenario], {timeoutMs: 50_000});
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Left;
}

const plain = '\x1b[?2026l\x1b[0m\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?7h\x1b[?25h';
const drawn = '\x1b[?1049h\x1b[?25lDRAWN';

test('a terminal is put right when the program that draws on it is killed', async () => {
  expect(await afterwards('killed')).toEqual({
    drawn,
    written: `${plain}\x1b[?1049l`,
    settingsAsExpected: true,
    guardEnded: true,
    ownGroup: true,
    descriptors: [0, 1, 2, 3, 4, 5],
  });
});

test('no signal that a terminal, a shell or a session sends ends the guard', async () => {
  expect(await afterwards('signals')).toMatchObject({
    written: `${plain}\x1b[?1049l`,
    settingsAsExpected: true,
    guardEnded: true,
  });
});

test('a program that changed the settings alone: the cursor stays where it is', async () => {
  expect(await afterwards('settings-only')).toMatchObject({
    written: `${plain}\x1b[?1047l`,
    settingsAsExpected: true,
    guardEnded: true,
  });
});

test('nothing is done for a program that put everything right itself, however it ends then', async () => {
  for (const scenario of ['ended', 'idle'])
    expect(await afterwards(scenario)).toMatchObject({drawn, written: '', guardEnded: true});
});

test('a shell that was quicker keeps its settings; the screen is put right all the same', async () => {
  expect(await afterwards('shell-was-quicker')).toMatchObject({
    written: `${plain}\x1b[?1049l`,
    settingsAsExpected: true,
    guardEnded: true,
  });
});

test('a terminal that another job has by now is left alone', async () => {
  expect(await afterwards('other-job')).toMatchObject({written: '', settingsAsExpected: true, guardEnded: true});
});

test('the guard ends where the terminal is gone', async () => {
  expect(await afterwards('gone')).toMatchObject({drawn, guardEnded: true});
});
