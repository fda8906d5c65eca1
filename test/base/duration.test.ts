import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {formatDuration, parseDuration} from '../../src/base/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['1s', 1e9],
    ['1m30s', 90e9],
    ['1h5m30s20ms', 3_930_020_000_000],
    ['1.5s', 1.5e9],
    ['.5h', 1800e9],
    ['2w3d', 17 * 86_400e9],
    ['250us', 250_000],
    ['250µs', 250_000],
    ['250μs', 250_000],
    ['1ns', 1],
    ['0', 0],
    ['-1s', -1e9],
    ['1m1m', 120e9],
    ['0.1s', 1e8],
  ])('reads %s', (text, nanoseconds) => {
    expect(parseDuration(text)).toEqual({ok: true, nanoseconds});
  });

  it.each([
    ['10', 'a number has no unit'],
    ['', 'it is empty'],
    ['1x', '"x" is not a unit of time'],
    ['soon', 'cannot read "soon"'],
    ['1s ', 'cannot read " "'],
    ['1 s', 'a number has no unit'],
  ])('refuses %j', (text, reason) => {
    expect(parseDuration(text)).toEqual({ok: false, reason});
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [90e9, '1m30s'],
    [3600e9, '1h0m0s'],
    [1.5e9, '1.5s'],
    [300e6, '300ms'],
    [1500, '1.5µs'],
    [7, '7ns'],
    [-90e9, '-1m30s'],
    [694_861_001_001_001, '193h1m1.001001001s'],
  ])('prints %d as Go does', (nanoseconds, text) => {
    expect(formatDuration(nanoseconds)).toBe(text);
  });

  it('prints what reads as the same', () => {
    fc.assert(
      fc.property(fc.integer({min: -(2 ** 52), max: 2 ** 52}), (nanoseconds) => {
        expect(parseDuration(formatDuration(nanoseconds))).toEqual({ok: true, nanoseconds});
      }),
    );
  });
});
