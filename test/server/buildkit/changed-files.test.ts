import {expect, test} from 'vitest';
import {changesOfClient} from '../../../src/server/buildkit/changed-files.ts';
import {readTar} from '../../support/read-tar.ts';
import {type ClientFile, callerOf, plainFileSync, type Sent} from './client.ts';

const never = new AbortController().signal;
const directory = (path: string): ClientFile => ({stat: {path, mode: 2 ** 31 + 0o755}});
const file = (path: string, content = path, modTime = 1e18): ClientFile => ({
  stat: {path, mode: 0o644, size: Buffer.byteLength(content), modTime},
  content,
});

async function changes(files: readonly ClientFile[], before: string | undefined) {
  const sent: Sent[] = [];
  const caller = await callerOf([plainFileSync(() => files, sent)]);
  const found = await changesOfClient({directory: 'context', caller: async () => caller}, before, never);
  return {...found, caller, asked: () => (sent[0]?.asked ?? []).map((id) => files[id]?.stat.path)};
}

test('only what is new or has another head is asked for, with the directories around it', async () => {
  const first = await changes([directory('d'), file('d/a'), file('d/b'), file('e')], undefined);
  expect(first).toMatchObject({isSame: false, removed: [], files: 4, bytes: 7});
  expect(Object.keys(await readTar(first.archive(true)))).toEqual(['d/', 'd/a', 'd/b', 'e']);
  expect(first.asked()).toEqual(['d/a', 'd/b', 'e']);
  first.caller.close();

  const same = await changes([directory('d'), file('d/a'), file('d/b'), file('e')], first.state);
  expect(same).toMatchObject({isSame: true, removed: []});
  expect(Object.keys(await readTar(same.archive(false)))).toEqual([]);
  expect(same.asked()).toEqual([]);
  same.caller.close();

  const other = await changes([directory('d'), file('d/a', 'd/A', 2e18), file('d/c'), file('e')], first.state);
  expect(other).toMatchObject({isSame: false, removed: ['d/b']});
  expect(Object.keys(await readTar(other.archive(false)))).toEqual(['d/', 'd/a', 'd/c']);
  expect(other.asked()).toEqual(['d/a', 'd/c']);
  other.caller.close();

  const all = await changes([file('e'), file('f')], first.state);
  expect(all.removed).toEqual(['d']);
  expect(Object.keys(await readTar(all.archive(true)))).toEqual(['e', 'f']);
  all.caller.close();
});

test('a further name of a file that changed is made anew; names may have any character but one', async () => {
  const name = (path: string, linkname: string): ClientFile => ({stat: {path, mode: 0o644, linkname}});
  const odd = 'a\nb "c" é';
  const first = await changes([file(odd), name('z', odd)], undefined);
  for await (const _ of first.archive(true));
  first.caller.close();
  const next = await changes([file(odd, 'other'), name('z', odd)], first.state);
  expect(next.isSame).toBe(false);
  expect(Object.keys(await readTar(next.archive(false)))).toEqual([odd, 'z']);
  next.caller.close();
});

test('attributes of a file are the same in any order', async () => {
  const [one, two] = [{'user.a': Buffer.from('1')}, {'user.b': Buffer.from('2')}];
  const withAttributes = (xattrs: Readonly<Record<string, Uint8Array>>): ClientFile => ({
    stat: {path: 'a', mode: 0o644, xattrs},
  });
  const first = await changes([withAttributes({...one, ...two})], undefined);
  first.caller.close();
  const same = await changes([withAttributes({...two, ...one})], first.state);
  expect(same.isSame).toBe(true);
  same.caller.close();
  const other = await changes([withAttributes(one)], first.state);
  expect(other.isSame).toBe(false);
  other.caller.close();
});

test('a client that is gone before it has told what there is fails the comparison', async () => {
  const caller = await callerOf([]);
  const wanted = {directory: 'context', caller: async () => caller};
  await expect(changesOfClient(wanted, undefined, never)).rejects.toThrow('unknown method');
  caller.close();
});
