import {expect, test} from 'vitest';
import type {BuildPruning} from '../../../src/api/types/prune.ts';
import type {BuildCacheRow} from '../../../src/api/types/system.ts';
import type {Builds} from '../../../src/engine/engine.ts';
import {diskUsage, pruneKept} from '../../../src/server/buildkit/kept-records.ts';
import type {Message} from '../../../src/server/buildkit/messages.ts';

const row = (ID: string, more: Partial<BuildCacheRow> = {}): BuildCacheRow => ({
  ...{ID, Parents: null, Type: 'regular', Description: `RUN ${ID}`, InUse: false, Shared: false, Size: 7},
  ...{CreatedAt: '2026-01-02T03:04:05.5Z', LastUsedAt: null, UsageCount: 1},
  ...more,
});
const rows = [row('aa'), row('ab', {Shared: true}), row('mount', {Type: 'exec.cachemount'})];
const request: Message<'PruneRequest'> = {
  filter: [],
  all: false,
  keepDuration: 0,
  reservedSpace: 0,
  maxUsedSpace: 0,
  minFreeSpace: 0,
};

function keeping() {
  const asked: BuildPruning[] = [];
  const builds: Pick<Builds, 'usage' | 'prune'> = {
    usage: async () => rows,
    async prune(pruning) {
      asked.push(pruning);
      return {CachesDeleted: pruning.filters['id'] ?? ['aa'], SpaceReclaimed: 7};
    },
  };
  return {asked, builds};
}

test('filters choose as containerd writes them', async () => {
  const ids = async (...filters: readonly string[]) =>
    (await diskUsage(keeping().builds, filters)).record?.map(({id}) => id);
  expect(await ids()).toEqual(['aa', 'ab', 'mount']);
  expect(await ids('')).toEqual(['aa', 'ab', 'mount']);
  expect(await ids('type==regular')).toEqual(['aa', 'ab']);
  expect(await ids('type==regular,private')).toEqual(['aa']);
  expect(await ids('id~=^a,shared==true')).toEqual(['ab']);
  expect(await ids('id==aa', 'mutable')).toEqual(['aa', 'mount']);
  expect(await ids('description=="RUN aa"')).toEqual(['aa']);
  await expect(ids('color==red')).rejects.toMatchObject({kind: 'invalid', message: 'filter "color" is not known'});
  await expect(ids('id~=(')).rejects.toMatchObject({kind: 'invalid'});
  await expect(ids('id==a"b')).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining('cannot be read'),
  });
});

test('what is told of each is what BuildKit tells', async () => {
  expect((await diskUsage(keeping().builds, ['id==mount'])).record).toEqual([
    {
      ...{id: 'mount', size: 7, inUse: false, shared: false, mutable: true, lastUsedAt: undefined, usageCount: 1},
      ...{
        createdAt: {seconds: 1767323045, nanos: 500_000_000},
        description: 'RUN mount',
        recordType: 'exec.cachemount',
      },
    },
  ]);
});

test('a prune takes what was chosen, and cache mounts only where they are meant', async () => {
  const prune = async (more: Partial<typeof request>) => {
    const {asked, builds} = keeping();
    const gone = await pruneKept(builds, {...request, ...more});
    return {gone: gone.map(({id}) => id), asked: asked.map(({all, filters}) => ({all, filters}))};
  };
  expect(await prune({})).toEqual({gone: ['aa'], asked: [{all: false, filters: {}}]});
  expect(await prune({keepDuration: 3600e9})).toMatchObject({asked: [{filters: {until: ['3600000ms']}}]});
  expect(await prune({filter: ['private']})).toEqual({gone: ['aa'], asked: [{all: false, filters: {id: ['aa']}}]});
  expect(await prune({filter: ['id~=mount']})).toMatchObject({gone: ['mount']});
  expect(await prune({filter: ['private'], all: true})).toMatchObject({gone: ['aa', 'mount']});
  expect(await prune({filter: ['id==none'], all: true})).toEqual({gone: [], asked: []});
});
