import {expect, test} from 'vitest';
import {TscomposeError} from '../../../src/base/errors.ts';
import type {WatchEngine} from '../../../src/watch/session/engine.ts';
import {idsOf, removeReplaced} from '../../../src/watch/session/replaced-images.ts';

/** Names by id; ids that containers need cannot be removed. */
function engineOf(names: Map<string, string>, needed: readonly string[] = []) {
  const removed: string[] = [];
  const ids = new Set(names.values());
  const engine = {
    getImage: (name: string) => ({
      async inspect() {
        const id = names.get(name) ?? name;
        if (!ids.has(id)) throw new TscomposeError('notFound', 'no such image');
        return {Id: id, RepoTags: [...names].flatMap(([tag, of]) => (of === id ? [tag] : []))};
      },
      async remove() {
        if (needed.includes(name)) throw new TscomposeError('conflict', 'a container needs it');
        removed.push(name);
      },
    }),
  } as unknown as Pick<WatchEngine, 'getImage'>;
  return {
    engine,
    removed,
    move(name: string, id: string) {
      ids.add(id);
      names.set(name, id);
    },
  };
}

test('of images whose names went elsewhere those are removed that have no other name and that nobody needs', async () => {
  const names = new Map([
    ['same', 'id1'],
    ['moved', 'id2'],
    ['named', 'id3'],
    ['more', 'id3'],
    ['needed', 'id4'],
  ]);
  const {engine, removed, move} = engineOf(names, ['id4']);
  const before = await idsOf(engine, ['same', 'moved', 'named', 'needed', 'not there yet']);
  expect([...before.keys()]).toEqual(['same', 'moved', 'named', 'needed']);
  for (const name of ['moved', 'named', 'needed']) move(name, `new ${name}`);
  await removeReplaced(engine, before);
  expect(removed).toEqual(['id2']);
});
