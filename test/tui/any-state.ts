import fc from 'fast-check';
import {reduceKey} from '../../src/tui/keys.ts';
import {LogStore} from '../../src/tui/log-store.ts';
import {initialUiState, reduceUi} from '../../src/tui/reduce.ts';
import type {ContainerSnapshot, Key, UiEventContent} from '../../src/tui/types.ts';
import {anyText} from './any-text.ts';
import {now, type Scene} from './scenes.ts';

const time = fc.constantFrom(now, now - 1, now - 61_000, now - 90_000_000, now + 5000, 0);
const amount = fc.oneof(fc.nat(200), fc.constantFrom(0, 1e3, 1e9, 1e15));
const level = fc.constantFrom('info', 'good', 'warning', 'error');
/** Few names, so that events meet: one is hostile. */
const name = fc.oneof({weight: 3, arbitrary: fc.constantFrom('web', 'db', 'a-service-with-a-long-name')}, anyText);

const snapshot: fc.Arbitrary<ContainerSnapshot> = fc
  .record({
    service: name,
    number: fc.integer({min: 1, max: 3}),
    phase: fc.constantFrom(
      ...([
        'created',
        'starting',
        'running',
        'paused',
        'restarting',
        'stopping',
        'exited',
        'dead',
        'removing',
      ] as const),
    ),
    exitCode: fc.option(fc.constantFrom(0, 1, 137, 143), {nil: undefined}),
    oomKilled: fc.boolean(),
    stopRequested: fc.boolean(),
    health: fc.option(
      fc.record({
        status: fc.constantFrom('starting', 'healthy', 'unhealthy'),
        failures: fc.nat(5),
        retries: fc.option(fc.nat(5), {nil: undefined}),
        exitCode: fc.option(fc.integer({min: -1, max: 255}), {nil: undefined}),
        output: anyText,
      }),
      {nil: undefined},
    ),
    startedAt: fc.option(time, {nil: undefined}),
    finishedAt: fc.option(time, {nil: undefined}),
    restarts: fc.nat(3000),
    memoryLimit: fc.option(amount, {nil: undefined}),
    cpuLimit: fc.option(amount, {nil: undefined}),
    ports: fc.array(
      fc.record({
        address: fc.constantFrom('0.0.0.0', '::', '127.0.0.1', ''),
        published: fc.option(fc.nat(65_535), {nil: undefined}),
        target: fc.nat(65_535),
        protocol: fc.constantFrom('tcp', 'udp'),
      }),
      {maxLength: 4},
    ),
  })
  .map((fields) => ({
    ...fields,
    id: `${fields.service}${fields.number}`,
    name: `shop-${fields.service}-${fields.number}`,
  }));

const event: fc.Arbitrary<UiEventContent> = fc.oneof(
  fc.record({
    kind: fc.constant('stack'),
    project: name,
    services: fc.uniqueArray(fc.record({name, wanted: fc.nat(3)}), {selector: (one) => one.name, maxLength: 60}),
  }),
  fc.record({
    kind: fc.constant('build'),
    build: name,
    event: fc.oneof(
      fc.constantFrom({kind: 'began'} as const, {kind: 'ended', outcome: 'failed'} as const),
      fc.record({kind: fc.constant('step'), step: fc.nat(8), title: anyText, status: fc.constant('start')}),
      fc.record({kind: fc.constant('step'), step: fc.nat(8), status: fc.constantFrom('cached', 'done', 'failed')}),
      fc.record({kind: fc.constant('output'), step: fc.nat(8), stream: fc.constant('stdout'), text: anyText}),
    ),
  }),
  fc.record({
    kind: fc.constant('snapshot'),
    containers: fc.uniqueArray(snapshot, {selector: ({id}) => id, maxLength: 6}),
  }),
  fc.record({
    kind: fc.constant('container'),
    container: snapshot,
    cause: fc.record({time, kind: fc.constantFrom('exit', 'oom', 'watch', 'command'), detail: anyText}),
  }),
  snapshot.map(({id}) => ({kind: 'containerGone' as const, id})),
  fc.record({
    kind: fc.constant('stats'),
    samples: fc.array(fc.record({id: snapshot.map(({id}) => id), cpuPercent: amount, memoryBytes: amount}), {
      maxLength: 4,
    }),
  }),
  fc.record({
    kind: fc.constant('plan'),
    plan: fc.record(
      {
        changes: fc.nat(5),
        summary: anyText,
        text: anyText,
        services: fc.array(name, {maxLength: 3}),
        starts: fc.array(name, {maxLength: 3}),
        questions: fc.array(anyText, {maxLength: 2}),
        problem: anyText,
      },
      {requiredKeys: ['changes', 'summary', 'text', 'services', 'starts', 'questions']},
    ),
  }),
  fc.record({
    kind: fc.constant('watch'),
    watch: fc.record({
      status: fc.constantFrom('on', 'paused', 'failed'),
      rules: fc.nat(9),
      p50Ms: fc.option(amount, {nil: undefined}),
      p95Ms: fc.option(amount, {nil: undefined}),
      pending: fc.nat(9999),
      detail: fc.option(anyText, {nil: undefined}),
      building: fc.array(fc.record({service: name, step: fc.constantFrom('', '[2/3]')}), {maxLength: 3}),
    }),
  }),
  fc.record({kind: fc.constant('notice'), level, text: anyText, service: name}),
  fc.record({kind: fc.constant('actionStarted'), command: anyText}),
  fc.record({kind: fc.constant('actionEnded'), outcome: fc.constantFrom('done', 'failed'), message: anyText}),
  fc.record({kind: fc.constant('connection'), connected: fc.boolean(), reason: anyText}),
) as fc.Arbitrary<UiEventContent>;

const keyName = fc.constantFrom(
  ...['up', 'down', 'left', 'right', 'pageup', 'pagedown', 'home', 'end', 'tab', 'enter', 'escape', 'backspace'],
  ...[
    'space',
    '/',
    'f',
    'l',
    'n',
    'N',
    'x',
    'W',
    't',
    'P',
    'G',
    'g',
    'p',
    'a',
    'v',
    'B',
    'w',
    'o',
    'r',
    's',
    'y',
    '?',
    'q',
  ],
);

const pressedKey: fc.Arbitrary<Key> = fc.oneof(
  keyName.map((typed) => ({
    name: typed,
    ctrl: false,
    meta: false,
    shift: false,
    text: typed.length === 1 ? typed : '',
  })),
  anyText.map((text) => ({name: 'paste', ctrl: false, meta: false, shift: false, text})),
);

type Step =
  | {readonly kind: 'event'; readonly event: UiEventContent}
  | {readonly kind: 'key'; readonly key: Key}
  | {readonly kind: 'output'; readonly service: string; readonly text: string};

const step: fc.Arbitrary<Step> = fc.oneof(
  event.map((content) => ({kind: 'event' as const, event: content})),
  pressedKey.map((key) => ({kind: 'key' as const, key})),
  fc.tuple(name, anyText).map(([service, text]) => ({kind: 'output' as const, service, text: `${text}\n`})),
);

/** A screen after any events, keys and output, in a terminal of any size. */
export const anyScene: fc.Arbitrary<Scene> = fc
  .record({
    columns: fc.oneof(fc.integer({min: 1, max: 250}), fc.constantFrom(1, 2, 39, 40, 59, 60, 80, 119, 120, 160)),
    rows: fc.oneof(fc.integer({min: 1, max: 70}), fc.constantFrom(1, 2, 3, 4, 5, 8, 24)),
    steps: fc.array(step, {maxLength: 24}),
  })
  .map(({columns, rows, steps}) => {
    const logs = new LogStore({linesPerService: 50});
    let state = initialUiState({project: 'shop', command: 'tscompose', columns, rows});
    for (const [index, one] of steps.entries()) {
      if (one.kind === 'event') state = reduceUi(state, {time: now, ...one.event});
      else if (one.kind === 'key') state = reduceKey(state, one.key, logs).state;
      else
        logs.push(
          {id: one.service, service: one.service, number: 1},
          'stdout',
          Buffer.from(one.text),
          now - 1000 + index,
        );
    }
    return {state, logs};
  });
