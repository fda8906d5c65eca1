import {expect, test} from 'vitest';
import {formatMap, type IdSources, idMaps, subordinateRanges} from '../../../src/engine/rootless/ids.ts';

const sources: IdSources = {
  userId: 1000,
  groupId: 100,
  userName: 'ada',
  subuid: 'bob:100000:65536\nada:165536:65536\n1000:300000:10\n',
  subgid: 'ada:165536:65536\n',
  programs: {newuidmap: '/usr/bin/newuidmap', newgidmap: '/usr/bin/newgidmap'},
};

test('root inside is the user, and subordinate ids follow from 1, by name and by number', () => {
  const maps = idMaps(sources);
  expect(formatMap(maps.users)).toBe('0 1000 1\n1 165536 65536\n65537 300000 10\n');
  expect(formatMap(maps.groups)).toBe('0 100 1\n1 165536 65536\n');
  expect(maps.programs).toEqual(sources.programs);
});

test('without the programs, or without ids of either kind, the own id is all there is', () => {
  for (const missing of [{programs: undefined}, {subuid: ''}, {subgid: 'bob:1:1\n'}]) {
    const maps = idMaps({...sources, ...missing});
    expect(formatMap(maps.users)).toBe('0 1000 1\n');
    expect(formatMap(maps.groups)).toBe('0 100 1\n');
    expect(maps.programs).toBeUndefined();
  }
});

test('lines that say nothing are passed over', () => {
  const text = '\n# comment\nada\nada:x:5\nada:5:0\n:1:1\nada:7:3';
  expect(subordinateRanges(text, {id: 1000, name: 'ada'})).toEqual([{inside: 1, outside: 7, count: 3}]);
  expect(subordinateRanges('root:1:1\n', {id: 1000, name: undefined})).toEqual([]);
});

test('a range that has ids of an earlier one is left out, as where it is there by name and by number', () => {
  const text = 'ann:100000:65536\n1000:100000:65536\nann:165535:10\nann:165536:10\n';
  expect(subordinateRanges(text, {id: 1000, name: 'ann'})).toEqual([
    {inside: 1, outside: 100_000, count: 65_536},
    {inside: 65_537, outside: 165_536, count: 10},
  ]);
});
