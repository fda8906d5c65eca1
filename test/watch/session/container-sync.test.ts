import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {ruleFilter} from '../../../src/watch/files/filter.ts';
import {openHostTree} from '../../../src/watch/files/host-tree.ts';
import {createContainerSync, FileGone} from '../../../src/watch/session/container-sync.ts';
import type {WatchedContainer} from '../../../src/watch/session/containers.ts';
import type {ServiceRule} from '../../../src/watch/session/rules.ts';
import {type ServiceFiles, serviceFiles} from '../../../src/watch/session/service-files.ts';
import {type TemporaryDirectory, temporaryDirectory} from '../temporary-directory.ts';
import {memoryContainer} from './memory-container.ts';

const signal = new AbortController().signal;

interface RuleParts {
  readonly path: string;
  readonly target: string;
  readonly ignore?: readonly string[];
  readonly initial?: boolean;
}

/** The files of a service with these rules, looked at now. */
async function filesOf(directory: TemporaryDirectory, rules: readonly RuleParts[]): Promise<ServiceFiles> {
  return serviceFiles(
    await Promise.all(
      rules.map(async ({path: name, target, ignore = [], initial = false}, index) => {
        const path = name === '' ? directory.path : directory.at(name);
        const rule: ServiceRule = {
          id: `api ${index}`,
          service: 'api',
          rule: {path, action: 'sync', target, ignore, include: [], initial_sync: initial},
          target,
        };
        return {rule, target, tree: await openHostTree({path, filter: ruleFilter({path, ignore})}, Date.now)};
      }),
    ),
  );
}

async function begin(
  directory: TemporaryDirectory,
  rules: readonly RuleParts[],
  parts: Partial<WatchedContainer> = {},
) {
  const memory = memoryContainer(parts);
  const files = await filesOf(directory, rules);
  const touched = new Set<string>();
  const {container, sync} = memory;
  const make = () => createContainerSync({container, sync, files: () => files, touched});
  return {
    ...memory,
    tracked: touched,
    bring: make(),
    /** As another process that begins to watch. */
    anew: make,
    look: () => Promise.all(files.rules.map(({tree}) => tree.refresh('everything'))),
  };
}

const shown = (files: ReadonlyMap<string, string>) => Object.fromEntries([...files].sort());

test('what was asked for differs and is brought in one archive; the same again is nothing', async () => {
  using directory = temporaryDirectory();
  directory.write('src/a', 'a');
  directory.write('src/deep/b', 'b');
  symlinkSync('a', directory.at('src/link'));
  const {bring, files, archives, look} = await begin(directory, [{path: 'src', target: '/app', initial: true}]);
  const everything = await bring.everything();
  expect(await bring.apply(everything, signal)).toMatchObject({written: 3, deleted: 0});
  expect(shown(files)).toEqual({'/app/a': 'a', '/app/deep': '/', '/app/deep/b': 'b', '/app/link': '-> a'});
  utimesSync(directory.at('src/a'), 1, 1);
  await look();
  expect(await bring.apply(everything, signal)).toMatchObject({written: 0, deleted: 0, changed: new Set()});
  expect(archives()).toBe(1);
  // Another mode is another file.
  chmodSync(directory.at('src/a'), 0o700);
  await look();
  expect(await bring.apply(new Set(['/app/a']), signal)).toMatchObject({written: 1});
});

test('deletes are brought too, a directory with all that is in it by one, and a path may change its kind', async () => {
  using directory = temporaryDirectory();
  directory.write('src/deep/er/b', 'b');
  directory.write('src/kind', 'a file');
  const {bring, files, look} = await begin(directory, [{path: 'src', target: '/app', initial: true}]);
  await bring.apply(await bring.everything(), signal);
  // What was never ours stays, as long as its directory does.
  files.set('/app/own', 'of the container');
  rmSync(directory.at('src/deep'), {recursive: true});
  unlinkSync(directory.at('src/kind'));
  directory.write('src/kind/now', 'a directory');
  await look();
  const outcome = await bring.apply(await bring.everything(), signal);
  expect(outcome).toMatchObject({written: 1, deleted: 2});
  expect(shown(files)).toEqual({'/app/kind': '/', '/app/kind/now': 'a directory', '/app/own': 'of the container'});
});

test('what a container was given is kept with it: another process brings only what changed meanwhile', async () => {
  using directory = temporaryDirectory();
  directory.write('src/a', 'a');
  directory.write('src/gone', 'gone');
  const {bring, anew, files, look} = await begin(directory, [{path: 'src', target: '/app', initial: true}]);
  await bring.apply(await bring.everything(), signal);
  unlinkSync(directory.at('src/gone'));
  directory.write('src/a', 'changed');
  await look();
  const next = anew();
  expect(await next.apply(await next.everything(), signal)).toMatchObject({written: 1, deleted: 1});
  expect(shown(files)).toEqual({'/app/a': 'changed'});
});

test('without initial_sync a container gets what was saved since it was made, and what its siblings got', async () => {
  using directory = temporaryDirectory();
  directory.write('src/old', 'old');
  directory.write('src/sibling', 'got by another replica');
  const createdAt = lstatSync(directory.at('src/sibling')).ctimeMs + 1;
  const {bring, tracked, files, look} = await begin(directory, [{path: 'src', target: '/app'}], {createdAt});
  tracked.add('/app/sibling').add('/app/deleted');
  directory.write('src/new', 'new');
  while (lstatSync(directory.at('src/new')).ctimeMs <= createdAt) directory.write('src/new', 'new');
  await look();
  const everything = await bring.everything();
  expect([...everything].sort()).toEqual(['/app/deleted', '/app/new', '/app/sibling']);
  await bring.apply(everything, signal);
  expect(shown(files)).toEqual({'/app/new': 'new', '/app/sibling': 'got by another replica'});
});

test('where rules overlap the later one counts, and takes its place back when it is gone', async () => {
  using directory = temporaryDirectory();
  directory.write('base/settings', 'base');
  directory.write('override/settings', 'override');
  const rules = [
    {path: 'base', target: '/app', initial: true},
    {path: 'override', target: '/app', initial: true},
  ];
  const {bring, files, look} = await begin(directory, rules);
  await bring.apply(await bring.everything(), signal);
  expect(files.get('/app/settings')).toBe('override');
  unlinkSync(directory.at('override/settings'));
  await look();
  const {changed} = await bring.apply(new Set(['/app/settings']), signal);
  expect(files.get('/app/settings')).toBe('base');
  expect([...changed].map(({id}) => id)).toEqual(['api 0']);
});

test('bound paths are there already; mount points and the way to them are never deleted', async () => {
  using directory = temporaryDirectory();
  directory.write('src/bound/a', 'a');
  directory.write('src/data/deep/cache/x', 'x');
  directory.write('src/b', 'b');
  const {bring, files, look} = await begin(directory, [{path: 'src', target: '/app', initial: true}], {
    binds: ['/app/bound'],
    mounts: ['/app/bound', '/app/data/deep'],
  });
  const {changed} = await bring.apply(await bring.everything(), signal);
  expect(changed.size).toBe(1);
  expect(shown(files)).toEqual({
    '/app/b': 'b',
    '/app/data': '/',
    '/app/data/deep/cache': '/',
    '/app/data/deep/cache/x': 'x',
  });
  rmSync(directory.at('src/data'), {recursive: true});
  rmSync(directory.at('src/bound'), {recursive: true});
  await look();
  await bring.apply(await bring.everything(), signal);
  expect(shown(files)).toEqual({'/app/b': 'b', '/app/data': '/'});
});

test('names that an archive could only mean as deletions are left out', async () => {
  using directory = temporaryDirectory();
  directory.write('src/.wh.a', 'a');
  const {bring, archives} = await begin(directory, [{path: 'src', target: '/app', initial: true}]);
  expect(await bring.apply(await bring.everything(), signal)).toMatchObject({written: 0});
  expect(archives()).toBe(0);
});

test('what failed is owed as before: nothing of it is taken for brought', async () => {
  using directory = temporaryDirectory();
  directory.write('src/a', 'a');
  const {bring, files, fail} = await begin(directory, [{path: 'src', target: '/app', initial: true}]);
  fail(new Error('no space'));
  await expect(bring.apply(new Set(['/app/a']), signal)).rejects.toThrow('no space');
  expect(await bring.apply(new Set(['/app/a']), signal)).toMatchObject({written: 1});
  expect(shown(files)).toEqual({'/app/a': 'a'});
});

test('a file that is gone when it is read is told as such', async () => {
  using directory = temporaryDirectory();
  directory.write('src/a', 'a');
  const {bring, fail} = await begin(directory, [{path: 'src', target: '/app', initial: true}]);
  const everything = await bring.everything();
  // Its content has been read before.
  fail(new Error('EIO'));
  await expect(bring.apply(everything, signal)).rejects.not.toBeInstanceOf(FileGone);
  unlinkSync(directory.at('src/a'));
  fail(new Error('ENOENT'));
  await expect(bring.apply(everything, signal)).rejects.toBeInstanceOf(FileGone);
});

const names = ['a', 'b', 'c'];
const path = fc.array(fc.constantFrom(...names), {minLength: 1, maxLength: 3}).map((parts) => parts.join('/'));
const step = fc.record({
  kind: fc.constantFrom('write', 'remove', 'directory', 'link', 'move', 'mode'),
  path,
  to: path,
  text: fc.constantFrom('x', 'y'),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function take(directory: TemporaryDirectory, {kind, path: name, to, text}: Step): void {
  const at = directory.at(`src/${name}`);
  try {
    // Links lead nowhere, so that no step goes through one.
    if (kind === 'write') directory.write(`src/${name}`, text);
    else if (kind === 'remove') rmSync(at, {recursive: true, force: true});
    else if (kind === 'directory') mkdirSync(at);
    else if (kind === 'link') symlinkSync(`nowhere-${text}`, at);
    else if (kind === 'mode') chmodSync(at, text === 'x' ? 0o700 : 0o755);
    else renameSync(at, directory.at(`src/${to}`));
  } catch {
    // Not possible as things are.
  }
}

function hostFiles(root: string, target: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(root, {withFileTypes: true}).flatMap((entry): (readonly [string, string])[] => {
      const [from, to] = [join(root, entry.name), `${target}/${entry.name}`];
      if (entry.isSymbolicLink()) return [[to, `-> ${readlinkSync(from)}`]];
      if (entry.isDirectory()) return [[to, '/'], ...Object.entries(hostFiles(from, to))];
      return [[to, readFileSync(from, 'utf8')]];
    }),
  );
}

test('whatever is done on this machine, the container has the same after each sync, at every second start too', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, {minLength: 1, maxLength: 5}), {maxLength: 6}), async (batches) => {
      using directory = temporaryDirectory();
      mkdirSync(directory.at('src'));
      const {bring, anew, files, look} = await begin(directory, [{path: 'src', target: '/app', initial: true}]);
      for (const [index, steps] of batches.entries()) {
        for (const one of steps) take(directory, one);
        const changed = (await look()).flat().map((name) => (name === '' ? '/app' : `/app/${name}`));
        if (index % 2 === 0) await bring.apply(new Set(changed), signal);
        else {
          const next = anew();
          await next.apply(await next.everything(), signal);
          await bring.apply(new Set(changed), signal);
        }
        expect(shown(files)).toEqual(Object.fromEntries(Object.entries(hostFiles(directory.at('src'), '/app')).sort()));
      }
    }),
    {numRuns: 150},
  );
});
