import {Terminal} from '@xterm/headless';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {screenUpdate} from '../../../src/tui/app/screen-update.ts';

test('nothing is written where nothing differs, and only the rows that do', () => {
  expect(screenUpdate(['a', 'b'], ['a', 'b'])).toBe('');
  expect(screenUpdate(['a', 'b'], ['a', 'c'])).toBe('\x1b[?2026h\x1b[2;1H\x1b[0m\x1b[Kc\x1b[0m\x1b[?2026l');
});

test('after any updates a terminal shows the last screen', async () => {
  const row = fc.constantFrom('', 'short', '\x1b[31mred\x1b[0m', 'x'.repeat(20), '测试', '  indented');
  const screen = fc.array(row, {minLength: 5, maxLength: 5});
  await fc.assert(
    fc.asyncProperty(fc.array(screen, {minLength: 1, maxLength: 6}), async (screens) => {
      const terminal = new Terminal({cols: 20, rows: 5, allowProposedApi: true});
      let before: readonly string[] = [];
      for (const after of screens) {
        const update = screenUpdate(before, after);
        await new Promise<void>((resolve) => terminal.write(update, resolve));
        before = after;
      }
      const shown = Array.from({length: 5}, (_, index) =>
        terminal.buffer.active.getLine(index)?.translateToString(true),
      );
      expect(shown).toEqual(before.map((line) => line.replace(/\x1b\[\d+m/g, '')));
      terminal.dispose();
    }),
    {numRuns: 60},
  );
});
