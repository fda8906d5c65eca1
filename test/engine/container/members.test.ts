import {expect, test} from 'vitest';
import {membersOf, type ProcessUsage, parseStat} from '../../../src/engine/container/members.ts';

const one = (pid: number, parent: number, name = 'sh'): ProcessUsage => ({
  ...{pid, parent, name},
  ...{userTicks: 0, systemTicks: 0, threads: 1},
});

test("the first process, commands in the container and all that came from them belong to it; the monitor's own do not", () => {
  const all = [
    one(5, 1),
    one(10, 1, 'tscompose-monit'),
    one(11, 10, 'tscompose-net'),
    one(12, 10, 'tscompose-write'),
    one(20, 10),
    one(23, 22),
    one(22, 20),
    one(30, 10, 'top'),
    one(40, 1),
  ];
  expect(membersOf({pid: 20, monitor: 10}, all).map(({pid}) => pid)).toEqual([20, 23, 22, 30]);
});

test('a name may hold blanks and brackets', () => {
  const text = `42 (a) S 1 (b)) R 7 42 42 0 -1 4194304 0 0 0 0 3 4 5 6 20 0 9 0 100 0 0`;
  expect(parseStat(text)).toEqual({
    ...{pid: 42, parent: 7, name: 'a) S 1 (b)'},
    ...{userTicks: 3 + 5, systemTicks: 4 + 6, threads: 9},
  });
  expect(parseStat('')).toBeUndefined();
});
