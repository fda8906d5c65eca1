import {describe, expect, it} from 'vitest';
import {checkFilters, formatFilters, knownFilters, matchesLabels, parseFilters} from '../../src/api/filters.ts';

describe('parseFilters', () => {
  it('reads the list form and the map form', () => {
    expect(parseFilters('{"label":["a=b","c"],"name":[]}')).toEqual({label: ['a=b', 'c'], name: []});
    expect(parseFilters('{"label":{"a=b":true,"c":false}}')).toEqual({label: ['a=b']});
    expect(parseFilters('')).toEqual({});
  });

  it('reads what formatFilters writes', () => {
    const filters = {label: ['a=b=c', 'ü'], status: ['running']};
    expect(parseFilters(formatFilters(filters))).toEqual(filters);
  });

  it.each([
    ['{"label":', 'parameter "filters": not valid JSON: {"label":'],
    ['["label"]', 'parameter "filters": not a map of lists: ["label"]'],
    ['{"label":"a"}', 'parameter "filters": not a map of lists: {"label":"a"}'],
    ['{"label":[1]}', 'parameter "filters": not a map of lists: {"label":[1]}'],
    ['null', 'parameter "filters": not a map of lists: null'],
  ])('refuses %s', (text, message) => {
    expect(() => parseFilters(text)).toThrow(expect.objectContaining({kind: 'invalid', message}));
  });
});

describe('checkFilters', () => {
  it('refuses a filter by name', () => {
    expect(() => checkFilters({label: [], colour: ['red']}, knownFilters.volumes)).toThrow(
      expect.objectContaining({kind: 'invalid', message: "invalid filter 'colour'"}),
    );
    checkFilters({label: ['a']}, knownFilters.volumes);
    checkFilters(undefined, knownFilters.volumes);
  });
});

describe('matchesLabels', () => {
  it.each([
    [{a: 'b'}, ['a'], true],
    [{a: 'b'}, ['a=b'], true],
    [{a: 'b'}, ['a='], false],
    [{a: ''}, ['a='], true],
    [{a: 'b=c'}, ['a=b=c'], true],
    [{a: 'b'}, ['a', 'c'], false],
    [{}, ['toString'], false],
    [null, ['a'], false],
    [null, [], true],
    [{a: 'b'}, undefined, true],
  ])('%j has %j: %s', (labels, wanted, matches) => {
    expect(matchesLabels(labels, wanted)).toBe(matches);
  });
});
