import {expect, test} from 'vitest';
import {defaultRoot, defaultRun, type UserPlace} from '../../../src/engine/rootless/place.ts';

const place: UserPlace = {userId: 987_654, home: '/home/ada', dataHome: undefined, runtimeDirectory: undefined};

test("root keeps everything in the machine's directories, whatever its environment says", () => {
  const root = {...place, userId: 0, dataHome: '/data', runtimeDirectory: '/run/user/0'};
  expect(defaultRoot(root)).toBe('/var/lib/tscompose');
  expect(defaultRun(root, '/var/lib/tscompose', 'abc')).toBe('/run/tscompose');
  expect(defaultRun(root, '/elsewhere', 'abc')).toBe('/run/tscompose-abc');
});

test("a user keeps everything in the user's directories; relative ones do not count", () => {
  expect(defaultRoot(place)).toBe('/home/ada/.local/share/tscompose');
  expect(defaultRoot({...place, dataHome: 'data'})).toBe('/home/ada/.local/share/tscompose');
  const own = {...place, dataHome: '/data', runtimeDirectory: '/run/mine'};
  expect(defaultRoot(own)).toBe('/data/tscompose');
  expect(defaultRun(own, '/data/tscompose', 'abc')).toBe('/run/mine/tscompose');
  expect(defaultRun(own, '/elsewhere', 'abc')).toBe('/run/mine/tscompose-abc');
  // No runtime directory, and none where it usually is.
  expect(defaultRun(place, '/elsewhere', 'abc')).toBe('/elsewhere/run');
});
