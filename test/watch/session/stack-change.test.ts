import {expect, test} from 'vitest';
import {TscomposeError} from '../../../src/base/errors.ts';
import type {Project, Service} from '../../../src/model/types.ts';
import {up} from '../../../src/reconcile/commands.ts';
import {lowerProject} from '../../../src/reconcile/lowering.ts';
import type {WatchContent} from '../../../src/report/watch-event.ts';
import {applyStackChange, type StackSource} from '../../../src/watch/session/stack-change.ts';
import {project} from '../../plan/fixtures.ts';
import {runOn} from '../../reconcile/harness.ts';
import {MemoryEngine} from '../../reconcile/memory-engine.ts';

const features: ReadonlySet<string> = new Set(['files']);
const lowering = {features, version: '1.0.0'};
const cause = {paths: ['compose.yaml'], more: 0};
const stackOf = (services: Readonly<Record<string, Partial<Service>>>, name = 'shop'): Project =>
  project({name, services});

/** A stack that runs as `services` say, and how another one is taken over. */
async function begin(services: Readonly<Record<string, Partial<Service>>>) {
  const engine = new MemoryEngine();
  for (const image of ['api', 'web', 'db']) engine.addImage(image);
  const first = runOn(engine);
  const before = stackOf(services);
  await up({project: before, ...lowerProject(before, lowering), options: {}}, first.context);
  const undecided = new Set<string>();
  let current = before;
  return {
    engine,
    undecided,
    async change(load: () => Promise<Project>, ask?: StackSource['ask'], newer = new AbortController().signal) {
      const run = runOn(engine);
      const calls = engine.calls.length;
      const stack: StackSource = {
        load,
        inputs: () => [],
        upOptions: () => ({}),
        ...lowering,
        upCommand: 'tscompose up -d',
        color: false,
        ...(ask === undefined ? {} : {ask}),
      };
      const applied = await applyStackChange({stack, before: current, cause, converge: run.context, newer, undecided});
      if (applied !== undefined) current = applied;
      const told = run.events.filter((event): event is WatchContent & typeof event => event.kind === 'watchStack');
      return {
        applied,
        calls: engine.calls.slice(calls),
        states: told.map((event) => (event.kind === 'watchStack' ? event.state : '')),
        told,
      };
    },
  };
}

const say = (services: Readonly<Record<string, Partial<Service>>>) => async () => stackOf(services);

test('what only creates, replaces and starts is carried out by itself', async () => {
  const {change} = await begin({api: {}});
  const {states, told, calls, applied} = await change(say({api: {environment: {WORD: 'two'}}, web: {}}));
  expect(states).toEqual(['applying', 'applied']);
  expect(told[0]).toMatchObject({
    lines: [
      expect.stringMatching(/^recreates container shop-api-1: configuration changed \(environment\.WORD\)$/),
      'creates container shop-web-1: no existing container',
    ],
  });
  expect(calls).toContain('start shop-web-1');
  expect(applied?.services).toHaveProperty('web');
  expect((await change(say({api: {environment: {WORD: 'two'}}, web: {}}))).states).toEqual(['unchanged']);
});

test('a stack that cannot be loaded, or is another project, changes nothing, and the old one counts', async () => {
  const {change} = await begin({api: {}});
  const broken = await change(async () => {
    throw new TscomposeError('invalid', 'services.api: unknown attribute', {hint: 'look again'});
  });
  expect(broken).toMatchObject({applied: undefined, calls: [], states: ['invalid']});
  expect(broken.told[0]).toMatchObject({lines: ['services.api: unknown attribute', 'hint: look again']});
  const renamed = await change(async () => stackOf({api: {}}, 'store'));
  expect(renamed).toMatchObject({applied: undefined, calls: [], states: ['held']});
  expect(renamed.told[0]).toMatchObject({lines: ['the project is called "store" now, and "shop" runs']});
});

test('containers of a service that left the file stay where nobody can be asked; that is told once', async () => {
  const {change, engine} = await begin({api: {}, web: {}});
  const {states, told} = await change(say({api: {}}));
  expect(states).toEqual(['unchanged', 'held']);
  expect(told[1]).toMatchObject({
    lines: ['removes container shop-web-1: no service in the stack file has it'],
    command: 'tscompose up -d --remove-orphans',
  });
  expect(engine.names('running')).toEqual(['shop-api-1', 'shop-web-1']);
  expect((await change(say({api: {}, db: {}}))).states).toEqual(['applying', 'applied']);
});

test('a person who is asked decides: yes removes, no keeps', async () => {
  const {change, engine} = await begin({api: {}, web: {}, db: {}});
  const questions: string[] = [];
  const no = await change(say({api: {}, web: {}}), async (question) => {
    questions.push(question);
    return false;
  });
  expect(questions).toEqual(['apply it?']);
  expect(no.calls).toEqual([]);
  expect(engine.names('running')).toContain('shop-db-1');
  await change(say({api: {}}), async () => true);
  expect(engine.names()).toEqual(['shop-api-1']);
});

test('a question that a newer save ends is asked again with it', async () => {
  const {change, engine, undecided} = await begin({api: {}, web: {}});
  const newer = new AbortController();
  const ended = await change(
    say({api: {}}),
    async () => {
      newer.abort();
      throw new TscomposeError('canceled', 'interrupted');
    },
    newer.signal,
  );
  expect(ended.calls).toEqual([]);
  expect([...undecided]).toEqual(['web']);
  const again = await change(say({api: {environment: {WORD: 'two'}}}), async () => true);
  expect(again.states).toEqual(['applying', 'applied', 'held', 'applying', 'applied']);
  expect(engine.names()).toEqual(['shop-api-1']);
  expect([...undecided]).toEqual([]);
});

test('a service that comes back is no question any more', async () => {
  const {change, undecided} = await begin({api: {}, web: {}});
  const newer = new AbortController();
  newer.abort();
  await change(
    say({api: {}}),
    async () => {
      throw new TscomposeError('canceled', 'interrupted');
    },
    newer.signal,
  );
  expect([...undecided]).toEqual(['web']);
  expect((await change(say({api: {}, web: {}}), async () => true)).states).toEqual(['unchanged']);
  expect([...undecided]).toEqual([]);
});

test('what fails on the way is told, and the old stack counts', async () => {
  const {change, engine} = await begin({api: {}});
  engine.images.delete('web');
  const {applied, states} = await change(say({api: {}, web: {}}));
  expect(applied).toBeUndefined();
  expect(states.at(-1)).toBe('failed');
});
