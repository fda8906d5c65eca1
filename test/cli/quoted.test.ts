import {expect, test} from 'vitest';
import {quoted} from '../../src/cli/quoted.ts';

// What Go's strconv.Quote makes of them.
test.each([
  [`sh -c 'trap "exit 3`, `"sh -c 'trap \\"exit 3"`],
  ['a\nb\tc\\', '"a\\nb\\tc\\\\"'],
  ['\x1b[31mré😀…', '"\\x1b[31mré😀…"'],
  ['\u0085\u{e0001}', '"\\u0085\\U000e0001"'],
])('%j in quotes', (text, expected) => {
  expect(quoted(text)).toBe(expected);
});
