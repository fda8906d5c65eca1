import {createHash} from 'node:crypto';
import {mkdirSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {digestFile, digestKnown} from '../../../src/watch/files/digest.ts';
import {identityOf} from '../../../src/watch/files/entry.ts';
import {temporaryDirectory} from '../temporary-directory.ts';

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
const later = () => Date.now() + 10_000;

test('small, large and empty files: the digest of the content, with identity and mode', async () => {
  using directory = temporaryDirectory();
  const contents = {empty: '', small: 'content', large: Buffer.alloc(3_000_001, 'abc')};
  for (const [name, content] of Object.entries(contents)) {
    writeFileSync(directory.at(name), content, {mode: 0o640});
    expect(await digestFile(directory.at(name), later)).toEqual({
      identity: identityOf(statSync(directory.at(name))),
      mode: 0o640,
      sha256: sha256(content),
      settled: true,
    });
  }
});

test('what is gone or no file has none', async () => {
  using directory = temporaryDirectory();
  mkdirSync(directory.at('directory'));
  for (const name of ['nothing', 'directory', 'nothing/below'])
    expect(await digestFile(directory.at(name), later)).toBeUndefined();
});

test('a file that was written to just now may change again without a trace: it is not settled', async () => {
  using directory = temporaryDirectory();
  directory.write('a', 'a');
  const {ctimeMs} = statSync(directory.at('a'));
  expect(await digestFile(directory.at('a'), () => ctimeMs + 10)).toMatchObject({settled: false});
  expect(await digestFile(directory.at('a'), () => ctimeMs + 100)).toMatchObject({settled: true});
  // An old time of modification, as tools set it, says nothing.
  utimesSync(directory.at('a'), 1, 1);
  expect(await digestFile(directory.at('a'), () => ctimeMs + 10)).toMatchObject({settled: false});
});

test('the quick way answers only for a small, settled file that is still the one that is known', () => {
  using directory = temporaryDirectory();
  directory.write('a', 'a');
  writeFileSync(directory.at('large'), Buffer.alloc(300_000));
  const identity = (name: string) => identityOf(statSync(directory.at(name)));
  const known = identity('a');
  expect(digestKnown(directory.at('a'), known, later)).toBe(sha256('a'));
  expect(digestKnown(directory.at('a'), known, () => known.ctimeMs)).toBeUndefined();
  expect(digestKnown(directory.at('large'), identity('large'), later)).toBeUndefined();
  expect(digestKnown(directory.at('gone'), known, later)).toBeUndefined();
  directory.write('a', 'another');
  expect(digestKnown(directory.at('a'), known, later)).toBeUndefined();
});
