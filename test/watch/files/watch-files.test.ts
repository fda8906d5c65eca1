import {chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {expect, test} from 'vitest';
import {ruleFilter} from '../../../src/watch/files/filter.ts';
import type {FileEvent, FileWatcher, WatchBackend} from '../../../src/watch/files/types.ts';
import {watchFiles} from '../../../src/watch/files/watch-files.ts';
import {eventually} from '../../support/host.ts';
import {inotifyWatches} from '../../support/watching.ts';
import {type TemporaryDirectory, temporaryDirectory} from '../temporary-directory.ts';

interface Watching extends AsyncDisposable {
  readonly watcher: FileWatcher;
  readonly events: FileEvent[];
  /** Does something and waits for a hint at the place, or at a directory above it within the root. */
  hinted(path: string, act: () => void): Promise<void>;
}

async function watching(
  directory: TemporaryDirectory,
  options: {readonly backend?: WatchBackend; readonly root?: string; readonly ignore?: readonly string[]} = {},
): Promise<Watching> {
  const {backend, root = '', ignore = []} = options;
  const path = root === '' ? directory.path : directory.at(root);
  const events: FileEvent[] = [];
  const watcher = watchFiles({
    roots: [{path, filter: ruleFilter({path, ignore})}],
    onEvent: (event) => events.push(event),
    ...(backend === undefined ? {} : {backend}),
  });
  await watcher.ready;
  return {
    watcher,
    events,
    async hinted(wanted, act) {
      events.length = 0;
      act();
      const places = new Set<string>();
      for (let at = directory.at(wanted); at.length >= path.length; at = dirname(at)) places.add(at);
      await eventually(() => expect(events.filter((event) => places.has(event.path))).not.toEqual([]));
    },
    [Symbol.asyncDispose]: () => watcher.close(),
  };
}

for (const backend of ['files', 'directories'] as const) {
  test(`${backend}: whatever happens in a tree is hinted at, and nothing of what is left out`, async () => {
    using directory = temporaryDirectory();
    directory.write('a', '1');
    directory.write('deep/er/b', '1');
    directory.write('node_modules/c', '1');
    await using watch = await watching(directory, {backend, ignore: ['node_modules', '*.log']});
    const {hinted} = watch;
    await hinted('a', () => directory.write('a', 'longer'));
    await hinted('deep/er/b', () => directory.write('deep/er/b', 'longer'));
    await hinted('new/er/c', () => directory.write('new/er/c', '1'));
    // A directory that was made while it watched is watched.
    await hinted('new/er/c', () => directory.write('new/er/c', 'longer'));
    await hinted('moved', () => renameSync(directory.at('new'), directory.at('moved')));
    await hinted('moved/er/c', () => directory.write('moved/er/c', 'once more'));
    await hinted('moved/er/c', () => unlinkSync(directory.at('moved/er/c')));
    await hinted('deep', () => rmSync(directory.at('deep'), {recursive: true}));
    await hinted('deep/er/b', () => directory.write('deep/er/b', 'again there'));
    await hinted('link', () => symlinkSync('nowhere', directory.at('link')));
    await hinted('a', () => chmodSync(directory.at('a'), 0o700));
    // Replaced as editors do it.
    await hinted('a', () => {
      directory.write('a.new', 'replaced');
      renameSync(directory.at('a.new'), directory.at('a'));
    });
    await hinted('a', () => directory.write('a', 'and written to'));
    watch.events.length = 0;
    directory.write('node_modules/c', 'longer');
    directory.write('x.log', '1');
    await hinted('last', () => directory.write('last', '1'));
    expect(watch.events.filter(({path}) => path.includes('node_modules') || path.endsWith('.log'))).toEqual([]);
  });

  test(`${backend}: a root may come, go, be a file, a link, and become another`, async () => {
    using directory = temporaryDirectory();
    await using watch = await watching(directory, {backend, root: 'some/where/root'});
    const {hinted} = watch;
    const root = 'some/where/root';
    await hinted(root, () => directory.write(`${root}/a`, '1'));
    await hinted(`${root}/a`, () => directory.write(`${root}/a`, 'longer'));
    await hinted(root, () => rmSync(directory.at('some'), {recursive: true}));
    await hinted(root, () => directory.write(root, 'a file'));
    await hinted(root, () => directory.write(root, 'another content'));
    await hinted(root, () => {
      directory.write('some/where/new', 'replaced');
      renameSync(directory.at('some/where/new'), directory.at(root));
    });
    await hinted(root, () => directory.write(root, 'written to'));
    for (const name of ['v1', 'v2']) directory.write(`some/where/${name}/a`, '1');
    await hinted(root, () => {
      unlinkSync(directory.at(root));
      symlinkSync('v1', directory.at(root));
    });
    await hinted(`${root}/a`, () => writeFileSync(directory.at('some/where/v1/a'), 'longer'));
    await hinted(root, () => {
      symlinkSync('v2', directory.at('some/where/next'));
      renameSync(directory.at('some/where/next'), directory.at(root));
    });
    await hinted(`${root}/a`, () => writeFileSync(directory.at('some/where/v2/a'), 'longer'));
  });
}

test('polling: without a watch, what came, changed and went is hinted at within a second or so', async () => {
  using directory = temporaryDirectory();
  directory.write('root/a', '1');
  const before = inotifyWatches(process.pid);
  await using watch = await watching(directory, {backend: 'polling', root: 'root', ignore: ['*.log']});
  const {hinted} = watch;
  expect(inotifyWatches(process.pid)).toBe(before);
  await hinted('root/a', () => {
    directory.write('root/x.log', '1');
    directory.write('root/a', 'longer');
  });
  expect(watch.events.map(({path}) => path)).not.toContain(directory.at('root/x.log'));
  await hinted('root/new/b', () => directory.write('root/new/b', '1'));
  await hinted('root/new', () => rmSync(directory.at('root/new'), {recursive: true}));
  await hinted('root', () => {
    rmSync(directory.at('root'), {recursive: true});
    directory.write('root', 'a file');
  });
});

test('a large tree takes one watch a directory, ignored ones none, and gives them all back', async () => {
  using directory = temporaryDirectory();
  for (let place = 0; place < 200; place += 1) {
    mkdirSync(directory.at(`d${place}`));
    for (let file = 0; file < 11; file += 1) writeFileSync(directory.at(`d${place}/f${file}`), '');
    mkdirSync(directory.at(`node_modules/p${place}`), {recursive: true});
  }
  const before = inotifyWatches(process.pid);
  {
    await using watch = await watching(directory, {ignore: ['node_modules']});
    expect(watch.watcher.backend()).toBe('directories');
    // The root and what is in it.
    expect(inotifyWatches(process.pid) - before).toBe(201);
    await watch.hinted('d199/f10', () => writeFileSync(directory.at('d199/f10'), 'saved'));
    await watch.hinted('new/deep/file', () => directory.write('new/deep/file', ''));
    await eventually(() => expect(inotifyWatches(process.pid) - before).toBe(203));
    await watch.hinted('new', () => rmSync(directory.at('new'), {recursive: true}));
    await eventually(() => expect(inotifyWatches(process.pid) - before).toBe(201));
  }
  expect(inotifyWatches(process.pid)).toBe(before);
});

test('a small tree that grows large is watched by directory from then on', async () => {
  using directory = temporaryDirectory();
  directory.write('d0/first', '');
  await using watch = await watching(directory);
  expect(watch.watcher.backend()).toBe('files');
  for (let place = 0; place < 20; place += 1) {
    mkdirSync(directory.at(`d${place}`), {recursive: true});
    for (let file = 0; file < 110; file += 1) writeFileSync(directory.at(`d${place}/f${file}`), '');
  }
  await eventually(() => expect(watch.watcher.backend()).toBe('directories'), 30_000);
  // What happened while it changed is not known: everything is to be looked at.
  await eventually(() => expect(watch.events).toContainEqual({path: directory.path, overflow: true}));
  await watch.hinted('d19/f109', () => writeFileSync(directory.at('d19/f109'), 'saved'));
});

test('so many events that the kernel may have lost some are followed by a look at everything', async () => {
  using directory = temporaryDirectory();
  await using watch = await watching(directory, {backend: 'directories'});
  // In turns: the same event twice in a row is one to the kernel.
  for (let write = 0; write < 6_000; write += 1) writeFileSync(directory.at(write % 2 === 0 ? 'a' : 'b'), '');
  await eventually(() => expect(watch.events).toContainEqual({path: directory.path, overflow: true}));
  await watch.hinted('new/file', () => directory.write('new/file', ''));
});
