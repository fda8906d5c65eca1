import {expect, test} from 'vitest';
import {watchLines} from '../../src/report/watch-lines.ts';

const cause = {paths: ['src/a.ts', 'src/b.ts'], more: 3};
const none = {paths: [], more: 0};

test('what is watched, and how', () => {
  const ready = {kind: 'watchReady', backend: 'files', files: 12, tookMs: 8.4} as const;
  const services = [
    {service: 'api', rules: 2},
    {service: 'web', rules: 1},
  ];
  expect(watchLines({...ready, services, directories: 3})).toEqual([
    'watching 3 rules of api, web: 12 files in 3 directories (8 ms)',
  ]);
  expect(
    watchLines({...ready, services: [{service: 'api', rules: 1}], files: 1, directories: 0, backend: 'polling'}),
  ).toEqual(['watching 1 rule of api: 1 file (by polling, 8 ms)']);
});

test('a sync: its cause, what it brought, and how long after the save it was there', () => {
  const synced = {kind: 'watchSynced', service: 'api', cause, containers: ['shop-api-1'], tookMs: 12} as const;
  expect(watchLines({...synced, written: 4, deleted: 1, visibleMs: 41})).toEqual([
    'api synced ← src/a.ts (+4), 4 written, 1 deleted, visible after 41 ms: 12 ms sync',
  ]);
  expect(
    watchLines({...synced, cause: none, containers: ['shop-api-1', 'shop-api-2'], written: 4, deleted: 0}),
  ).toEqual(['api synced ← what it missed, 4 written, 2 containers, 12 ms sync']);
  // What follows it tells of it too.
  expect(watchLines({...synced, written: 1, deleted: 0, leadsOn: true})).toEqual([]);
});

test('a rebuild: its cause, the times of the build and until it served; one that failed, with its places', () => {
  const rebuilt = {kind: 'watchRebuilt', service: 'web', cause, containers: ['shop-web-1'], buildMs: 1_400} as const;
  const head = 'web rebuilt ← src/a.ts (+4), ';
  const latest = {saves: 3, p50Ms: 2_000, p95Ms: 2_900};
  const of = (more: {outcome: 'healthy' | 'running' | 'unchanged' | 'starting' | 'unhealthy' | 'exited'}) =>
    watchLines({...rebuilt, outcomeMs: 310, ...more});
  expect(watchLines({...rebuilt, outcomeMs: 310, outcome: 'healthy', servingMs: 2_100, latest})).toEqual([
    `${head}serving after 2.1 s: 1.4 s build, 310 ms to healthy; of 3 saves p50 2.0 s, p95 2.9 s`,
  ]);
  expect(of({outcome: 'running'})).toEqual([`${head}1.4 s build, 310 ms to running`]);
  expect(of({outcome: 'unchanged'})).toEqual([`${head}1.4 s build, nothing to replace`]);
  expect(of({outcome: 'starting'})).toEqual([`${head}1.4 s build, not healthy after 310 ms`]);
  expect(of({outcome: 'unhealthy'})).toEqual([`${head}1.4 s build, unhealthy after 310 ms`]);
  expect(of({outcome: 'exited'})).toEqual([`${head}1.4 s build, ended after 310 ms`]);
  const failure = {kind: 'dependencyFailed', message: 'exit code 3'} as const;
  const lines = ['error: exit code 3', ' --> web/Dockerfile:3:1'];
  expect(watchLines({kind: 'watchRebuildFailed', service: 'web', cause, lines, failure})).toEqual([
    'web not rebuilt ← src/a.ts (+4); tried again with the next save',
    '  error: exit code 3',
    '   --> web/Dockerfile:3:1',
  ]);
});

test('a restart: its cause, the time from the save until it served, and how that compares', () => {
  const restarted = {
    kind: 'watchRestarted',
    service: 'api',
    cause,
    containers: ['shop-api-1'],
    restartMs: 60,
    outcomeMs: 1_380,
  } as const;
  const head = 'api restarted ← src/a.ts (+4), ';
  expect(
    watchLines({
      ...restarted,
      outcome: 'healthy',
      syncMs: 41,
      servingMs: 1_455,
      latest: {saves: 12, p50Ms: 410, p95Ms: 12_345},
    }),
  ).toEqual([`${head}serving after 1.5 s: 41 ms sync, 1.4 s to healthy; of 12 saves p50 410 ms, p95 12 s`]);
  expect(watchLines({...restarted, outcome: 'running', servingMs: 80})).toEqual([
    `${head}serving after 80 ms: 60 ms to running`,
  ]);
  expect(watchLines({...restarted, outcome: 'running'})).toEqual([`${head}60 ms to running`]);
  expect(
    (['starting', 'unhealthy', 'exited'] as const).flatMap((outcome) => watchLines({...restarted, outcome})),
  ).toEqual([
    `${head}60 ms to running, not healthy after 1.4 s`,
    `${head}60 ms to running, unhealthy after 1.4 s`,
    `${head}60 ms to running, and ended after 1.4 s`,
  ]);
});

test('a command: which container, cut to one line, and its end where it failed', () => {
  const executed = {
    kind: 'watchExecuted',
    service: 'api',
    cause,
    container: 'shop-api-2',
    command: ['sh', '-c', 'echo one\necho two and much more that nobody wants to read here'],
    output: ['first', '\u001b[31mred\u0007'],
    tookMs: 30,
  } as const;
  expect(watchLines({...executed, exitCode: 0, doneMs: 71})).toEqual([
    'api-2 ran "sh -c echo one echo two and much more t…" ← src/a.ts (+4), done after 71 ms: 30 ms command',
  ]);
  expect(watchLines({...executed, container: 'my-own-name', exitCode: 2})).toEqual([
    'my-own-name ran "sh -c echo one echo two and much more t…" ← src/a.ts (+4), 30 ms command, failed with exit code 2',
    '  first',
    '  red',
  ]);
});

test('a storm is told, a few changes that were looked at as a whole are not', () => {
  const batch = {kind: 'watchBatch', services: ['api'], cause} as const;
  expect(watchLines({...batch, changes: 10_000, storm: true})).toEqual([
    'watch: 10000 changes at once, compared by content',
  ]);
  expect(watchLines({...batch, changes: 3, storm: true})).toEqual([]);
  expect(watchLines({...batch, changes: 100, storm: false})).toEqual([]);
});

test('what failed says what is pending and when it is tried again', () => {
  const failure = {kind: 'exhausted', message: 'no space left', hint: 'make room'} as const;
  const failed = {kind: 'watchFailed', service: 'api', cause, failure} as const;
  expect(watchLines({...failed, pending: 3, retryMs: 200})).toEqual([
    'api failed ← src/a.ts (+4): no space left; pending (3 files), tried again in 200 ms',
    'hint: make room',
  ]);
  expect(watchLines({...failed, pending: 0})[0]).toBe(
    'api failed ← src/a.ts (+4): no space left; tried again with the next save',
  );
});

test('times at the end, and only there', () => {
  const services = [
    {service: 'api', saves: 2, visible: {p50Ms: 31, p95Ms: 40}, serving: {p50Ms: 200, p95Ms: 1_200}},
    {service: 'web', saves: 1},
  ];
  expect(watchLines({kind: 'watchTimes', services, final: true})).toEqual([
    'api: 2 saves, save to visible p50 31 ms, p95 40 ms; save to serving p50 200 ms, p95 1.2 s',
    'web: 1 save',
  ]);
  expect(watchLines({kind: 'watchTimes', services, final: false})).toEqual([]);
});
