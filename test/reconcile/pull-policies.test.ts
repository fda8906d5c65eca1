import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import type {Service} from '../../src/model/types.ts';
import type {UpOptions} from '../../src/plan/input.ts';
import {up} from '../../src/reconcile/commands.ts';
import {pullImages} from '../../src/reconcile/pull-images.ts';
import {desiredOf, project} from '../plan/fixtures.ts';
import {loweringOf, runOn} from './harness.ts';
import {MemoryEngine} from './memory-engine.ts';
import {type PullCase, pullCases, pullCommands} from './pull-cases.mjs';

interface Answer {
  /** The registry was asked. */
  readonly asks: boolean;
  /** Where the image is from that there is in the end. */
  readonly image: string;
  readonly ends: string;
}

const recorded = JSON.parse(readFileSync(new URL('../recorded/pull-policies.json', import.meta.url), 'utf8')) as {
  readonly answers: Readonly<Record<string, Answer>>;
};

/** The same as a command of ours does it. */
async function answerOf({kind, policy, command, isHere, isThere}: PullCase): Promise<Answer> {
  const image = kind === 'build' ? 'shop-a' : 'r.test/a:1';
  const service: Partial<Service> = {
    ...(kind === 'image' ? {} : {build: {context: '/src'}}),
    ...(policy === 'none' ? {} : {pull_policy: policy}),
  };
  const named = project({services: {a: {...service, image}}});
  const {image: _image, ...unnamed} = named.services['a'] ?? {};
  const of = kind === 'build' ? {...named, services: {a: unnamed}} : named;
  const engine = new MemoryEngine();
  if (isThere) engine.registry.set(image, {id: 'registry', behaviour: {}});
  let asks = false;
  const before = async (call: string) => {
    if (call.startsWith('pull')) asks = true;
  };
  const run = runOn(engine, {before});
  const context = {
    ...run.context,
    build: async () => void engine.images.set(image, {id: 'built', behaviour: {}}),
  };
  if (isHere) engine.images.set(image, {id: 'local', behaviour: {}, taggedAt: context.clock.now() - 1100});
  const [verb = '', ...words] = pullCommands[command] ?? [];
  const flag = (name: string) => words[words.indexOf(name) + 1];
  const work =
    verb === 'pull'
      ? pullImages(
          {
            project: of,
            options: {
              ignoreBuildable: words.includes('--ignore-buildable'),
              ...(words.includes('--policy') && {policy: flag('--policy') as 'always' | 'missing'}),
            },
            ignoreFailures: false,
          },
          context,
        )
      : up(
          {
            ...{project: of, desired: desiredOf(of), lowering: loweringOf(of)},
            options: {
              ...{noStart: true, build: words.includes('--build'), noBuild: words.includes('--no-build')},
              ...(words.includes('--pull') && {pull: flag('--pull') as NonNullable<UpOptions['pull']>}),
            },
          },
          context,
        );
  const ends = await work.then(
    () => 'well',
    () => 'badly',
  );
  return {asks, image: engine.images.get(image)?.id ?? 'none', ends};
}

test('what is pulled, built or used as it is: every case as Docker Compose does it', async () => {
  const cases = pullCases();
  expect(cases.map(({name}) => name)).toEqual(Object.keys(recorded.answers));
  const ours: Record<string, Answer> = {};
  for (const one of cases) ours[one.name] = await answerOf(one);
  expect(ours).toEqual(recorded.answers);
});
