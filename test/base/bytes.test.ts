import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {formatBytes, parseBytes} from '../../src/base/bytes.ts';

describe('parseBytes', () => {
  it.each([
    ['100', 100],
    ['100b', 100],
    ['1k', 1024],
    ['1KB', 1024],
    ['1KiB', 1024],
    ['1.5 gb', 1_610_612_736],
    ['.5m', 524_288],
    ['2T', 2 * 1024 ** 4],
    ['1p', 1024 ** 5],
    ['1.7', 1],
  ])('reads %s', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each(['', 'lots', '-1', '1kk', '1ib', '1  k', 'k', '1e3', '1,5k', ' 1k'])('refuses %j', (text) => {
    expect(parseBytes(text)).toBeUndefined();
  });

  it('knows every whole number of each unit', () => {
    fc.assert(
      fc.property(fc.integer({min: 0, max: 4096}), fc.constantFrom('k', 'm', 'g'), (count, unit) => {
        expect(parseBytes(`${count}${unit}`)).toBe(count * 1024 ** ('kmg'.indexOf(unit) + 1));
      }),
    );
  });
});

it('formatBytes writes sizes for people', () => {
  expect([0, 512, 1024, 1536, 64 * 1024 ** 2, 200.4 * 1024 ** 2, 1.5 * 1024 ** 3].map(formatBytes)).toEqual([
    '0 B',
    '512 B',
    '1 KiB',
    '1.5 KiB',
    '64 MiB',
    '200 MiB',
    '1.5 GiB',
  ]);
});
