import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {didYouMean, editDistance, suggest} from '../../src/base/suggest.ts';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['abc', 'abc', 0],
    ['abc', '', 3],
    ['kitten', 'sitting', 3],
    ['ab', 'ba', 1],
    ['enviroment', 'environment', 1],
  ])('%s to %s', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it('is the same in both directions, and at most the longer length', () => {
    const word = fc.string({maxLength: 12});
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(editDistance(a, b) === 0).toBe(a === b);
      }),
    );
  });
});

describe('suggest', () => {
  const known = ['environment', 'env_file', 'image', 'ports', 'expose'];
  it.each([
    ['enviroment', 'environment'],
    ['imgae', 'image'],
    ['Image', 'image'],
    ['port', 'ports'],
    ['nothing', undefined],
    ['x', undefined],
  ])('%s', (word, expected) => {
    expect(suggest(word, known)).toBe(expected);
  });

  it('asks', () => {
    expect(didYouMean('imgae', known)).toBe('did you mean "image"?');
    expect(didYouMean('zzz', known)).toBeUndefined();
  });
});
