import type {ProgressContent} from '../../src/report/event.ts';
import {emptyState, type ViewRow} from '../../src/report/state.ts';
import {reduceKey} from '../../src/tui/keys.ts';
import type {Key} from '../../src/tui/types.ts';
import {container, emptyScene, fold, health, largeScene, mebibyte, now, port, type Scene, shopScene} from './scenes.ts';

/** Screens that are kept as text, by name; each is made for a size of the terminal. */
export const screens: Readonly<Record<string, (columns: number, rows: number) => Scene>> = {
  idle,
  starting,
  building,
  builds: (columns, rows) => pressed(building(columns, rows), 'B'),
  shop: shopScene,
  large: largeScene,
  search: (columns, rows) => pressed(shopScene(columns, rows), '/', 'p', 'o', 'o', 'l'),
  filter: (columns, rows) => pressed(shopScene(columns, rows), 'f', ...'level:warn', 'enter', 'W'),
  help: (columns, rows) => pressed(shopScene(columns, rows), '?'),
  plan: planned,
  events: (columns, rows) => pressed(shopScene(columns, rows), 'v'),
  why: (columns, rows) => pressed(shopScene(columns, rows), 'w'),
  confirm: (columns, rows) => pressed(shopScene(columns, rows), 's'),
  ports: (columns, rows) => pressed(withSelection(shopScene(columns, rows), 'web'), 'o'),
  replicas: (columns, rows) => pressed(withSelection(shopScene(columns, rows), 'web'), 'right', 'down', 'l', 'tab'),
  broken: brokenScene,
};

export function key(name: string, more: Partial<Key> = {}): Key {
  const text = [...name].length === 1 ? name : name === 'space' ? ' ' : '';
  return {name, ctrl: false, meta: false, shift: false, text, ...more};
}

/** After these keys, whatever they ask of the world left undone. */
export function pressed({state, logs}: Scene, ...names: readonly string[]): Scene {
  return {state: names.reduce((next, name) => reduceKey(next, key(name), logs).state, state), logs};
}

function withSelection({state, logs}: Scene, service: string): Scene {
  return {state: {...state, selection: {service}}, logs};
}

/** Everything runs, nobody asks anything. */
function idle(columns: number, rows: number): Scene {
  const {state, logs} = emptyScene(columns, rows);
  const containers = [
    container('web', 1, {health: health('healthy'), ports: [port(8080)], startedAt: now - 7_260_000}),
    container('api', 1, {health: health('healthy'), startedAt: now - 7_262_000}),
    container('store', 1, {
      health: health('healthy'),
      startedAt: now - 7_264_000,
      memoryLimit: 256 * mebibyte,
      cpuLimit: 50,
    }),
  ];
  for (const [index, {id, service, startedAt = now}] of containers.entries())
    logs.push(
      {id, service, number: 1},
      'stdout',
      Buffer.from(`${service} listens on port ${8080 - index}\n`),
      startedAt,
    );
  const samples = Array.from({length: 12}, () => ({
    kind: 'stats' as const,
    samples: containers.map(({id}, index) => ({
      id,
      cpuPercent: index / 4,
      memoryBytes: (19 - index * 5) * mebibyte,
    })),
  }));
  return {
    state: fold(
      state,
      {kind: 'stack', project: 'shop', services: ['web', 'api', 'store'].map((name) => ({name, wanted: 1}))},
      {kind: 'snapshot', containers},
      ...samples,
      {
        kind: 'plan',
        plan: {changes: 0, summary: '', text: 'Plan: nothing to do\n', services: [], starts: [], questions: []},
      },
    ),
    logs,
  };
}

/** `up` is under way: one waits for another, one is being made. */
function starting(columns: number, rows: number): Scene {
  const {state, logs} = emptyScene(columns, rows);
  const begun = fold(
    state,
    {kind: 'stack', project: 'shop', services: ['web', 'api', 'store'].map((name) => ({name, wanted: 1}))},
    {kind: 'actionStarted', command: 'tscompose up -d'},
    {
      kind: 'snapshot',
      containers: [
        container('api', 1, {phase: 'created', startedAt: undefined}),
        container('store', 1, {health: health('starting'), startedAt: now - 900}),
      ],
    },
  );
  const {action} = begun;
  if (action === undefined) throw new Error('no action was started');
  const rowsOfProgress: readonly ViewRow[] = [
    {
      kind: 'service',
      name: 'service api',
      phase: 'waiting',
      status: 'waiting',
      detail: 'store is starting',
      startedAt: now - 900,
      endedAt: undefined,
      failure: undefined,
      open: 1,
    },
  ];
  return {
    state: {
      ...begun,
      action: {...action, startedAt: now - 1400, progress: {...emptyState, rows: rowsOfProgress}},
    },
    logs,
  };
}

/** The first `up` of a stack: nothing runs, two images are being built, and one could not be. */
function building(columns: number, rows: number): Scene {
  const {state, logs} = emptyScene(columns, rows);
  const events = (build: string, from: number, ...told: readonly BuildTold[]) =>
    told.map((event, index) => ({
      kind: 'progress' as const,
      event: {time: now - from + index * 400, kind: 'build' as const, build, event},
    }));
  const begin = (step: number, title: string) => ({kind: 'step', step, title, status: 'start'}) as const;
  const end = (step: number, status: 'cached' | 'done' | 'failed') => ({kind: 'step', step, status}) as const;
  const say = (step: number, text: string) => ({kind: 'output', step, stream: 'stdout', text}) as const;
  return {
    state: fold(
      state,
      {kind: 'stack', project: 'shop', services: ['web', 'api', 'mail'].map((name) => ({name, wanted: 1}))},
      {kind: 'actionStarted', command: 'tscompose up -d'},
      ...events(
        'web',
        9000,
        ...[{kind: 'began'} as const, begin(0, '[build 1/4] FROM node:20'), end(0, 'cached')],
        ...[begin(1, '[build 2/4] WORKDIR /srv'), end(1, 'cached'), begin(2, '[build 3/4] COPY . .'), end(2, 'done')],
        ...[
          begin(3, '[build 4/4] RUN npm ci'),
          say(3, 'added 412 packages\n'),
          say(3, 'running prepare\nbuilding 3 of 9'),
        ],
      ),
      ...events(
        'mail',
        6000,
        ...[{kind: 'began'} as const, begin(0, '[1/2] FROM busybox'), end(0, 'cached')],
        ...[begin(1, '[2/2] RUN make'), say(1, 'make: no rule to make target "all"\n'), end(1, 'failed')],
        {kind: 'ended', outcome: 'failed'},
      ),
      ...events('api', 1500, {kind: 'began'}, begin(0, '[1/3] FROM python:3')),
    ),
    logs,
  };
}

type BuildTold = Extract<ProgressContent, {readonly kind: 'build'}>['event'];

function planned(columns: number, rows: number): Scene {
  const {state, logs} = shopScene(columns, rows);
  const plan = {
    changes: 2,
    summary: '1 to recreate · 1 to create',
    services: ['web', 'mail'],
    starts: [],
    questions: ['remove 1 container of the service "old", which the stack file no longer has?'],
    text: [
      'shop',
      '',
      ' ± web       recreate 2 containers                                        compose.yaml:4:1',
      '     · environment.LOG_LEVEL  info → debug                                compose.yaml:9:18',
      ' + mail      create 1 container: it is not there yet                      compose.yaml:41:3',
      '',
      'Plan: 1 to recreate, 1 to create',
      '',
    ].join('\n'),
  };
  return pressed({state: fold(state, {kind: 'plan', plan}), logs}, 'p');
}

/** The engine is away, the stack file has an error, watching is paused, the last action failed. */
function brokenScene(columns: number, rows: number): Scene {
  const {state, logs} = shopScene(columns, rows);
  return {
    state: fold(
      state,
      {
        kind: 'watch',
        watch: {status: 'paused', rules: 3, p50Ms: 410, p95Ms: 870, pending: 2, detail: 'sets itself off'},
      },
      {
        kind: 'plan',
        plan: {
          ...{changes: 0, summary: '', text: '', services: [], starts: [], questions: []},
          problem: 'error[type]: services.web.ports must be a list\n  --> compose.yaml:7:12',
        },
      },
      {kind: 'actionStarted', command: 'tscompose restart db'},
      {kind: 'actionEnded', outcome: 'failed', message: 'container "shop-db-1" does not stop: no such process'},
      {kind: 'connection', connected: false, reason: 'connect ECONNREFUSED'},
    ),
    logs,
  };
}
