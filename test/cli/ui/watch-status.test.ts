import {expect, test} from 'vitest';
import {watchReporter} from '../../../src/cli/ui/watch-status.ts';
import type {ProgressContent} from '../../../src/report/event.ts';
import type {UiEventContent} from '../../../src/tui/types.ts';

function told(...events: readonly ProgressContent[]): readonly UiEventContent[] {
  const emitted: UiEventContent[] = [];
  const report = watchReporter((event) => emitted.push(event));
  for (const event of events) report(event);
  return emitted;
}

const cause = {paths: ['src/a.ts', 'src/b.ts'], more: 3};
const ready: ProgressContent = {
  kind: 'watchReady',
  services: [
    {service: 'web', rules: 2},
    {service: 'api', rules: 1},
  ],
  directories: 4,
  files: 9,
  backend: 'files',
  tookMs: 12,
};
const batch: ProgressContent = {kind: 'watchBatch', services: ['web'], cause, changes: 5, storm: false};
const synced = {
  kind: 'watchSynced',
  service: 'web',
  cause,
  containers: ['web-1'],
  written: 5,
  deleted: 0,
  tookMs: 9,
} as const;

test('rules in force, what is pending, and what was done with how long it took', () => {
  expect(told(ready, batch, {...synced, visibleMs: 31})).toMatchObject([
    {kind: 'watch', watch: {status: 'on', rules: 3, pending: 0, p50Ms: undefined}},
    {kind: 'watch', watch: {pending: 5, detail: 'src/a.ts, src/b.ts +3'}},
    {kind: 'watch', watch: {pending: 0}},
    {kind: 'watchApplied', service: 'web', text: 'src/a.ts, src/b.ts +3 → synced', tookMs: 31, restarted: false},
  ]);
});

test('what was not saved just now says so', () => {
  expect(told({...synced, cause: {paths: [], more: 0}}).at(-1)).toMatchObject({text: 'first sync → synced'});
});

test('a sync that a restart follows is told of by the restart', () => {
  const restarted: ProgressContent = {
    ...{kind: 'watchRestarted', service: 'web', cause, containers: ['web-1'], restartMs: 300, outcomeMs: 400},
    outcome: 'healthy',
    servingMs: 412,
  };
  expect(told(batch, {...synced, leadsOn: true}, restarted).slice(1)).toMatchObject([
    {kind: 'watch', watch: {pending: 0}},
    {kind: 'watchApplied', text: 'src/a.ts, src/b.ts +3 → restarted, healthy', tookMs: 412, restarted: true},
  ]);
});

test('a rebuild replaces containers; one that fails is told, and what goes on is not pending', () => {
  const rebuilt: ProgressContent = {
    ...{kind: 'watchRebuilt', service: 'web', cause, containers: ['web-1'], buildMs: 300, outcomeMs: 100},
    outcome: 'running',
    servingMs: 412,
  };
  expect(told(batch, rebuilt).slice(1)).toMatchObject([
    {kind: 'watch', watch: {pending: 0}},
    {kind: 'watchApplied', text: 'src/a.ts, src/b.ts +3 → rebuilt, running', tookMs: 412, restarted: true},
  ]);
  const failure = {kind: 'dependencyFailed', message: 'exit code 3'} as const;
  const failed: ProgressContent = {kind: 'watchRebuildFailed', service: 'web', cause, lines: ['error'], failure};
  expect(told(batch, failed).slice(-2)).toMatchObject([
    {kind: 'watch', watch: {pending: 0, status: 'failed', detail: 'exit code 3'}},
    {kind: 'notice', level: 'error', text: 'exit code 3', service: 'web'},
  ]);
});

test('a build that goes on is told with its step, until it has ended', () => {
  const build = (event: Extract<ProgressContent, {kind: 'build'}>['event']): ProgressContent => ({
    kind: 'build',
    build: 'web',
    event,
  });
  const events = told(
    build({kind: 'began'}),
    build({kind: 'step', step: 1, title: '[2/3] RUN make', status: 'start'}),
    build({kind: 'output', step: 1, stream: 'stdout', text: 'made'}),
    build({kind: 'step', step: 1, status: 'done'}),
    build({kind: 'built', image: 'sha256:1', names: ['web']}),
    build({kind: 'began'}),
    build({kind: 'ended', outcome: 'failed'}),
  );
  const building = events.flatMap((event) => (event.kind === 'watch' ? [event.watch?.building] : []));
  const web = (step: string) => [{service: 'web', step}];
  expect(building).toEqual([web(''), web('[2/3]'), [], web(''), []]);
  // All of it is for who looks at the build itself.
  expect(events.filter(({kind}) => kind === 'build')).toHaveLength(7);
});

test('a command that fails is told with the last thing that it printed', () => {
  const executed = {
    kind: 'watchExecuted',
    ...{service: 'web', cause, container: 'web-1', command: ['npm', 'run', 'build'], tookMs: 80},
    output: ['line', 'no such file'],
  } as const;
  expect(told({...executed, exitCode: 2}).at(-1)).toEqual({
    kind: 'notice',
    level: 'error',
    text: 'npm run build ended with code 2: no such file',
    service: 'web',
  });
  expect(told({...executed, exitCode: 0}).at(-1)).toMatchObject({
    kind: 'watchApplied',
    text: expect.stringContaining('ran npm run build'),
  });
});

test('the times of the service that is saved most are shown, serving rather than visible', () => {
  const times = (service: string, saves: number, p50Ms: number) => ({
    service,
    saves,
    visible: {p50Ms, p95Ms: p50Ms * 2},
  });
  const events = told({
    kind: 'watchTimes',
    final: false,
    services: [times('api', 1, 10), {...times('web', 9, 20), serving: {p50Ms: 400, p95Ms: 800}}],
  });
  expect(events).toMatchObject([{kind: 'watch', watch: {p50Ms: 400, p95Ms: 800}}]);
  expect(told({kind: 'watchTimes', final: false, services: [times('api', 1, 10)]})).toMatchObject([
    {watch: {p50Ms: 10, p95Ms: 20}},
  ]);
});

test('the end of watching takes it from the screen; what it tells of its own up is passed over', () => {
  expect(told(ready, {kind: 'watchEnded', reason: 'interrupted'}).at(-1)).toEqual({kind: 'watch', watch: undefined});
  expect(told({kind: 'lockWait', project: 'shop'})).toEqual([]);
});
