import fc from 'fast-check';
import {expect, test} from 'vitest';
import {cellWidth} from '../../src/report/cells.ts';
import {wrapLine} from '../../src/report/wrap.ts';

test('a line is broken between words, and what follows is set in', () => {
  const line = 'api restarted ← src/a.ts (+2), serving after 455 ms: 41 ms sync, 380 ms to healthy';
  expect(wrapLine(line, 200)).toEqual([line]);
  expect(wrapLine(line, 40)).toEqual([
    'api restarted ← src/a.ts (+2), serving',
    '  after 455 ms: 41 ms sync, 380 ms to',
    '  healthy',
  ]);
  expect(wrapLine('  removes container shop-old-1: no service has it', 30)).toEqual([
    '  removes container',
    '    shop-old-1: no service has',
    '    it',
  ]);
  expect(wrapLine('synced a/very/long/path/that/fits/nowhere.txt', 20)).toEqual([
    'synced',
    '  a/very/long/path/t',
    '  hat/fits/nowhere.t',
    '  xt',
  ]);
});

test('no row is wider than the terminal, and no word is lost', () => {
  const word = fc.oneof(
    fc.string({minLength: 1, maxLength: 30}),
    fc.constantFrom('日本語テキスト', 'e\u0301e\u0301', '👩‍👩‍👧'),
  );
  const text = fc.array(word).map((words) => words.join(' ').replace(/[\x00-\x1f\x7f-\x9f]/g, ''));
  fc.assert(
    fc.property(text, fc.integer({min: 2, max: 100}), (line, columns) => {
      const rows = wrapLine(line, columns);
      for (const row of rows) expect(cellWidth(row)).toBeLessThanOrEqual(columns);
      const letters = (value: string) => value.replace(/ +/g, '');
      expect(letters(rows.join(''))).toBe(letters(line));
    }),
  );
});
