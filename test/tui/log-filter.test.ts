import {expect, test} from 'vitest';
import {readMatcher} from '../../src/tui/log-filter.ts';
import type {LogLevel} from '../../src/tui/types.ts';

const finds = (typed: string, text: string, level: LogLevel = 'none'): boolean | undefined =>
  readMatcher(typed)?.test({text, level});

test.each([
  ['pool', 'POOL timeout', true],
  ['Pool', 'POOL timeout', false],
  ['!pool', 'pool', false],
  ['!pool', 'other', true],
  ['a.c', 'abc', false],
  ['(', 'f(x)', true],
  ['/a.c/', 'abc', true],
  ['/GET|POST/', 'PUT', false],
  ['/(/', 'a /(/ b', true],
  ['!/^GET/', 'GET x', false],
  ['é', 'É', true],
  ['👩', 'x 👩 y', true],
] as const)('%s in "%s": %s', (typed, text, found) => {
  expect(finds(typed, text)).toBe(found);
});

test('a level finds that or worse', () => {
  const levels = ['error', 'warning', 'info', 'debug', 'none'] as const;
  expect(levels.filter((level) => finds('level:warn', '', level))).toEqual(['error', 'warning']);
  expect(levels.filter((level) => finds('!level:info', '', level))).toEqual(['debug', 'none']);
  expect(finds('level:nonsense', 'level:nonsense')).toBe(true);
});

test('nothing typed is nothing searched', () => {
  expect([readMatcher(''), readMatcher('!')]).toEqual([undefined, undefined]);
});

test('a matcher can be asked again and again, and says where it matches', () => {
  const matcher = readMatcher('ab');
  expect([1, 2, 3].map(() => matcher?.test({text: 'xab', level: 'none'}))).toEqual([true, true, true]);
  expect(matcher?.places('abxAB')).toEqual([
    {start: 0, end: 2},
    {start: 3, end: 5},
  ]);
  expect(readMatcher('/x*/')?.places('ax')).toEqual([{start: 1, end: 2}]);
  expect(readMatcher('level:error')?.places('error')).toEqual([]);
});
