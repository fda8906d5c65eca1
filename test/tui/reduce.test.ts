import {expect, test} from 'vitest';
import {initialUiState, reduceUi} from '../../src/tui/reduce.ts';
import {eventLimit, type UiEventContent, type UiState} from '../../src/tui/types.ts';
import {container, emptyScene, fold, health, now} from './scenes.ts';

const stack = (...names: readonly string[]): UiEventContent => ({
  kind: 'stack',
  project: 'shop',
  services: names.map((name) => ({name, wanted: 1})),
});
const begun = (...events: readonly UiEventContent[]): UiState => fold(emptyScene(80, 24).state, ...events);
const texts = ({events}: UiState): readonly string[] => events.map(({level, text}) => `${level}: ${text}`);

test('times of logs are shown at first where there is room beside the text', () => {
  const timesAt = (columns: number): boolean =>
    initialUiState({project: 'shop', command: 'tscompose', columns, rows: 24}).log.timestamps;
  expect([80, 100, 119, 120, 159, 160].map(timesAt)).toEqual([false, true, true, false, false, true]);
});

test('services stand in the order of the file, those that only containers speak of behind them', () => {
  const state = begun(stack('web', 'db'), {kind: 'snapshot', containers: [container('old', 1), container('db', 1)]});
  expect(state.services.map(({name, wanted, replicas}) => [name, wanted, replicas.length])).toEqual([
    ['web', 1, 0],
    ['db', 1, 1],
    ['old', undefined, 1],
  ]);
  const next = fold(state, stack('db', 'mail'));
  // "web" has no container and is no longer in the file: it is gone.
  expect(next.services.map(({name, wanted}) => [name, wanted])).toEqual([
    ['db', 1],
    ['mail', 1],
    ['old', undefined],
  ]);
  expect([state.revision, next.revision]).toEqual([1, 2]);
  expect(texts(next)).toEqual(['info: the stack file was read anew']);
});

test('the selection begins at the first service and stays on a line that is there', () => {
  const state = begun(stack('web', 'db'));
  expect(state.selection).toEqual({service: 'web'});
  const onReplica = {
    ...fold(state, {kind: 'snapshot', containers: [container('db', 1), container('db', 2)]}),
    expanded: ['db'],
    selection: {service: 'db', replica: 2},
  };
  const less = fold(onReplica, {kind: 'containerGone', id: container('db', 2).id});
  expect(less.selection).toEqual({service: 'db'});
  expect(fold(less, stack('web'), {kind: 'snapshot', containers: []}).selection).toEqual({service: 'web'});
  expect(begun({kind: 'snapshot', containers: []}).selection).toBeUndefined();
});

test('ends and starts of containers are events; what is the same is none', () => {
  const state = begun(stack('web'), {kind: 'snapshot', containers: [container('web', 1)]});
  const exited = container('web', 1, {phase: 'exited', exitCode: 3, finishedAt: now});
  expect(texts(fold(state, {kind: 'container', container: container('web', 1)}))).toEqual([]);
  expect(
    texts(
      fold(
        state,
        {kind: 'container', container: exited},
        {
          kind: 'container',
          container: container('web', 1, {startedAt: now + 1}),
          cause: {time: now, kind: 'exit', exitCode: 3},
        },
        {kind: 'container', container: container('web', 1, {phase: 'paused', startedAt: now + 1})},
        {kind: 'container', container: container('web', 1, {startedAt: now + 1})},
        {kind: 'container', container: container('web', 1, {phase: 'restarting', exitCode: 4})},
        {kind: 'container', container: container('web', 1, {phase: 'running', startedAt: now + 2})},
        {kind: 'container', container: container('web', 1, {phase: 'restarting', exitCode: 137, oomKilled: true})},
        {kind: 'container', container: container('web', 1, {phase: 'dead', exitCode: 137, oomKilled: true})},
        {kind: 'container', container: container('web', 2, {phase: 'exited', exitCode: 0})},
        {kind: 'container', container: container('web', 3)},
        {kind: 'container', container: container('web', 3, {phase: 'exited', exitCode: 137, stopRequested: true})},
      ),
    ),
  ).toEqual([
    'error: shop-web-1 exited with code 3',
    'info: shop-web-1 started: exited with code 3',
    'info: shop-web-1 is paused',
    'info: shop-web-1 goes on',
    'warning: shop-web-1 restarts after exit 4',
    'info: shop-web-1 started',
    'error: shop-web-1 was killed: out of memory; it restarts',
    'error: shop-web-1 was killed: out of memory',
    'info: shop-web-2 exited with code 0',
    'info: shop-web-3 started',
    'info: shop-web-3 was stopped, with code 137',
  ]);
});

test('a change of health is an event with the reason, another probe with the same result is none', () => {
  const {id} = container('db', 1);
  const state = begun(stack('db'), {kind: 'snapshot', containers: [container('db', 1, {health: health('healthy')})]});
  const ill = health('unhealthy', {failures: 3, exitCode: 2, output: 'connection refused\nat db:5432'});
  const next = fold(state, {kind: 'health', id, health: ill}, {kind: 'health', id, health: {...ill, failures: 4}});
  expect(texts(next)).toEqual(['error: shop-db-1 is unhealthy: probe exit 2, connection refused at db:5432']);
  expect(next.services[0]?.replicas[0]?.health?.failures).toBe(4);
  expect(texts(fold(next, {kind: 'health', id, health: health('healthy')})).at(-1)).toBe('good: shop-db-1 is healthy');
  const late = health('unhealthy', {exitCode: -1});
  expect(texts(fold(state, {kind: 'health', id, health: late}))).toEqual([
    'error: shop-db-1 is unhealthy: probe timeout',
  ]);
  expect(fold(state, {kind: 'health', id: 'unknown', health: ill})).toBe(state);
});

test('an action goes from its command to its end, with the reason of its failure', () => {
  const state = begun(stack('db'), {kind: 'actionStarted', command: 'tscompose stop db'});
  expect(state.action).toMatchObject({
    command: 'tscompose stop db',
    phase: 'running',
    startedAt: now,
    endedAt: undefined,
  });
  expect(fold(state, {kind: 'actionEnded', outcome: 'done'})).toMatchObject({
    action: {phase: 'done', endedAt: now, message: undefined},
    events: [{level: 'good', text: 'tscompose stop db: done'}],
  });
  expect(fold(state, {kind: 'actionEnded', outcome: 'failed', message: 'no such container'})).toMatchObject({
    action: {phase: 'failed', message: 'no such container'},
    events: [{level: 'error', text: 'tscompose stop db: no such container'}],
  });
  expect(begun({kind: 'actionEnded', outcome: 'done'}).events).toEqual([]);
});

test('watch tells what was saved, how long it took, and why containers start again', () => {
  const state = begun(
    stack('web'),
    {kind: 'snapshot', containers: [container('web', 1)]},
    {kind: 'watchApplied', service: 'web', text: 'src/a.ts → restarted', tookMs: 412, restarted: true},
    {kind: 'container', container: container('web', 1, {startedAt: now})},
  );
  expect(texts(state)).toEqual(['good: src/a.ts → restarted in 0.41s', 'info: shop-web-1 started']);
  expect(state.services[0]?.replicas[0]).toMatchObject({
    restarts: 1,
    causes: [{kind: 'watch', detail: 'src/a.ts → restarted'}],
  });
});

test('the engine going away and coming back is told once each', () => {
  const state = begun(
    {kind: 'connection', connected: true},
    {kind: 'connection', connected: false, reason: 'connect ECONNREFUSED'},
    {kind: 'connection', connected: false, reason: 'again'},
    {kind: 'connection', connected: true},
  );
  expect(state.connected).toBe(true);
  expect(texts(state)).toEqual([
    'error: the engine cannot be reached: connect ECONNREFUSED',
    'good: the engine answers again',
  ]);
});

test('events are one line each, and the newest of them are kept', () => {
  const many = Array.from(
    {length: eventLimit + 5},
    (_, index): UiEventContent => ({
      kind: 'notice',
      level: 'info',
      text: `first ${index}\nsecond`,
    }),
  );
  const {events} = begun(...many);
  expect(events.length).toBe(eventLimit);
  expect([events[0]?.text, events.at(-1)?.text]).toEqual(['first 5 second', `first ${eventLimit + 4} second`]);
});

test('what changes nothing gives back the same state', () => {
  const state = begun(stack('web'));
  const same: readonly UiEventContent[] = [
    {kind: 'tick'},
    {kind: 'logs'},
    {kind: 'resize', columns: 80, rows: 24},
    {kind: 'connection', connected: true},
    {kind: 'progress', event: {time: now, kind: 'lockWait', project: 'shop'}},
  ];
  for (const event of same) expect(reduceUi(state, {time: now, ...event})).toBe(state);
  expect(fold(state, {kind: 'resize', columns: 81, rows: 24}).columns).toBe(81);
  expect(fold(state, {kind: 'terminalFocus', focused: false}).terminalFocused).toBe(false);
});

test('builds of actions and of watching are kept, each as it was built last', () => {
  const step = {kind: 'step', step: 0, title: '[1/1] RUN make', status: 'start'} as const;
  const watched = (event: typeof step | {readonly kind: 'began'}): UiEventContent => ({
    kind: 'build',
    build: 'web',
    event,
  });
  const first = begun(
    {kind: 'actionStarted', command: 'tscompose up -d'},
    {kind: 'progress', event: {time: now, kind: 'build', build: 'api', event: {kind: 'began'}}},
    watched({kind: 'began'}),
    watched(step),
  );
  expect(first.builds.map(({name, phase, steps}) => [name, phase, steps.length])).toEqual([
    ['api', 'working', 0],
    ['web', 'working', 1],
  ]);
  const again = fold(first, watched({kind: 'began'}), {kind: 'actionStarted', command: 'tscompose restart web'});
  expect(again.builds.map(({name, steps}) => [name, steps.length])).toEqual([
    ['api', 0],
    ['web', 0],
  ]);
});
