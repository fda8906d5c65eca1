import fc from 'fast-check';
import {expect, test} from 'vitest';
import {isSafe} from '../../src/tui/cells.ts';
import {plainColor, readColor, writeColor} from '../../src/tui/log-color.ts';
import {readLogText} from '../../src/tui/log-text.ts';
import {anyText} from './any-text.ts';

test.each([
  ['plain', 'plain', []],
  [
    '\x1b[31mred\x1b[0m plain',
    'red plain',
    [
      {start: 0, sgr: '31'},
      {start: 3, sgr: ''},
    ],
  ],
  ['a\x1b[1m\x1b[4mb', 'ab', [{start: 1, sgr: '1;4'}]],
  ['a\x1b[31m\x1b[0mb', 'ab', []],
  ['\x1b[31mred\x1b[K\x1b[2Jmore', 'redmore', [{start: 0, sgr: '31'}]],
  ['10%\r50%\r100%', '100%', []],
  ['old\x1b[2K\x1b[1Gnew', 'new', []],
  ['windows\r', 'windows', []],
  ['a\tb', 'a       b', []],
  [
    '\x1b[32ma\x1b[0m\tb',
    'a       b',
    [
      {start: 0, sgr: '32'},
      {start: 1, sgr: ''},
    ],
  ],
  ['title \x1b]0;owned\x07end', 'title end', []],
  ['clipboard \x1b]52;c;ZXZpbA==\x1b\\end', 'clipboard end', []],
  ['link \x1b]8;;http://x\x1b\\text\x1b]8;;\x1b\\', 'link text', []],
  ['never closed \x1b]0;x', 'never closed ', []],
  ['cut off \x1b[3', 'cut off ', []],
  ['8 bit \x9b2J\x9d0;x\x9cend', '8 bit end', []],
  ['bell \x07 delete \x7f', 'bell ^G delete ^?', []],
  ['zero\0', 'zero^@', []],
  ['joined 👩‍👧 skin 👍🏽', 'joined 👩👧 skin 👍', []],
  ['right to left \u202e mark', 'right to left  mark', []],
  ['half \ud800 pair', 'half \ufffd pair', []],
])('%j is shown as %j', (raw, text, colors) => {
  expect(readLogText(raw)).toEqual({text, colors});
});

test('whatever was written, the text is safe and its looks are in order', () => {
  fc.assert(
    fc.property(anyText, (raw) => {
      const {text, colors} = readLogText(raw);
      expect(isSafe(text)).toBe(true);
      for (const [index, {start, sgr}] of colors.entries()) {
        expect(start).toBeGreaterThanOrEqual(colors[index - 1]?.start ?? 0);
        expect(start).toBeLessThan(text.length);
        expect(sgr).toMatch(/^[\d;]*$/);
      }
    }),
    {numRuns: 2000},
  );
});

test.each([
  ['1;31', '1;31'],
  ['', ''],
  ['31;0;32', '32'],
  ['38;5;208', '38;5;208'],
  ['38:2::10:20:30', '38;2;10;20;30'],
  ['48;2;1;2;3;1', '1;48;2;1;2;3'],
  ['38;5;256', ''],
  ['38;5', ''],
  ['1;3;22', '3'],
  ['97;107', '97;107'],
  ['31;41;39;49', ''],
  // Blinking, hidden and unknown ones are not passed on.
  ['5;6;8;21;53;73;99', ''],
])('the attributes %j are passed on as %j', (parameters, written) => {
  expect(writeColor(readColor(plainColor, parameters))).toBe(written);
});
