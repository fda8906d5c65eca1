import {execFileSync} from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {ruleFilter} from '../../../src/watch/files/filter.ts';
import {openHostTree} from '../../../src/watch/files/host-tree.ts';
import type {HostTree, TreeEntry} from '../../../src/watch/files/types.ts';
import {type TemporaryDirectory, temporaryDirectory} from '../temporary-directory.ts';

const open = (path: string, ignore: readonly string[] = []) =>
  openHostTree({path, filter: ruleFilter({path, ignore})}, Date.now);
const kinds = (tree: HostTree) =>
  Object.fromEntries([...tree.manifest()].sort().map(([path, entry]) => [path, entry.kind]));
const sorted = async (paths: Promise<readonly string[]>) => [...(await paths)].sort();

test('files, directories and links as they are; what is left out, and what is none of these, is not there', async () => {
  using directory = temporaryDirectory();
  directory.write('a', 'a');
  directory.write('deep/er/b', 'b');
  directory.write('node_modules/c', 'c');
  symlinkSync('deep', directory.at('link'));
  symlinkSync('nowhere', directory.at('broken'));
  execFileSync('mkfifo', [directory.at('pipe')]);
  const tree = await open(directory.path, ['node_modules']);
  expect(kinds(tree)).toEqual({
    a: 'file',
    broken: 'link',
    deep: 'directory',
    'deep/er': 'directory',
    'deep/er/b': 'file',
    link: 'link',
  });
  expect(tree.manifest().get('link')).toEqual({kind: 'link', target: 'deep'});
});

test('a look at some places answers what differs there, with what is in new and gone directories', async () => {
  using directory = temporaryDirectory();
  directory.write('a', 'a');
  directory.write('old/b', 'b');
  const tree = await open(directory.path);
  await tree.fillDigests();
  directory.write('new/deep/c', 'c');
  rmSync(directory.at('old'), {recursive: true});
  directory.write('a', 'changed');
  directory.write('unnoticed', '');
  // A hint for the deepest one only: the directories on the way are found with it.
  const paths = ['new/deep/c', 'old', 'a'].map(directory.at);
  expect(await sorted(tree.refresh(paths))).toEqual(['a', 'new', 'new/deep', 'new/deep/c', 'old', 'old/b']);
  expect(await sorted(tree.refresh('everything'))).toEqual(['unnoticed']);
  expect(await tree.refresh('everything')).toEqual([]);
  expect(await tree.refresh([directory.at('nothing/here'), '/elsewhere'])).toEqual([]);
});

test('content counts, not times: a touch, and a file that is put back as it was, are no change', async () => {
  using directory = temporaryDirectory();
  directory.write('a', 'a');
  directory.write('b', 'b');
  const tree = await open(directory.path);
  await tree.fillDigests();
  utimesSync(directory.at('a'), new Date(), new Date());
  directory.write('b.new', 'b');
  renameSync(directory.at('b.new'), directory.at('b'));
  expect(await tree.refresh([directory.at('a'), directory.at('b')])).toEqual([]);
  utimesSync(directory.at('a'), new Date(0), new Date(0));
  expect(await tree.refresh('everything')).toEqual([]);
  chmodSync(directory.at('a'), 0o700);
  expect(await tree.refresh('everything')).toEqual(['a']);
});

test('a write within the tick of the clock for files, of the same size, is seen all the same', async () => {
  using directory = temporaryDirectory();
  for (let round = 0; round < 20; round += 1) {
    directory.write('a', 'one');
    const tree = await open(directory.path);
    await tree.fillDigests();
    directory.write('a', 'two');
    expect(await tree.refresh([directory.at('a')])).toEqual(['a']);
  }
});

test('a save is told though its content has been read before the look at it', async () => {
  using directory = temporaryDirectory();
  directory.write('a', 'one');
  directory.write('b', 'one');
  const tree = await open(directory.path);
  directory.write('a', 'another');
  directory.write('b', 'another');
  await tree.fillDigests();
  const digest = await tree.digest('b');
  expect(await tree.refresh([directory.at('a')])).toEqual(['a']);
  expect(await tree.refresh('everything')).toEqual(['b']);
  expect(await tree.digest('b')).toBe(digest);
});

test('a root that is missing, a file, a link, or replaced by another', async () => {
  using directory = temporaryDirectory();
  const path = directory.at('root');
  const tree = await open(path);
  expect(kinds(tree)).toEqual({});
  directory.write('root', 'a file');
  expect(await tree.refresh([path])).toEqual(['']);
  expect(kinds(tree)).toEqual({'': 'file'});
  directory.write('root', 'another content');
  expect(await tree.refresh([path])).toEqual(['']);
  unlinkSync(path);
  directory.write('first/a', 'a');
  directory.write('second/b', 'b');
  symlinkSync('first', path);
  expect(await sorted(tree.refresh([path]))).toEqual(['', 'a']);
  expect(kinds(tree)).toEqual({a: 'file'});
  unlinkSync(path);
  symlinkSync('second', path);
  expect(await sorted(tree.refresh([path]))).toEqual(['a', 'b']);
  expect(await tree.digest('b')).toMatch(/^[0-9a-f]{64}$/);
});

test('digests are read once, and not for what is gone', async () => {
  using directory = temporaryDirectory();
  directory.write('a', 'a');
  const tree = await open(directory.path);
  const digest = await tree.digest('a');
  expect(digest).toBe('ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb');
  unlinkSync(directory.at('a'));
  expect(await tree.digest('a')).toBe(digest);
  await tree.refresh('everything');
  expect(await tree.digest('a')).toBeUndefined();
  expect(await tree.digest('nothing')).toBeUndefined();
});

const names = ['a', 'b', 'c'];
const path = fc.array(fc.constantFrom(...names), {minLength: 1, maxLength: 3}).map((parts) => parts.join('/'));
const step = fc.oneof(
  fc.record({kind: fc.constant('write' as const), path, text: fc.constantFrom('', 'x', 'y')}),
  fc.record({kind: fc.constant('remove' as const), path}),
  fc.record({kind: fc.constant('directory' as const), path}),
  fc.record({kind: fc.constant('link' as const), path, text: fc.constantFrom('a', 'b/c', 'nowhere')}),
  fc.record({kind: fc.constant('move' as const), path, to: path}),
  fc.record({kind: fc.constant('mode' as const), path}),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Answers the places that a watcher would hint at, where links on the way lead; none where the step is not possible. */
function take(directory: TemporaryDirectory, done: Step): readonly string[] {
  try {
    const at = placeOf(directory.at(done.path));
    if (done.kind === 'write') writeFileSync(at, done.text);
    else if (done.kind === 'remove') rmSync(at, {recursive: true, force: true});
    else if (done.kind === 'directory') mkdirSync(at);
    else if (done.kind === 'link') symlinkSync(done.text, at);
    else if (done.kind === 'mode') chmodSync(at, 0o750);
    else {
      const to = placeOf(directory.at(done.to));
      renameSync(at, to);
      return [at, to];
    }
    return done.kind === 'write' || done.kind === 'mode' ? [realpathSync(at)] : [at];
  } catch {
    return [];
  }
}

function placeOf(name: string): string {
  return join(realpathSync(dirname(name)), basename(name));
}

function content(root: string, [name, entry]: readonly [string, TreeEntry]) {
  if (entry.kind !== 'file') return [name, entry];
  return [name, {kind: 'file', mode: entry.mode, text: readFileSync(join(root, name), 'utf8')}];
}

test('whatever is done, a tree that follows hints knows what one that looks anew sees', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, {minLength: 1, maxLength: 4}), {maxLength: 6}), async (batches) => {
      using directory = temporaryDirectory();
      const tree = await open(directory.path, ['c/c']);
      const known = new Map(await digests(tree));
      for (const steps of batches) {
        const hints = steps.flatMap((one) => take(directory, one));
        const changed = await tree.refresh(hints);
        const fresh = await open(directory.path, ['c/c']);
        const see = (of: HostTree) => [...of.manifest()].map((item) => content(directory.path, item)).sort();
        expect(see(tree)).toEqual(see(fresh));
        // What differs from before is told, by content.
        const now = new Map(await digests(tree));
        const differing = [...new Set([...known.keys(), ...now.keys()])].filter(
          (name) => known.get(name) !== now.get(name),
        );
        expect(changed).toEqual(expect.arrayContaining(differing));
        known.clear();
        for (const [name, digest] of now) known.set(name, digest);
      }
    }),
    {numRuns: 150},
  );
});

async function digests(tree: HostTree): Promise<readonly (readonly [string, string])[]> {
  return Promise.all(
    [...tree.manifest()].map(async ([name, entry]) => {
      if (entry.kind === 'file') return [name, `${entry.mode} ${await tree.digest(name)}`] as const;
      return [name, JSON.stringify(entry)] as const;
    }),
  );
}
