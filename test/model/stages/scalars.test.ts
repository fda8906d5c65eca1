import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {floatSpelling, isPlainText, resolvePlainScalar, scalarText} from '../../../src/model/stages/scalars.ts';

describe('resolvePlainScalar', () => {
  it.each([
    ['', null],
    ['~', null],
    ['Null', null],
    ['true', true],
    ['FALSE', false],
    ['yes', 'yes'],
    ['on', 'on'],
    ['12', 12],
    ['+5', 5],
    ['-0', 0],
    ['0700', 448],
    ['0o17', 15],
    ['08', 8],
    ['0x1F', 31],
    ['-0x10', -16],
    ['0b11', 3],
    ['1_000', 1000],
    ['1.50', 1.5],
    ['.5', 0.5],
    ['1.', 1],
    ['1e3', 1000],
    ['.inf', Number.POSITIVE_INFINITY],
    ['-.Inf', Number.NEGATIVE_INFINITY],
    ['12345678901234567890', '12345678901234567890'],
    ['22:22', '22:22'],
    ['1.2.3', '1.2.3'],
    ['0x', '0x'],
    ['0o8', '0o8'],
    ['-', '-'],
    ['2020-01-01', '2020-01-01'],
  ])('%j', (text, value) => {
    expect(resolvePlainScalar(text)).toBe(value);
  });

  it('agrees with isPlainText, but for numbers too long to hold', () => {
    fc.assert(
      fc.property(
        fc.string({unit: fc.constantFrom('0', '7', '9', 'x', 'o', 'e', '.', '-', '+', '_', 'a', '~'), maxLength: 12}),
        (text) => {
          expect(isPlainText(text)).toBe(resolvePlainScalar(text) === text);
        },
      ),
    );
  });
});

describe('numbers as text', () => {
  it.each([
    [1, '1'],
    [1.5, '1.5'],
    [-0, '0'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [123456.789, '123456.789'],
    [1234567.5, '1.2345675e+06'],
    [1e22, '1e+22'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [true, 'true'],
    ['x', 'x'],
  ])('%j as Go prints it', (value, text) => {
    expect(scalarText(value)).toBe(text);
  });

  it.each([
    ['1e6', 1e6, '1e+06'],
    ['1234567.0', 1_234_567, '1.234567e+06'],
    ['1000000', 1e6, undefined],
    ['100.0', 100, undefined],
    ['0x1000000', 0x1000000, undefined],
  ])('%s was written as a float, or was not', (text, value, spelling) => {
    expect(floatSpelling(text, value)).toBe(spelling);
  });
});
