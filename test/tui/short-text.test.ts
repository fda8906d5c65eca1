import {expect, test} from 'vitest';
import {asciiGlyphs, unicodeGlyphs} from '../../src/tui/glyphs.ts';
import {bar, sparkline} from '../../src/tui/graphs.ts';
import {clockTime, shortBytes, shortPercent, shortSpan} from '../../src/tui/short-text.ts';
import {sumLimits, sumRings} from '../../src/tui/usage.ts';

const second = 1000;
const day = 86_400 * second;

test.each([
  [-5, '0s'],
  [59.9 * second, '59s'],
  [60 * second, '1m'],
  [3599 * second, '59m'],
  [3600 * second, '1h'],
  [47.9 * 3600 * second, '47h'],
  [2 * day, '2d'],
  [999 * day, '999d'],
  [1000 * day, '2y'],
])('%i ms are %s', (ms, text) => {
  expect(shortSpan(ms)).toBe(text);
});

test.each([
  [0, '0B'],
  [999, '999B'],
  [1000, '1K'],
  [1536, '1.5K'],
  [640 * 1024, '640K'],
  [81 * 1024 ** 2, '81M'],
  [9.96 * 1024 ** 2, '10M'],
  [1.2 * 1024 ** 3, '1.2G'],
  [999.6 * 1024 ** 3, '1T'],
  [-1, '0B'],
])('%i bytes are %s', (bytes, text) => {
  expect(shortBytes(bytes)).toBe(text);
});

test('percents and times of day', () => {
  expect([0, 0.4, 12.5, 177, 1e9, -3].map(shortPercent)).toEqual(['0%', '0%', '13%', '177%', '9999%', '0%']);
  const noon = Date.UTC(2026, 0, 2, 12, 4, 31);
  expect([0, 90, -13 * 60].map((offset) => clockTime(noon, offset))).toEqual(['12:04:31', '13:34:31', '23:04:31']);
  expect(clockTime(Number.NaN, 0)).toBe('--:--:--');
});

test('a graph shows the newest samples at its right, against what is the most', () => {
  expect(sparkline([0, 25, 50, 75, 100], 5, 100, unicodeGlyphs)).toBe('▁▃▅▆█');
  expect(sparkline([1, 2, 3, 400], 2, 100, unicodeGlyphs)).toBe('▁█');
  expect(sparkline([100], 3, 100, unicodeGlyphs)).toBe('  █');
  expect(sparkline([], 3, 100, unicodeGlyphs)).toBe('   ');
  expect(sparkline([0, -1], 2, 0, unicodeGlyphs)).toBe('▁▁');
  expect(sparkline([0, 100], 2, 100, asciiGlyphs)).toBe('_@');
  expect(sparkline([1], 0, 100, unicodeGlyphs)).toBe('');
});

test('a bar shows that there is something, and is full only where it is', () => {
  const cells = (ratio: number): string =>
    bar(ratio, 4, 'memory', unicodeGlyphs)
      .map(({text}) => text)
      .join('');
  expect([0, 0.01, 0.5, 0.99, 1, 2, -1].map(cells)).toEqual(['────', '━───', '━━──', '━━━─', '━━━━', '━━━━', '────']);
});

test('the use of several containers is summed, the newest samples together', () => {
  expect(sumRings([[1, 2, 3], [10]])).toEqual([1, 2, 13]);
  expect(sumRings([])).toEqual([]);
  expect(sumLimits([1, 2])).toBe(3);
  expect(sumLimits([1, undefined])).toBeUndefined();
  expect(sumLimits([])).toBeUndefined();
});
