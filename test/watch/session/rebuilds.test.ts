import {expect, test} from 'vitest';
import {TscomposeError} from '../../../src/base/errors.ts';
import type {BuildImage} from '../../../src/reconcile/build-image.ts';
import {up} from '../../../src/reconcile/commands.ts';
import {lowerProject} from '../../../src/reconcile/lowering.ts';
import type {ProgressContent} from '../../../src/report/event.ts';
import type {WatchEngine} from '../../../src/watch/session/engine.ts';
import {createMeter} from '../../../src/watch/session/meter.ts';
import {createRebuilds} from '../../../src/watch/session/rebuilds.ts';
import {project} from '../../plan/fixtures.ts';
import {runOn} from '../../reconcile/harness.ts';
import {MemoryEngine} from '../../reconcile/memory-engine.ts';
import {memoryContainer} from './memory-container.ts';
import {memoryContainers} from './memory-containers.ts';

/** A stack that runs, but for `other`, which somebody has stopped. Its builds are the test's. */
async function begin(
  build: (image: string, number: number) => Promise<void> | void,
  before: (call: string) => void = () => {},
) {
  const engine = new MemoryEngine();
  const stack = project({
    services: {
      api: {image: 'api', build: {context: '/src/api'}},
      web: {image: 'web', build: {context: '/src/web'}},
      after: {depends_on: {web: {condition: 'service_started', required: true, restart: true}}},
      other: {depends_on: {web: {condition: 'service_started', required: true, restart: true}}},
    },
  });
  for (const image of ['api', 'web', 'after', 'other']) engine.addImage(image);
  let isUp = false;
  const run = runOn(engine, {
    before(call) {
      if (isUp) before(call);
    },
  });
  const events: ProgressContent[] = [];
  const lowering = {features: new Set<string>(['files']), version: '1.0.0'};
  await up({project: stack, ...lowerProject(stack, lowering), options: {}}, run.context);
  await run.context.engine.getContainer(engine.named('shop-other-1').id).stop();
  engine.calls.length = 0;
  isUp = true;
  const containers = memoryContainers();
  for (const service of ['api', 'web', 'after', 'other']) {
    const {id} = engine.named(`shop-${service}-1`);
    containers.came(memoryContainer({id, service, running: service !== 'other'}).container);
  }
  let number = 0;
  const builder: BuildImage = async ({build: {image}}) => {
    number += 1;
    await build(image, number);
    engine.images.set(image, {id: `sha256:${image}-${number}`, behaviour: {}});
  };
  const abort = new AbortController();
  const rebuilds = createRebuilds({
    engine: run.context.engine as WatchEngine,
    containers,
    project: () => stack,
    converge: {...run.context, build: builder, signal: abort.signal, report: (event) => events.push(event)},
    lowering,
    meter: createMeter(),
    prune: false,
    color: false,
  });
  const phases: string[] = [];
  return {
    engine,
    rebuilds,
    phases,
    abort: () => abort.abort(),
    builds: () => number,
    save: (service: string, path: string) =>
      rebuilds.request({
        service,
        cause: {paths: new Set([path]), savedAt: undefined},
        onReplace: (phase) => phases.push(phase),
      }),
    of: (kind: ProgressContent['kind']) => events.filter((event) => event.kind === kind),
  };
}

test('the image is built, its containers replaced, who follows comes along, and what was stopped stays so', async () => {
  const {save, rebuilds, engine, phases, of} = await begin(() => {});
  const before = engine.named('shop-web-1').id;
  save('web', 'web/a');
  await rebuilds.close();
  expect(engine.named('shop-web-1').id).not.toBe(before);
  expect(engine.named('shop-web-1').status).toBe('running');
  expect(engine.calls).toContain('stop shop-after-1');
  expect(engine.calls.filter((call) => /api|other/.test(call))).toEqual([]);
  expect(engine.named('shop-after-1').status).toBe('running');
  expect(engine.named('shop-other-1').status).toBe('exited');
  // The loop guard counts from the first start on, not while people save during a build.
  expect(phases).toEqual(['begin', 'end']);
  expect(of('watchRebuildFailed')).toEqual([]);
});

test('saves during a build lead to one more build after it', async () => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun: () => void = () => {};
  const first = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const {save, rebuilds, builds, of} = await begin(async (_image, number) => {
    if (number > 1) return;
    begun();
    await held;
  });
  save('web', 'web/a');
  await first;
  for (const path of ['web/b', 'web/c', 'web/d']) save('web', path);
  release();
  await rebuilds.close();
  expect(builds()).toBe(2);
  expect(of('watchRebuilt')).toMatchObject([
    {cause: {paths: ['web/a']}},
    {cause: {paths: ['web/b', 'web/c', 'web/d']}},
  ]);
});

test('a build that fails is told with its place and changes nothing; another service of the same save is replaced', async () => {
  const {save, rebuilds, engine, of} = await begin((image) => {
    if (image !== 'web') return;
    const message = 'exit code: 3';
    throw new TscomposeError('dependencyFailed', message, {
      diagnostics: [{severity: 'error', code: 'step-failed', message, file: 'web/Dockerfile', line: 3, column: 1}],
    });
  });
  const [web, api] = [engine.named('shop-web-1').id, engine.named('shop-api-1').id];
  save('web', 'lib/a');
  save('api', 'lib/a');
  await rebuilds.close();
  expect(engine.named('shop-web-1').id).toBe(web);
  expect(engine.named('shop-api-1').id).not.toBe(api);
  expect(of('watchRebuildFailed')).toMatchObject([
    {
      service: 'web',
      lines: expect.arrayContaining([expect.stringContaining('web/Dockerfile:3:1')]),
      failure: {message: 'exit code: 3'},
    },
  ]);
  expect(of('watchRebuilt')).toMatchObject([{service: 'api'}]);
});

test('containers that cannot be replaced are told of once, and so is the build that failed before', async () => {
  const {save, rebuilds, of} = await begin(
    (image) => {
      if (image === 'web') throw new TscomposeError('dependencyFailed', 'exit code: 3');
    },
    (call) => {
      if (call.startsWith('create ')) throw new TscomposeError('exhausted', 'no space left');
    },
  );
  save('web', 'lib/a');
  save('api', 'lib/a');
  await rebuilds.close();
  expect(of('watchRebuildFailed')).toMatchObject([
    {service: 'web', failure: {message: 'cannot build image "web": exit code: 3'}},
    {service: 'api', failure: {message: expect.stringContaining('no space left')}},
  ]);
});

test('an end during a build is no failure, and nothing is replaced', async () => {
  const {save, rebuilds, engine, abort, of} = await begin(() => {
    abort();
    throw new TscomposeError('canceled', 'interrupted');
  });
  save('web', 'web/a');
  await rebuilds.close();
  expect(engine.calls).toEqual([]);
  expect([...of('watchRebuildFailed'), ...of('watchRebuilt')]).toEqual([]);
});
