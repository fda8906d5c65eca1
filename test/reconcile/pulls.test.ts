import {once} from 'node:events';
import {expect, test} from 'vitest';
import {TscomposeError} from '../../src/base/errors.ts';
import type {NodeId} from '../../src/plan/action.ts';
import {createPulls} from '../../src/reconcile/pulls.ts';
import {createWorkMemory} from '../../src/reconcile/work-memory.ts';
import type {ProjectParts} from '../plan/fixtures.ts';
import {engineFor, runOn, upProject} from './harness.ts';
import {MemoryEngine} from './memory-engine.ts';

const started = {condition: 'service_started', required: true} as const;

test('a missing image is pulled while everything else starts, and its service starts when it is there', async () => {
  const parts: ProjectParts = {services: {here: {}, gone: {image: 'gone'}, after: {depends_on: {gone: started}}}};
  const engine = engineFor(parts);
  engine.images.delete('gone');
  engine.registry.set('gone', {id: 'sha256:gone', behaviour: {}});
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const run = runOn(engine, {before: async (call) => (call === 'pull gone:latest' ? await held : undefined)});
  const up = upProject(parts, run);
  await expect.poll(() => engine.calls).toContain('start shop-here-1');
  expect(engine.calls.some((call) => call.includes('shop-gone-1') || call.startsWith('start shop-after'))).toBe(false);
  release();
  await up;
  expect(engine.names('running')).toEqual(['shop-after-1', 'shop-gone-1', 'shop-here-1']);
  expect(engine.calls.indexOf('start shop-gone-1')).toBeLessThan(engine.calls.indexOf('start shop-after-1'));
  expect(run.lines()).toContain('image gone pulled');
  expect(run.events.filter(({kind}) => kind === 'nodeProgress')).toMatchObject([{detail: '1.0 of 2.0 MB'}]);
});

test('a pull that fails fails what needs it, and nothing else', async () => {
  const parts: ProjectParts = {services: {here: {}, gone: {image: 'gone'}, after: {depends_on: {gone: started}}}};
  const engine = engineFor(parts);
  engine.images.delete('gone');
  const run = runOn(engine);
  await expect(upProject(parts, run)).rejects.toMatchObject({
    kind: 'notFound',
    message: 'registry docker.io: manifest gone:latest: manifest unknown',
  });
  expect(engine.names('running')).toEqual(['shop-here-1']);
  expect(engine.calls.filter((call) => call.startsWith('pull'))).toEqual([]);
  expect(run.events.filter(({kind}) => kind === 'nodeFailed')).toHaveLength(1);
});

test('an image that is always pulled replaces the containers of the older one, once', async () => {
  const parts: ProjectParts = {services: {a: {pull_policy: 'always'}}};
  const engine = engineFor(parts);
  engine.registry.set('a', {id: 'sha256:a', behaviour: {}});
  await upProject(parts, runOn(engine));
  expect(engine.calls).toEqual(['pull a:latest', 'create shop-a-1', 'start shop-a-1']);
  engine.calls.length = 0;
  await upProject(parts, runOn(engine));
  expect(engine.calls).toEqual(['pull a:latest']);
  engine.registry.set('a', {id: 'sha256:newer', behaviour: {}});
  engine.calls.length = 0;
  await upProject(parts, runOn(engine));
  expect(engine.calls).toHaveLength(6);
  expect(engine.calls).toContain('pull a:latest');
  expect(engine.named('shop-a-1').body.Image).toBe('a');
});

test('an image that was built and cannot be pulled is used as it is', async () => {
  const parts: ProjectParts = {services: {a: {pull_policy: 'always', build: {context: '/src'}}}};
  const engine = engineFor(parts);
  const run = runOn(engine);
  await upProject(parts, run);
  expect(engine.names('running')).toEqual(['shop-a-1']);
  expect(run.lines()[0]).toBe(
    'warning: registry docker.io: manifest a:latest: manifest unknown; image "a" is used as it was built',
  );
});

test('a command that is interrupted lets the pull go', async () => {
  const engine = new MemoryEngine();
  const parts: ProjectParts = {services: {a: {}}};
  const run = runOn(engine, {
    before: async (call) => {
      if (call.startsWith('pull')) {
        run.abort();
        throw new DOMException('aborted', 'AbortError');
      }
    },
  });
  await expect(upProject(parts, run)).rejects.toMatchObject({kind: 'canceled'});
  expect(run.events.at(-1)).toMatchObject({kind: 'summary', summary: {outcome: 'canceled'}});
});

test('a command that has failed otherwise does not wait for an image to come', async () => {
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const memory = createWorkMemory();
  const pulls = createPulls({
    engine: {
      async pull(_name, {abortSignal} = {}) {
        begin();
        if (abortSignal) await once(abortSignal, 'abort');
        throw new DOMException('aborted', 'AbortError');
      },
    },
    ...{memory, report: () => {}, now: () => 0, signal: new AbortController().signal},
  });
  pulls.begin([
    {id: 1 as NodeId, after: [], why: {reason: ''}, action: {kind: 'pullImage', image: 'a', services: ['a']}},
  ]);
  await begun;
  await pulls[Symbol.asyncDispose]();
  expect(memory.failures).toEqual(new Map());
});

test('a pull that another side gives up has failed, and is not begun again', async () => {
  const parts: ProjectParts = {services: {a: {pull_policy: 'always'}}};
  const engine = engineFor(parts);
  let pulls = 0;
  const run = runOn(engine, {
    before: async (call) => {
      if (!call.startsWith('pull')) return;
      pulls += 1;
      throw new TscomposeError('canceled', 'the engine is closed');
    },
  });
  await expect(upProject(parts, run)).rejects.toThrow('the engine is closed');
  expect(pulls).toBe(1);
});
