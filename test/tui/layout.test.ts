import {expect, test} from 'vitest';
import {boxHeight, boxRoom} from '../../src/tui/box.ts';
import {layoutOf} from '../../src/tui/layout.ts';
import {chooseColumns, nameText, portsText, tableWidth} from '../../src/tui/table-columns.ts';
import {scrolledTop} from '../../src/tui/table-rows.ts';
import type {ServiceState} from '../../src/tui/types.ts';
import {container, emptyScene, fold, largeScene, port, shopScene} from './scenes.ts';

const shop = shopScene(80, 24).state;

test.each([
  [200, 40, 'wide'],
  [120, 10, 'wide'],
  [119, 24, 'stacked'],
  [60, 12, 'stacked'],
  [59, 24, 'single'],
  [80, 10, 'single'],
])('at %i×%i the screen is %s', (columns, rows, mode) => {
  expect(layoutOf(shop, columns, rows).mode).toBe(mode);
});

test('at every size the parts fill the screen, and are no wider than it', () => {
  for (const state of [shop, largeScene(80, 24).state, {...shop, focus: 'logs' as const}]) {
    for (let columns = 1; columns <= 220; columns += 3) {
      for (let rows = 1; rows <= 60; rows++) {
        const {mode, header, footer, table, detail, logs} = layoutOf(state, columns, rows);
        const left = (table?.height ?? 0) + (detail?.height ?? 0);
        const heights = mode === 'wide' ? [left, logs?.height ?? 0] : [left + (logs?.height ?? 0)];
        for (const height of heights) expect(header + footer + height).toBe(rows);
        const width = mode === 'wide' ? (table?.width ?? 0) + 3 + (logs?.width ?? 0) : columns;
        expect(width).toBe(columns);
        if (table !== undefined && columns >= 8) expect(tableWidth(table.columns)).toBeLessThanOrEqual(columns);
      }
    }
  }
});

test('the logs get more room while they have the focus', () => {
  const {state} = largeScene(100, 30);
  const height = (focus: 'services' | 'logs'): number => layoutOf({...state, focus}, 100, 30).logs?.height ?? 0;
  expect(height('logs')).toBeGreaterThan(height('services'));
});

test.each([
  [200, 'name state health up cpu memory restarts ports'],
  [79, 'name state health up cpu memory restarts ports'],
  [62, 'name state health up cpu memory restarts'],
  [50, 'name state health up cpu'],
  [40, 'name state up cpu'],
  [32, 'name state up'],
  [24, 'name state'],
  [10, 'name state'],
])('a table of %i cells has the columns %s', (width, names) => {
  const columns = chooseColumns(shop, width);
  expect(columns.map(({name}) => name).join(' ')).toBe(names);
  expect(tableWidth(columns)).toBeLessThanOrEqual(width);
});

test('what nobody has gets no column', () => {
  const plain = fold(emptyScene(200, 40).state, {kind: 'snapshot', containers: [container('web', 1)]});
  expect(chooseColumns(plain, 200).map(({name}) => name)).toEqual(['name', 'state', 'up', 'cpu', 'memory', 'restarts']);
});

test('names say how many there are, and how many of them are up', () => {
  const web = shop.services[0] as ServiceState;
  const [first, second] = web.replicas;
  if (first === undefined || second === undefined) throw new Error('there are no replicas');
  const of = (replicas: ServiceState['replicas'], wanted: number | undefined): string =>
    nameText({name: 'web', replicas, wanted});
  expect(of([first], 1)).toBe('web');
  expect(of([first, second], 2)).toBe('web ×2');
  expect(of([first], 3)).toBe('web 1/3');
  expect(of([first, {...second, phase: 'exited'}], 2)).toBe('web 1/2');
  expect(of([], 2)).toBe('web 0/2');
  expect(of([first, second], undefined)).toBe('web ×2');
});

test('ports are told as far as there is room', () => {
  const {services} = fold(emptyScene(80, 24).state, {
    kind: 'snapshot',
    containers: [container('web', 1, {ports: [port(8000), port(8001), port(8002), port(8000)]})],
  });
  const replicas = services[0]?.replicas ?? [];
  expect([20, 13, 12, 7, 4].map((width) => portsText(replicas, width))).toEqual([
    '8000 8001 8002',
    '8000 8001 +1',
    '8000 8001 +1',
    '8000 +2',
    '8000 +2',
  ]);
  expect(portsText([])).toBe('');
});

test('the table is moved no more than needed', () => {
  expect([
    scrolledTop(0, 3, 10, 5),
    scrolledTop(0, 7, 10, 5),
    scrolledTop(5, 2, 10, 5),
    scrolledTop(9, 9, 10, 5),
    scrolledTop(3, 1, 2, 5),
    scrolledTop(3, 1, 2, 0),
  ]).toEqual([0, 3, 2, 5, 0, 0]);
});

test('a box leaves a margin where there is room for one', () => {
  expect([boxRoom(100, 30), boxRoom(40, 12), boxRoom(3, 4)]).toEqual([
    {width: 92, height: 26},
    {width: 40, height: 10},
    {width: 3, height: 4},
  ]);
  expect([boxHeight(30, 100, 5), boxHeight(30, 100, 50), boxHeight(2, 2, 50)]).toEqual([5, 24, 1]);
});
