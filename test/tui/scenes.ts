import {LogStore} from '../../src/tui/log-store.ts';
import {initialUiState, reduceUi} from '../../src/tui/reduce.ts';
import {renderLines} from '../../src/tui/render.ts';
import type {ContainerSnapshot, HealthInfo, Theme, UiEventContent, UiState} from '../../src/tui/types.ts';
import {view} from '../../src/tui/view.ts';

export const now = Date.UTC(2026, 0, 2, 12, 4, 31);
export const mebibyte = 1024 * 1024;

export interface Scene {
  readonly state: UiState;
  readonly logs: LogStore;
}

export function container(service: string, number: number, more: Partial<ContainerSnapshot> = {}): ContainerSnapshot {
  return {
    id: `${service}${number}`.padEnd(64, '0'),
    name: `shop-${service}-${number}`,
    service,
    number,
    phase: 'running',
    exitCode: undefined,
    oomKilled: false,
    stopRequested: false,
    health: undefined,
    startedAt: now - 130_000,
    finishedAt: undefined,
    restarts: 0,
    memoryLimit: undefined,
    cpuLimit: undefined,
    ports: [],
    ...more,
  };
}

export function health(status: HealthInfo['status'], more: Partial<HealthInfo> = {}): HealthInfo {
  return {status, failures: 0, retries: 3, exitCode: status === 'healthy' ? 0 : undefined, output: '', ...more};
}

export function port(published: number, target = published): ContainerSnapshot['ports'][number] {
  return {address: '0.0.0.0', published, target, protocol: 'tcp'};
}

export function fold(state: UiState, ...events: readonly UiEventContent[]): UiState {
  return events.reduce((next, event) => reduceUi(next, {time: now, ...event}), state);
}

export function emptyScene(columns: number, rows: number): Scene {
  return {
    state: initialUiState({project: 'shop', command: 'tscompose', columns, rows}),
    logs: new LogStore(),
  };
}

/** A shop on an afternoon: one service starts, one is ill, one job is done, a change waits. */
export function shopScene(columns: number, rows: number): Scene {
  const {state, logs} = emptyScene(columns, rows);
  const db = container('db', 1, {
    health: health('unhealthy', {failures: 3, exitCode: 2, output: 'too many clients already\n'}),
    startedAt: now - 540_000,
    restarts: 2,
    memoryLimit: 256 * mebibyte,
    cpuLimit: 200,
    ports: [port(5432)],
  });
  const web = (number: number): ContainerSnapshot =>
    container('web', number, {
      health: health('healthy'),
      memoryLimit: 256 * mebibyte,
      ports: [port(8000 + number - 1, 8000)],
    });
  const containers = [
    web(1),
    web(2),
    container('worker', 1, {
      health: health('starting', {failures: 1, exitCode: 1, output: 'queue not reachable'}),
      startedAt: now - 4000,
    }),
    db,
    container('cache', 1, {startedAt: now - 86_400_000 * 3, health: health('healthy'), memoryLimit: 64 * mebibyte}),
    container('migrate', 1, {phase: 'exited', exitCode: 0, startedAt: now - 125_000, finishedAt: now - 121_000}),
  ];
  const wave = (index: number, base: number, swing: number): number => base + swing * Math.abs(Math.sin(index / 2.3));
  const samples: UiEventContent[] = Array.from({length: 24}, (_, index) => ({
    kind: 'stats',
    samples: [
      {id: web(1).id, cpuPercent: wave(index, 4, 46), memoryBytes: 41 * mebibyte},
      {id: web(2).id, cpuPercent: wave(index + 2, 2, 30), memoryBytes: 40 * mebibyte},
      {id: container('worker', 1).id, cpuPercent: index > 18 ? 8 : 0, memoryBytes: 39.6 * mebibyte},
      {id: db.id, cpuPercent: wave(index, 150, 50), memoryBytes: 250 * mebibyte},
      {id: container('cache', 1).id, cpuPercent: 0.4, memoryBytes: 7.2 * mebibyte},
    ],
  }));
  const shop = fold(
    state,
    {
      kind: 'stack',
      project: 'shop',
      services: [
        {name: 'web', wanted: 2},
        {name: 'worker', wanted: 1},
        {name: 'db', wanted: 1},
        {name: 'cache', wanted: 1},
        {name: 'migrate', wanted: 1},
        {name: 'mail', wanted: 1},
      ],
    },
    {kind: 'snapshot', containers},
    ...samples,
    {
      kind: 'container',
      container: {...db, restarts: 3},
      cause: {time: now - 541_000, kind: 'oom', detail: 'limit 256 MiB'},
    },
    {
      kind: 'watch',
      watch: {status: 'on', rules: 3, p50Ms: 410, p95Ms: 870, pending: 0, detail: undefined},
    },
    {
      kind: 'watchApplied',
      service: 'web',
      text: 'saved src/pool.ts, synced and restarted',
      tookMs: 410,
      restarted: true,
    },
    {kind: 'container', container: {...web(1), startedAt: now - 40_000}},
    {kind: 'container', container: {...web(2), startedAt: now - 40_000}},
    {
      kind: 'plan',
      plan: {
        changes: 1,
        summary: '1 to create',
        services: ['mail'],
        starts: [],
        questions: [],
        text: [
          'shop',
          '',
          ' + mail      create 1 container: it is not there yet                      compose.yaml:41:3',
          '     · port 127.0.0.1:8025 → 8025/tcp',
          '',
          'Plan: 1 to create',
          '',
        ].join('\n'),
      },
    },
  );
  writeShopLogs(logs);
  return {state: {...shop, selection: {service: 'db'}}, logs};
}

function writeShopLogs(logs: LogStore): void {
  const lines: readonly (readonly [service: string, number: number, text: string])[] = [
    ['cache', 1, '* Ready to accept connections tcp'],
    ['db', 1, 'LOG:  database system is ready to accept connections'],
    ['migrate', 1, 'applied 3 migrations in 0.84s'],
    ['web', 1, '\x1b[36minfo\x1b[0m  listening on :8000'],
    ['web', 2, '\x1b[36minfo\x1b[0m  listening on :8000'],
    ['web', 1, 'GET /products 200 12ms'],
    ['web', 2, 'GET /products/41 200 9ms'],
    ['web', 1, 'POST /cart 201 31ms'],
    ['db', 1, 'WARNING:  there is already a transaction in progress'],
    ['web', 2, 'GET /cart 200 14ms'],
    ['db', 1, 'FATAL:  sorry, too many clients already'],
    ['web', 1, 'ERROR pool timeout: no connection to db:5432 within 2000ms, 20 of 20 in use, 14 waiting'],
    ['web', 1, 'GET /cart 500 2003ms'],
    ['worker', 1, '{"level":"warn","msg":"queue not reachable, trying again","attempt":1}'],
    ['db', 1, 'FATAL:  sorry, too many clients already'],
    ['web', 2, 'ERROR pool timeout: no connection to db:5432 within 2000ms'],
    ['worker', 1, '{"level":"info","msg":"waiting for db"}'],
    ['web', 2, 'GET /products/7 200 8ms'],
  ];
  for (const [index, [service, number, text]] of lines.entries()) {
    const source = {id: container(service, number).id, service, number};
    const time = now - 130_000 + index * 7000;
    logs.push(source, 'stdout', Buffer.from(`${text}\n`), time);
    if (service === 'db' && index === 10) logs.note(source, 'shop-db-1 started again: out of memory', time - 3500);
  }
}

/** Fifty services, most of them well. */
export function largeScene(columns: number, rows: number): Scene {
  const {state, logs} = emptyScene(columns, rows);
  const names = Array.from({length: 50}, (_, index) => `service-${String(index + 1).padStart(2, '0')}`);
  const containers = names.map((name, index) =>
    container(name, 1, {
      startedAt: now - index * 61_000,
      ...(index % 3 === 0 ? {health: health('healthy')} : {}),
      ...(index === 36 ? {phase: 'restarting' as const, exitCode: 1, restarts: 7} : {}),
      ...(index % 5 === 0 ? {ports: [port(9000 + index, 80)]} : {}),
      ...(index % 2 === 0 ? {memoryLimit: 512 * mebibyte} : {}),
    }),
  );
  const samples: UiEventContent[] = Array.from({length: 30}, (_, step) => ({
    kind: 'stats',
    samples: containers.map(({id}, index) => ({
      id,
      cpuPercent: (index * 7 + step * 5) % 97,
      memoryBytes: ((index * 37) % 480) * mebibyte,
    })),
  }));
  const large = fold(
    state,
    {kind: 'stack', project: 'platform', services: names.map((name) => ({name, wanted: 1}))},
    {kind: 'snapshot', containers},
    ...samples,
  );
  for (let index = 0; index < 2000; index++) {
    const name = names[(index * 17) % names.length] ?? '';
    const text = `request ${index} ${index % 41 === 0 ? 'ERROR' : 'INFO'} handled in ${index % 90}ms by worker ${index % 7}`;
    logs.push({id: name, service: name, number: 1}, 'stdout', Buffer.from(`${text}\n`), now - 200_000 + index * 100);
  }
  return {state: {...large, selection: {service: 'service-30'}}, logs};
}

export const noColor: Theme = {color: 'none', ascii: false};
export const fullColor: Theme = {color: '256', ascii: false, background: 'dark'};
export const ascii: Theme = {color: 'none', ascii: true};

/** The screen as text, without trailing blanks where it has no colours. */
export function picture({state, logs}: Scene, theme: Theme = noColor): string {
  const {columns, rows} = state;
  const lines = renderLines(view(state, logs, {columns, rows, now, theme, utcOffsetMinutes: 0}), theme);
  if (theme.color !== 'none') return `${lines.join('\n')}\n`;
  return `${lines.map((line) => line.replace(/\x1b\[[\d;]*m/g, '').trimEnd()).join('\n')}\n`;
}
