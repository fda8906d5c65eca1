import fc from 'fast-check';
import {expect, test} from 'vitest';
import {breakText, cellsOf, cutCells, indexOfCell, safeText} from '../../src/tui/cells.ts';
import {fillLine, finishLine, lineCells, sliceLine, span, spreadLine, wrapLine} from '../../src/tui/line.ts';
import type {Line} from '../../src/tui/types.ts';
import {anyText} from './any-text.ts';

const text = (line: Line): string => line.map((piece) => piece.text).join('');

test.each([
  ['abc', 3],
  ['测试', 4],
  ['e\u0301', 1],
  ['👩', 2],
  ['ꀀ', 2],
  ['', 0],
])('%j takes %i cells', (value, cells) => {
  expect(cellsOf(value)).toBe(cells);
});

test.each([
  ['abcdef', 4, 'abc…'],
  ['abcd', 4, 'abcd'],
  ['测试试', 4, '测…'],
  ['测试', 3, '测…'],
  ['测', 1, '…'],
  ['e\u0301e\u0301e\u0301', 2, 'e\u0301…'],
  ['abc', 0, ''],
])('%j in %i cells is %j', (value, width, shown) => {
  expect(cutCells(value, width)).toBe(shown);
});

test('an index never parts a letter from its marks', () => {
  expect(indexOfCell('e\u0301x', 1)).toBe(2);
  expect(indexOfCell('测试', 3)).toBe(1);
});

test('text is broken between words, else where the row is full; the blank between is in no row', () => {
  const rows = (value: string, width: number, after = width): readonly string[] =>
    breakText(value, width, after).map(({start, end}) => value.slice(start, end));
  expect(rows('one two three', 7)).toEqual(['one two', 'three']);
  expect(rows('one two three', 8)).toEqual(['one two ', 'three']);
  expect(rows('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
  expect(rows('abcdefghij', 4, 3)).toEqual(['abcd', 'efg', 'hij']);
  expect(rows('测试测', 2)).toEqual(['测', '试', '测']);
  expect(rows('测', 1)).toEqual(['测']);
  expect(rows('', 5)).toEqual(['']);
});

test('any text in rows: nothing but blanks is lost, none is wider than it may be', () => {
  fc.assert(
    fc.property(anyText.map(safeText), fc.integer({min: 2, max: 30}), (value, width) => {
      const rows = breakText(value, width).map(({start, end}) => value.slice(start, end));
      expect(rows.join('').replaceAll(' ', '')).toBe(value.replaceAll(' ', ''));
      for (const row of rows) expect(cellsOf(row)).toBeLessThanOrEqual(width);
    }),
  );
});

test('lines are filled, cut, spread, sliced and wrapped by cells', () => {
  const line: Line = [span('测试', 'good'), span(' words')];
  expect(text(fillLine(line, 12, '…'))).toBe('测试 words  ');
  expect(text(fillLine(line, 7, '…'))).toBe('测试 w…');
  // A wide character that has no room leaves a blank.
  expect(text(fillLine(line, 4, '…'))).toBe('测… ');
  expect(text(spreadLine(line, [span('end')], 16, '…'))).toBe('测试 words   end');
  expect(text(spreadLine(line, [span('end')], 12, '…'))).toBe('测试 words  ');
  expect(sliceLine(line, 1, 4)).toEqual([
    {text: '试', style: 'good'},
    {text: ' w', style: 'plain'},
  ]);
  expect(wrapLine([span('  a long line', 'dim')], 9).map(text)).toEqual(['  a long ', '    line']);
  expect(wrapLine(line, 20)).toEqual([line]);
});

test('the last look takes out what is not safe, and cuts', () => {
  const raw: Line = [
    {text: 'a\x1b[2J', style: 'plain'},
    {text: '', style: 'dim'},
    {text: 'b'.repeat(10), style: 'plain'},
  ];
  const done = finishLine(raw, 8, '…');
  expect([text(done), lineCells(done)]).toEqual(['a^[[2Jb…', 8]);
});
