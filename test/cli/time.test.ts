import {expect, test} from 'vitest';
import {parseTime} from '../../src/cli/time.ts';

const now = Date.parse('2026-03-04T05:06:07.500Z');

test.each([
  ['1772600000', 1772600000],
  ['1772600000.25', 1772600000.25],
  ['0s', now / 1000],
  ['10m', now / 1000 - 600],
  ['1h30m', now / 1000 - 5400],
  ['500ms', now / 1000 - 0.5],
  ['2d', now / 1000 - 172_800],
  ['-10s', now / 1000 + 10],
  ['2026-01-02T03:04:05Z', Date.parse('2026-01-02T03:04:05Z') / 1000],
  ['2026-01-02T03:04:05.678+02:00', Date.parse('2026-01-02T01:04:05.678Z') / 1000],
  ['2026-01-02T03:04', new Date(2026, 0, 2, 3, 4).getTime() / 1000],
  ['2026-01-02', new Date(2026, 0, 2).getTime() / 1000],
])('%s', (text, seconds) => {
  expect(parseTime(text, now)).toBeCloseTo(seconds, 6);
});

test.each(['yesterday', '', '2026-13-01', '2026-01-02T', '10x', '2026-01-02 03:04:05'])('"%s" is no time', (text) => {
  expect(() => parseTime(text, now)).toThrow(
    expect.objectContaining({
      exitCode: 64,
      message: `"${text}" is not a time: expected 2026-01-02T03:04:05Z, unix seconds, or 10m for ten minutes ago`,
    }),
  );
});
