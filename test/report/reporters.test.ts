import {expect, test} from 'vitest';
import type {ProgressContent} from '../../src/report/event.ts';
import {jsonReporter} from '../../src/report/json.ts';
import {plainReporter} from '../../src/report/plain.ts';
import {quietReporter} from '../../src/report/quiet.ts';
import type {Output, Reporter} from '../../src/report/reporter.ts';
import {create, createWeb, node, plan, start, stateAfter, unhealthyRun, wait} from './events.ts';

function record(
  make: (options: {output: Output; now: () => number}) => Reporter,
  events: readonly ProgressContent[],
): string[] {
  let text = '';
  let time = 0;
  const reporter = make({output: {write: (piece) => (text += piece)}, now: () => time});
  for (const event of events) {
    reporter.report(event);
    time += 1000;
  }
  reporter.finish();
  return text.split('\n').slice(0, -1);
}

test('plain tells each finished action once, a failure with everything known of it, and no control characters', () => {
  expect(record(plainReporter, unhealthyRun)).toEqual([
    'network shop_default created (1.0s)',
    'container shop-db-1 created (1.0s)',
    'container shop-db-1 started (1.0s)',
    'waiting for service db: shop-db-1 is starting, last probe exit 2: no answer',
    'service db failed: dependency failed to start: container shop-db-1 is unhealthy',
    '  last probe: exit 2: no answer',
    '  shop-db-1 | FATAL: disk',
    'container shop-web-1 skipped: needs service "db", which failed',
  ]);
});

test('a thing that failed stays failed when the rest of its work is left out', () => {
  const failure = {kind: 'conflict', message: 'cannot create container "shop-db-1": name in use'} as const;
  const events: readonly ProgressContent[] = [
    {kind: 'planned', wave: 1, plan: plan(create, start, wait, createWeb)},
    {kind: 'nodeFailed', node: create, failure},
    {kind: 'nodeSkipped', node: start, reason: 'needs container "shop-db-1", which failed'},
    {kind: 'nodeSkipped', node: wait, reason: 'needs container "shop-db-1", which failed'},
    {kind: 'nodeSkipped', node: createWeb, reason: 'needs service "db", which failed'},
  ];
  expect(record(plainReporter, events)).toEqual([
    `container shop-db-1 failed: ${failure.message}`,
    'container shop-web-1 skipped: needs service "db", which failed',
  ]);
  expect(stateAfter(...events).rows.map(({name, phase}) => [name, phase])).toEqual([
    ['shop-db-1', 'failed'],
    ['shop-web-1', 'skipped'],
  ]);
});

test('plain tells a long wait now and then, and notices with their hints', () => {
  const wait = {service: 'db', containers: ['shop-db-1'], condition: 'service_healthy'} as const;
  const waits = Array.from(
    {length: 8},
    (_, index): ProgressContent => ({kind: 'waiting', wait, detail: `probe ${index}`}),
  );
  expect(record(plainReporter, waits)).toEqual(['waiting for service db: probe 0', 'waiting for service db: probe 5']);
  expect(
    record(plainReporter, [
      {kind: 'lockWait', project: 'shop'},
      {kind: 'notice', notice: {level: 'warning', message: 'odd', hint: 'look'}},
      {kind: 'waitEnded', wait, outcome: 'met'},
    ]),
  ).toEqual(['waiting for another command on project "shop"', 'warning: odd', 'hint: look', 'service db is healthy']);
});

test('json is one object a line, with time, and nodes in their public form', () => {
  const lines = record(jsonReporter, unhealthyRun).map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toHaveLength(unhealthyRun.length);
  expect(lines[5]).toEqual({
    v: 1,
    time: '1970-01-01T00:00:05.000Z',
    kind: 'nodeStarted',
    node: {
      id: 3,
      kind: 'startContainer',
      subject: {kind: 'container', name: 'shop-db-1', service: 'db'},
      action: {container: {kind: 'planned', node: 2, name: 'shop-db-1', service: 'db'}},
      why: {reason: 'test'},
      after: [],
    },
  });
  expect(lines[0]).toMatchObject({kind: 'planned', plan: {version: 1, project: 'shop', summary: {create: 3}}});
  expect(lines.at(-1)).toMatchObject({kind: 'summary', summary: {outcome: 'failed', failed: 1}});
});

test('quiet tells nothing', () => {
  expect(record(() => quietReporter(), unhealthyRun)).toEqual([]);
});

test('the state follows each thing through its actions', () => {
  const rows = stateAfter(...unhealthyRun).rows.map(
    ({kind, name, phase, status}) => `${kind} ${name} ${phase} ${status}`,
  );
  expect(rows).toEqual([
    'network shop_default done created',
    'container shop-db-1 failed failed',
    'container shop-web-1 skipped skipped',
  ]);
  const halfway = stateAfter(...unhealthyRun.slice(0, 8));
  expect(halfway.rows.map(({phase, status}) => `${phase} ${status}`)).toEqual([
    'done created',
    'waiting waiting',
    'planned ',
  ]);
  expect(halfway.rows[1]?.detail).toContain('last probe exit 2');
});

test('a recreate is one row under the lasting name', () => {
  const container = {kind: 'existing', id: 'old' as never, name: 'shop-db-1', service: 'db'} as const;
  const planned = {kind: 'planned', node: 1 as never, name: '0123456789ab_shop-db-1', service: 'db'} as const;
  const make = node(1, {
    kind: 'createContainer',
    service: 'db',
    replica: 1,
    name: '0123456789ab_shop-db-1',
    replaces: 'old' as never,
  });
  const stop = node(2, {kind: 'stopContainer', container});
  const remove = node(3, {kind: 'removeContainer', container, removeAnonymousVolumes: false});
  const rename = node(4, {kind: 'renameContainer', container: planned, name: 'shop-db-1'});
  const done = [make, stop, remove, rename, start].flatMap((one): ProgressContent[] => [
    {kind: 'nodeStarted', node: one},
    {kind: 'nodeDone', node: one, tookMs: 10},
  ]);
  const state = stateAfter({kind: 'planned', wave: 1, plan: plan(make, stop, remove, rename, start)}, ...done);
  expect(state.rows).toMatchObject([{name: 'shop-db-1', phase: 'done', status: 'started', open: 0}]);
  const during = stateAfter(
    {kind: 'planned', wave: 1, plan: plan(make, stop, remove, rename, start)},
    ...done.slice(0, 6),
  );
  expect(during.rows[0]).toMatchObject({phase: 'working'});
});
