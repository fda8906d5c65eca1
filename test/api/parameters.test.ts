import {describe, expect, it} from 'vitest';
import {flag, integer, oneOf, platformParameter, tail, unixTime} from '../../src/api/parameters.ts';

describe('flag', () => {
  it.each(['', '0', 'no', 'false', 'none', 'False', ' 0 '])('"%s" is off', (value) => {
    expect(flag.parse([value], 'all')).toBe(false);
  });
  it.each(['1', 'true', 'yes', 'anything'])('"%s" is on', (value) => {
    expect(flag.parse([value], 'all')).toBe(true);
  });
});

describe('integer', () => {
  it('reads what it writes', () => {
    for (const value of [0, -1, 65535]) expect(integer.parse([String(integer.format(value))], 't')).toBe(value);
  });
  it.each(['', '1.5', '0x10', 'ten', '1e3', '99999999999999999999'])('refuses "%s"', (value) => {
    expect(() => integer.parse([value], 't')).toThrow(
      expect.objectContaining({kind: 'invalid', message: `parameter "t": "${value}" is not a whole number`}),
    );
  });
});

describe('unixTime', () => {
  it('has seconds and a fraction', () => {
    expect(unixTime.parse(['1700000000.25'], 'since')).toBe(1700000000.25);
    expect(unixTime.parse([''], 'since')).toBe(0);
    expect(unixTime.format(1700000000)).toBe('1700000000');
    expect(unixTime.format(1700000000.25)).toBe('1700000000.250000000');
  });
  it.each(['-1', 'now', '1.', '2026-01-01'])('refuses "%s"', (value) => {
    expect(() => unixTime.parse([value], 'since')).toThrow(
      expect.objectContaining({
        kind: 'invalid',
        message: `parameter "since": "${value}" is not a time in unix seconds`,
      }),
    );
  });
});

describe('tail', () => {
  it.each([
    ['all', 'all'],
    ['', 'all'],
    ['-1', 'all'],
    ['0', 0],
    ['12', 12],
  ])('"%s" means %s', (value, expected) => {
    expect(tail.parse([value], 'tail')).toBe(expected);
  });
});

describe('oneOf', () => {
  it('names the choices', () => {
    expect(oneOf('a', 'b').parse(['b'], 'x')).toBe('b');
    expect(() => oneOf('a', 'b').parse(['c'], 'x')).toThrow('parameter "x": "c" is not one of a, b');
  });
});

it.each([
  ['linux/arm64', '{"os":"linux","architecture":"arm64"}'],
  ['linux/arm/v7', '{"os":"linux","architecture":"arm","variant":"v7"}'],
  ['arm64', '{"os":"linux","architecture":"arm64"}'],
  ['linux', '{"os":"linux","architecture":""}'],
])('a platform %s is sent as %s', (platform, sent) => {
  expect(platformParameter.format(platform)).toBe(sent);
});

it.each(['linux/arm/v7/more', 'linux/', '/arm64', 'linux//v8'])(
  '%s is no platform, and nothing is left out of it',
  (text) => {
    expect(() => platformParameter.format(text)).toThrow(
      `invalid platform "${text}": it reads os/architecture[/variant]`,
    );
  },
);
