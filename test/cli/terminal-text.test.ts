import {expect, test} from 'vitest';
import {safeForTerminal} from '../../src/cli/terminal-text.ts';

test.each([
  ['plain text, tabs\tand ünïcödé 漢字', 'plain text, tabs\tand ünïcödé 漢字'],
  ['\x1b[31mred\x1b[0m', '\x1b[31mred\x1b[0m\x1b[0m'],
  ['title \x1b]0;owned\x07end', 'title end'],
  ['clipboard \x1b]52;c;ZXZpbA==\x1b\\end', 'clipboard end'],
  ['unfinished \x1b]0;never closed', 'unfinished '],
  ['clear \x1b[2J\x1b[H here', 'clear  here'],
  ['8-bit \x9b2J here', '8-bit 2J here'],
  ['bell \x07 and backspace \b', 'bell  and backspace '],
  ['10%\r50%\r100%', '100%'],
  ['windows line\r', 'windows line'],
  ['split \x1b\x1b[31m attribute', 'split \x1b[31m attribute\x1b[0m'],
])('%j is shown as %j', (line, shown) => {
  expect(safeForTerminal(line, true)).toBe(shown);
});

test('without colours no escape is left', () => {
  expect(safeForTerminal('\x1b[1;31mred\x1b[0m\x1b[5A', false)).toBe('red');
});
