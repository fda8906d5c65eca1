import {describe, test} from 'vitest';
import {makeFaultBed} from './faults/bed.ts';
import {faultCases} from './faults/cases.ts';
import {type Wrong, walk} from './faults/walk.ts';

const seed = Number(process.env['TSCOMPOSE_TEST_SEED'] ?? Date.now() % 1_000_000);
const level = process.env['TSCOMPOSE_TEST_LEVEL'] ?? 'ci';
const parts = level === 'long' ? 'all' : 3;

const files = 'open,openat,mkdir,mkdirat,link,linkat,symlinkat,mknodat,rename,write';

/** What the kernel refuses, by errno (errno(3)). */
const shortages: Readonly<Record<string, Wrong>> = {
  'no space left on the disk': {action: 28, calls: files, roles: 'cli,helper,monitor'},
  'too many open files': {action: 24, calls: 'open,openat', roles: 'cli,helper,monitor'},
  'no further process': {action: 11, calls: 'clone,clone3,fork,vfork', roles: 'cli,helper,monitor'},
};

const names = [
  'create',
  'start',
  'stop',
  'remove',
  'rename',
  'exec',
  'create a network',
  'create a volume',
  'load an image',
];
const cases = faultCases.filter(({name}) => names.includes(name));

describe.each(Object.entries(shortages))(`%s at an operation (TSCOMPOSE_TEST_SEED=${seed})`, (_name, wrong) => {
  test.each(cases)('$name', {timeout: level === 'long' ? 1_200_000 : 180_000}, async (one) => {
    await using bed = await makeFaultBed();
    await walk(bed, one, {parts, seed}, wrong);
  });
});
