import {describe, test} from 'vitest';
import {makeFaultBed} from './faults/bed.ts';
import {faultCases} from './faults/cases.ts';
import {walk} from './faults/walk.ts';

const seed = Number(process.env['TSCOMPOSE_TEST_SEED'] ?? Date.now() % 1_000_000);
const level = process.env['TSCOMPOSE_TEST_LEVEL'] ?? 'ci';
const parts = level === 'long' ? 'all' : 6;

describe(`whoever is at it is killed at an operation (TSCOMPOSE_TEST_SEED=${seed})`, () => {
  test.each(faultCases)('$name', {timeout: level === 'long' ? 1_200_000 : 180_000}, async (one) => {
    await using bed = await makeFaultBed();
    await walk(bed, one, {parts, seed});
  });
});
