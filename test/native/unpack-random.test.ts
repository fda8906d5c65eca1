import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import * as fc from 'fast-check';
import {expect, test} from 'vitest';
import {makeTar, type RawEntry} from '../support/archive.ts';
import {unpack} from './helper-process.ts';

/** Names and links over few words, so that they meet each other. `OUT` becomes the path of what must not be touched. */
const word = fc.constantFrom('a', 'b', 'c');
const odd = fc.constantFrom('..', '.', '.wh.a', '.wh.b', '.wh..wh..opq', '');
const path = fc
  .array(fc.oneof({weight: 12, arbitrary: word}, {weight: 1, arbitrary: odd}), {minLength: 1, maxLength: 3})
  .map((words) => words.join('/'));
const link = fc.oneof(
  path,
  fc.constantFrom('OUT', 'OUT/kept', '/', '../outside', '../../outside', 'a/../..', '/a', '..'),
);
const entry: fc.Arbitrary<RawEntry> = fc.record({
  name: path,
  type: fc.constantFrom('0', '0', '1', '2', '2', '3', '5', '5', '5', '6'),
  link,
  mode: fc.constantFrom(0o644, 0o777, 0o4755, 0),
  uid: fc.constantFrom(0, 1000),
  data: fc.constantFrom('', 'x'),
  major: fc.constantFrom(0, 1),
  minor: fc.constantFrom(0, 3),
});

const listing = (directory: string) =>
  execFileSync('find', [directory, '-printf', '%P %y %m %U %G %s %n %T@ %C@ %l\n'], {encoding: 'utf8'});

test('whatever an archive holds, nothing outside of the destination changes', {timeout: 600_000}, async () => {
  const base = mkdtempSync(join(tmpdir(), 'tscompose-random-'));
  const outside = join(base, 'outside');
  const lower = join(base, 'lower');
  mkdirSync(join(outside, 'a/b'), {recursive: true});
  writeFileSync(join(outside, 'kept'), 'kept');
  mkdirSync(join(lower, 'a/b'), {recursive: true});
  writeFileSync(join(lower, 'a/c'), 'lower');
  symlinkSync(outside, join(lower, 'b'));
  symlinkSync('/a', join(lower, 'c'));
  const before = [listing(outside), listing(lower)];
  let number = 0;
  let unpacked = 0;
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, {minLength: 1, maxLength: 8}), fc.boolean(), async (entries, stacked) => {
        const target = join(base, `target-${number++}`);
        const real = entries.map((each) => ({...each, link: each.link?.replace('OUT', outside) ?? ''}));
        const answer = await unpack(makeTar(real), target, {lowers: stacked ? [lower] : []});
        if (answer.ok) unpacked++;
        expect(answer.ok ?? answer.error?.kind).toSatisfy(
          (what) =>
            what === true || ['invalid', 'unsupported', 'notFound', 'forbidden', 'conflict'].includes(String(what)),
        );
        expect([listing(outside), listing(lower)]).toEqual(before);
        rmSync(target, {recursive: true});
      }),
      {numRuns: 300},
    );
    // Most random archives are refused early: enough must come through for the test to say something.
    expect(unpacked).toBeGreaterThan(10);
  } finally {
    rmSync(base, {recursive: true, force: true});
  }
});
