import {expect, test} from 'vitest';
import {TscomposeError} from '../../../src/base/errors.ts';
import type {WatchRule} from '../../../src/model/types.ts';
import type {ProgressContent} from '../../../src/report/event.ts';
import type {WatchEngine} from '../../../src/watch/session/engine.ts';
import {createMeter} from '../../../src/watch/session/meter.ts';
import type {ServiceRule} from '../../../src/watch/session/rules.ts';
import {createRunActions} from '../../../src/watch/session/run-actions.ts';
import {manualClock} from '../manual-clock.ts';
import {memoryContainer} from './memory-container.ts';
import {memoryContainers} from './memory-containers.ts';

const ruleOf = (action: WatchRule['action'], parts: Partial<WatchRule> = {}): ServiceRule => ({
  id: `api ${action}`,
  service: 'api',
  rule: {path: '/src', action, target: '/app', ignore: [], include: [], initial_sync: false, ...parts},
  target: '/app',
});
const restart = ruleOf('sync+restart');
const command = ruleOf('sync+exec', {exec: {command: ['reload'], user: 'app', environment: {A: '1', B: null}}});

interface World {
  /** What restarting does; by default the container dies and starts, 50 ms later. */
  readonly onRestart?: () => void;
  readonly exitCode?: number;
  readonly probed?: boolean;
}

function begin({onRestart, exitCode = 0, probed = false}: World = {}) {
  const clock = manualClock();
  const containers = memoryContainers();
  const {container} = memoryContainer({id: '1', probed});
  containers.came(container);
  const events: ProgressContent[] = [];
  const steps: string[] = [];
  const asked: unknown[] = [];
  const engine = {
    getContainer: () => ({
      async exec(options: object) {
        asked.push(options);
        steps.push('exec');
        const output = (async function* () {
          yield {data: Buffer.from('one\n\ntwo\n')};
        })();
        return {start: async () => ({stdin: {end: () => {}}, output}), inspect: async () => ({ExitCode: exitCode})};
      },
    }),
  } as unknown as WatchEngine;
  const actions = createRunActions({
    service: 'api',
    engine,
    containers,
    restarts: {
      async restart() {
        steps.push('restart');
        if (onRestart !== undefined) return onRestart();
        containers.tell('died', '1');
        await clock.advance(50);
        containers.tell('started', '1');
      },
    },
    meter: createMeter(),
    clock,
    report: (event) => events.push(event),
    signal: new AbortController().signal,
    onAction: (phase) => steps.push(phase),
  });
  const savedAt = clock.now() - 30;
  return {
    clock,
    containers,
    steps,
    asked,
    actions,
    of: (kind: ProgressContent['kind']) => events.filter((event) => event.kind === kind),
    run: (...rules: readonly ServiceRule[]) =>
      actions.run({cause: {paths: new Set(['src/a']), savedAt}, actions: [{container, rules}], syncMs: 5}),
  };
}

test('a restart comes before commands, and the loop guard knows when they are at work', async () => {
  const {run, steps, asked, of, clock} = begin();
  await run(restart, command);
  expect(steps).toEqual(['begin', 'restart', 'exec', 'end']);
  expect(asked).toMatchObject([{Cmd: ['reload'], User: 'app', Env: ['A=1']}]);
  expect(of('watchExecuted')).toMatchObject([{exitCode: 0, output: ['one', 'two'], command: ['reload']}]);
  // Without a probe it is looked at for a moment, which is no part of the time that is told.
  await clock.advance(200);
  expect(of('watchRestarted')).toMatchObject([{outcome: 'running', syncMs: 5, restartMs: 50, servingMs: 80}]);
  expect(of('watchTimes')).toMatchObject([{final: false}]);
});

test('the time to serving ends when the probe says so; a newer restart takes the place of an older one', async () => {
  const {run, of, containers, clock} = begin({probed: true});
  await run(restart);
  await run(restart);
  await clock.advance(100);
  containers.health('1', 'healthy');
  await clock.advance(0);
  expect(of('watchRestarted')).toMatchObject([{outcome: 'starting'}, {outcome: 'healthy', outcomeMs: 150}]);
  expect(of('watchRestarted')[0]).not.toHaveProperty('servingMs');
});

test('from the second save on the latest are compared', async () => {
  const {run, of, clock} = begin();
  for (let save = 0; save < 3; save += 1) {
    await run(restart);
    await clock.advance(200);
  }
  const latest = of('watchRestarted').map((event) => (event.kind === 'watchRestarted' ? event.latest?.saves : 0));
  expect(latest).toEqual([undefined, 2, 3]);
});

test('what fails is told and ends nothing', async () => {
  const {run, of, steps} = begin({
    exitCode: 3,
    onRestart: () => {
      throw new TscomposeError('unavailable', 'the engine does not answer');
    },
  });
  await run(restart, command);
  expect(of('watchFailed')).toMatchObject([{failure: {message: 'the engine does not answer'}, pending: 0}]);
  expect(of('watchExecuted')).toMatchObject([{exitCode: 3, output: ['one', 'two']}]);
  expect(steps.at(-1)).toBe('end');
});
