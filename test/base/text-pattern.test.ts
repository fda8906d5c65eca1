import fc from 'fast-check';
import {expect, test} from 'vitest';
import {compileIgnore} from '../../src/base/ignore.ts';
import {compile, matchEnd, matchEnds, type PatternPart, textMatcher} from '../../src/base/text-pattern.ts';
import {replacePattern, withoutPrefix, withoutSuffix} from '../../src/dockerfile/shell-pattern.ts';
import {compileGlob} from '../../src/engine/build/glob.ts';

const one = fc.record({one: fc.constantFrom('a', 'b', '/', '.', '[^/]', '[ab]')});
const repeated = fc.record({one: fc.constantFrom('.', '[^/]', 'a'), repeat: fc.constantFrom('*', '?')});
const place = fc.record({place: fc.constantFrom('^', '$', '\\b', '\\B')});
const simple = fc.oneof({weight: 6, arbitrary: one}, {weight: 3, arbitrary: repeated}, {weight: 1, arbitrary: place});
const maybe = fc.record({maybe: fc.array(simple, {maxLength: 3})});
const parts = fc.array(fc.oneof({weight: 5, arbitrary: simple}, {weight: 1, arbitrary: maybe}), {
  maxLength: 8,
}) as fc.Arbitrary<readonly PatternPart[]>;
const text = fc.string({unit: fc.constantFrom('a', 'b', '/', '-', '\u{1f600}'), maxLength: 10});

test('all ways at once find what a regular expression finds', () => {
  fc.assert(
    fc.property(parts, text, (pattern, value) => {
      const characters = [...value];
      const program = compile(pattern);
      const whole = matchEnd(program, characters, {from: 0, wanted: 'whole'}) !== undefined;
      expect(whole).toBe(textMatcher(pattern)(value));
      expect(matchEnds(program, characters).has(characters.length)).toBe(whole);
    }),
    {numRuns: 2_000},
  );
});

/** As the shell is usually asked: with a regular expression. */
function expressionOf(pattern: string, greedy: boolean): string {
  return [...pattern]
    .map((character) => (character === '*' ? (greedy ? '.*' : '.*?') : character === '?' ? '.' : character))
    .join('');
}

test('patterns of variables take what regular expressions take', () => {
  const pattern = fc.string({unit: fc.constantFrom('a', 'b', 'c', '*', '?'), minLength: 1, maxLength: 5});
  const value = fc.string({unit: fc.constantFrom('a', 'b', 'c'), maxLength: 9});
  fc.assert(
    fc.property(pattern, value, fc.boolean(), (wanted, given, greedy) => {
      const prefix = new RegExp(`^(?:${expressionOf(wanted, greedy)})`).exec(given)?.[0] ?? '';
      expect(withoutPrefix(given, wanted, greedy)).toBe(given.slice(prefix.length));
      const ends = Array.from({length: given.length + 1}, (_, index) => given.slice(index));
      const fitting = ends.filter((end) => new RegExp(`^(?:${expressionOf(wanted, true)})$`).test(end));
      const suffix = (greedy ? fitting[0] : fitting.at(-1)) ?? '';
      expect(withoutSuffix(given, wanted, greedy)).toBe(given.slice(0, given.length - suffix.length));
      // Stars alone find nothing behind everything, which is no place more in Go.
      const every = /[^*]/.test(wanted) && greedy;
      const expression = new RegExp(expressionOf(wanted, true), every ? 'g' : '');
      expect(replacePattern(given, wanted, '<>', greedy)).toBe(given.replace(expression, '<>'));
    }),
    {numRuns: 2_000},
  );
});

test('whatever a pattern asks for, it is answered', () => {
  const stars = `${'*a'.repeat(40)}*b`;
  const long = 'a'.repeat(2_000);
  expect(compileGlob(stars)(long)).toBe(false);
  expect(compileGlob(stars)(`${long}b`)).toBe(true);
  expect(compileIgnore([`${'**/a'.repeat(20)}*b`]).ignores('a/'.repeat(500))).toBe(false);
  expect(compileIgnore([stars]).ignores(`${long}b`)).toBe(true);
  expect(withoutPrefix(long, stars, true)).toBe(long);
  expect(withoutSuffix(long, stars, false)).toBe(long);
  expect(replacePattern(long, stars, '', true)).toBe(long);
  expect(replacePattern(`${long}bc`, stars, 'x', true)).toBe('xc');
});
