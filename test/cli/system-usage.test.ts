import {expect, test} from 'vitest';
import type {DiskUsage} from '../../src/api/types/system.ts';
import {detailTables, usageDetails} from '../../src/cli/system/usage-details.ts';
import {usageSummary} from '../../src/cli/system/usage-summary.ts';

const now = Date.UTC(2026, 0, 2);
const image = {
  ...{ParentId: '', RepoDigests: [], Created: now / 1000 - 3600, Labels: null},
};
const usage = {
  LayersSize: 375_468_270,
  Images: [
    {
      ...{...image, Id: `sha256:${'a'.repeat(64)}`, RepoTags: ['redis:7', 'localhost:5000/redis:7']},
      ...{Size: 135_865_854, SharedSize: 122_000_000, Containers: 1},
    },
    {...image, Id: `sha256:${'b'.repeat(64)}`, RepoTags: [], Size: 122_000_000, SharedSize: 122_000_000, Containers: 0},
  ],
  Containers: [
    {
      ...{Id: 'c'.repeat(64), Names: ['/shop-db-1'], Image: 'redis:7', ImageID: '', Created: now / 1000 - 60},
      ...{Command: 'redis-server --protected-mode no', Ports: [], Labels: {}, State: 'running', Status: 'Up 1 minute'},
      ...{HostConfig: {NetworkMode: 'bridge'}, NetworkSettings: {Networks: {}}},
      ...{Mounts: [{Type: 'volume'}, {Type: 'bind'}], SizeRw: 1000, SizeRootFs: 0},
    },
    {
      ...{Id: 'd'.repeat(64), Names: ['/old'], Image: 'redis:7', ImageID: '', Created: now / 1000 - 60},
      ...{Command: 'true', Ports: [], Labels: {}, State: 'exited', Status: 'Exited (0) 1 minute ago', Mounts: []},
      ...{HostConfig: {NetworkMode: 'bridge'}, NetworkSettings: {Networks: {}}, SizeRw: 3000, SizeRootFs: 0},
    },
  ],
  Volumes: [
    {Name: 'data', Driver: 'local', UsageData: {RefCount: 1, Size: 5000}},
    {Name: 'left', Driver: 'local', UsageData: {RefCount: 0, Size: 0}},
  ],
  BuildCache: [
    {
      ...{ID: 'e'.repeat(64), Parents: null, Type: 'regular', Description: 'RUN make', InUse: false, Shared: false},
      ...{Size: 4000, CreatedAt: '2026-01-01T23:00:00Z', LastUsedAt: null, UsageCount: 1},
    },
    {
      ...{ID: 'f'.repeat(64), Parents: null, Type: 'regular', Description: 'COPY', InUse: true, Shared: true},
      ...{Size: 9000, CreatedAt: '2026-01-01T23:00:00Z', LastUsedAt: '2026-01-01T23:30:00Z', UsageCount: 2},
    },
  ],
} as unknown as DiskUsage;

test('space is counted by kind: what others share, what is active and what builds share is not to be had back', () => {
  expect(usageSummary(usage).map((row) => Object.values(row).join(' | '))).toEqual([
    'Images | 2 | 1 | 375.5MB | 361.6MB (96%)',
    'Containers | 2 | 1 | 4kB | 3kB (75%)',
    'Local Volumes | 2 | 1 | 5kB | 0B (0%)',
    'Build Cache | 2 | 1 | 4kB | 4kB',
  ]);
});

test('an engine with nothing has nothing to give back, and no share of it', () => {
  const nothing = {LayersSize: 0, Images: [], Containers: null, Volumes: null, BuildCache: null};
  expect(usageSummary(nothing).map(({Size, Reclaimable}) => `${Size} ${Reclaimable}`)).toEqual(Array(4).fill('0B 0B'));
});

test('what takes the space up is listed kind by kind', () => {
  const tables = detailTables(usageDetails(usage, now), '4kB', undefined);
  expect(tables.split('\n').map((line) => line.trimEnd())).toEqual([
    'Images space usage:',
    '',
    'REPOSITORY             TAG      IMAGE ID       CREATED             SIZE    SHARED SIZE   UNIQUE SIZE   CONTAINERS',
    'redis                  7        aaaaaaaaaaaa   About an hour ago   136MB   122MB         13.87MB       1',
    'localhost:5000/redis   7        aaaaaaaaaaaa   About an hour ago   136MB   122MB         13.87MB       1',
    '<none>                 <none>   bbbbbbbbbbbb   About an hour ago   122MB   122MB         0B            0',
    '',
    'Containers space usage:',
    '',
    'CONTAINER ID   IMAGE     COMMAND                  LOCAL VOLUMES   SIZE   CREATED              STATUS                    NAMES',
    'cccccccccccc   redis:7   "redis-server --prot…"   1               1kB    About a minute ago   Up 1 minute               shop-db-1',
    'dddddddddddd   redis:7   "true"                   0               3kB    About a minute ago   Exited (0) 1 minute ago   old',
    '',
    'Local Volumes space usage:',
    '',
    'VOLUME NAME   LINKS   SIZE',
    'data          1       5kB',
    'left          0       0B',
    '',
    'Build cache usage: 4kB',
    '',
    'CACHE ID       CACHE TYPE   SIZE   CREATED             LAST USED        USAGE   SHARED',
    'eeeeeeeeeeee   regular      4kB    About an hour ago                    1       false',
    'ffffffffffff   regular      9kB    About an hour ago   30 minutes ago   2       true',
    '',
  ]);
});
