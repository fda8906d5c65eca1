import {once} from 'node:events';
import {expect, test} from 'vitest';
import {TscomposeError} from '../../src/base/errors.ts';
import type {NodeId} from '../../src/plan/action.ts';
import type {BuildImage} from '../../src/reconcile/build-image.ts';
import {createImageWork} from '../../src/reconcile/image-work.ts';
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
  const pulls = createImageWork({
    project: undefined,
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

test('that registries are asked without a login is told once', async () => {
  const told: string[] = [];
  const pulls = createImageWork({
    project: undefined,
    engine: {
      async pull() {
        return (async function* () {})();
      },
    },
    registryAuth: async (_image, tell) => {
      tell({severity: 'warning', code: 'no-credentials', message: 'asked without a login', hint: 'install it'});
      return undefined;
    },
    report: (event) => event.kind === 'notice' && told.push(`${event.notice.message}: ${event.notice.hint}`),
    ...{memory: createWorkMemory(), now: () => 0, signal: new AbortController().signal},
  });
  const node = (id: number, image: string) => ({
    ...{id: id as NodeId, after: [], why: {reason: ''}},
    action: {kind: 'pullImage', image, services: ['a']} as const,
  });
  pulls.begin([node(1, 'a'), node(2, 'b')]);
  while (pulls.areUnderWay()) await pulls.next();
  await pulls[Symbol.asyncDispose]();
  expect(told).toEqual(['asked without a login: install it']);
});

test('pulls of one name come one after the other, as planned, whether they go well or not', async () => {
  const told: string[] = [];
  const pulls = createImageWork({
    project: undefined,
    engine: {
      async pull(name, {platform = 'whatever'} = {}) {
        told.push(`${name} ${platform}`);
        await new Promise(setImmediate);
        told.push(`end ${platform}`);
        throw new TscomposeError('notFound', `there is none for ${platform}`);
      },
    },
    ...{memory: createWorkMemory(), report: () => {}, now: () => 0, signal: new AbortController().signal},
  });
  const node = (id: number, image: string, platform?: string) => ({
    ...{id: id as NodeId, after: [], why: {reason: ''}},
    action: {kind: 'pullImage', image, services: ['a'], ...(platform && {platform})} as const,
  });
  pulls.begin([node(1, 'a', 'linux/arm64'), node(2, 'a'), node(3, 'b', 'linux/s390x')]);
  while (pulls.areUnderWay()) await pulls.next();
  await pulls[Symbol.asyncDispose]();
  expect(told.filter((text) => !text.includes('s390x'))).toEqual([
    ...['a:latest linux/arm64', 'end linux/arm64', 'a:latest whatever', 'end whatever'],
  ]);
  // Another name waits for nobody.
  expect(told.indexOf('b:latest linux/s390x')).toBeLessThan(told.indexOf('end linux/arm64'));
});

test('an image that comes while a plan is made that still wants it is not begun again', async () => {
  let pulls = 0;
  const work = createImageWork({
    project: undefined,
    engine: {
      async pull() {
        pulls += 1;
        throw new TscomposeError('notFound', 'there is none');
      },
    },
    ...{memory: createWorkMemory(), report: () => {}, now: () => 0, signal: new AbortController().signal},
  });
  const node = {
    ...{id: 1 as NodeId, after: [], why: {reason: ''}},
    action: {kind: 'pullImage', image: 'a', services: ['a']} as const,
  };
  work.planBegins();
  work.begin([node]);
  work.planBegins();
  await work.next();
  work.begin([node]);
  expect(work.areUnderWay()).toBe(false);
  work.planBegins();
  work.begin([node]);
  await work.next();
  expect(pulls).toBe(2);
  await work[Symbol.asyncDispose]();
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

const never = {pull_policy: 'never', build: {context: '/src'}} as const;

test('images are built while everything else starts, and each service starts when its own is there', async () => {
  const parts: ProjectParts = {
    services: {
      api: {...never, build: {context: '/src', additional_contexts: {ground: 'service:base'}}},
      base: never,
      here: {},
      slow: never,
    },
  };
  const engine = new MemoryEngine();
  engine.addImage('here');
  const run = runOn(engine);
  const gates = new Map<string, () => void>();
  const build: BuildImage = async ({build: {image}}) => {
    engine.calls.push(`build ${image}`);
    await new Promise<void>((resolve) => gates.set(image, resolve));
    engine.addImage(image);
  };
  const done = upProject(parts, {...run, context: {...run.context, build}});
  await expect.poll(() => [...gates.keys()].sort()).toEqual(['base', 'slow']);
  await expect.poll(() => engine.names('running')).toEqual(['shop-here-1']);
  gates.get('base')?.();
  await expect.poll(() => [...gates.keys()].sort()).toEqual(['api', 'base', 'slow']);
  await expect.poll(() => engine.names('running')).toEqual(['shop-base-1', 'shop-here-1']);
  gates.get('api')?.();
  await expect.poll(() => engine.names('running')).toEqual(['shop-api-1', 'shop-base-1', 'shop-here-1']);
  gates.get('slow')?.();
  await done;
  expect(engine.calls.filter((call) => call.startsWith('build'))).toHaveLength(3);
  expect(run.events.at(-1)).toMatchObject({kind: 'summary', summary: {outcome: 'done', done: 11, failed: 0}});
});

test('a build that fails keeps back what is made of it or built upon it, and nothing else', async () => {
  const parts: ProjectParts = {
    services: {
      api: {...never, build: {context: '/src', additional_contexts: {ground: 'service:base'}}},
      base: never,
      after: {depends_on: {base: started}},
      other: never,
    },
  };
  const engine = new MemoryEngine();
  engine.addImage('after');
  const run = runOn(engine);
  const diagnostic = {
    severity: 'error',
    code: 'step-failed',
    message: 'exit code: 7',
    file: 'Dockerfile',
    line: 2,
  } as const;
  const build: BuildImage = async ({build: {image}}) => {
    engine.calls.push(`build ${image}`);
    if (image === 'base') throw new TscomposeError('dependencyFailed', 'exit code: 7', {diagnostics: [diagnostic]});
    engine.addImage(image);
  };
  await expect(upProject(parts, {...run, context: {...run.context, build}})).rejects.toMatchObject({
    ...{kind: 'dependencyFailed', exitCode: 1, diagnostics: [diagnostic]},
  });
  expect(engine.names('running')).toEqual(['shop-other-1']);
  expect(engine.calls.filter((call) => call.startsWith('build')).sort()).toEqual(['build base', 'build other']);
  expect(run.lines()).toEqual(
    expect.arrayContaining(['image base failed: exit code: 7', 'image api skipped: needs image "base", which failed']),
  );
  expect(run.events.at(-1)).toMatchObject({kind: 'summary', summary: {outcome: 'failed', failed: 1}});
});

test('an image that no registry has is built, and told so', async () => {
  const parts: ProjectParts = {services: {a: {build: {context: '/src'}}}};
  const engine = new MemoryEngine();
  const run = runOn(engine);
  const build: BuildImage = async ({build: {image}, tell}) => {
    tell({kind: 'step', step: 1, title: '[1/1] FROM scratch', status: 'start'});
    engine.addImage(image);
  };
  await upProject(parts, {...run, context: {...run.context, build}});
  expect(run.lines()).toEqual([
    'note: registry docker.io: manifest a:latest: manifest unknown; image "a" is built',
    'image a built',
    'container shop-a-1 created',
    'container shop-a-1 started',
  ]);
  expect(run.events.find(({kind}) => kind === 'build')).toMatchObject({node: {action: {image: 'a'}}});
});
