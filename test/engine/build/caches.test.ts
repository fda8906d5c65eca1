import {createReadStream, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {BuildBody, BuildEvent} from '../../../src/api/types/build.ts';
import type {BuildCacheTarget} from '../../../src/api/types/build-cache.ts';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {startRegistry, type TestRegistry} from '../../support/registry.ts';
import {imageArchive} from '../../support/test-images.ts';
import {eventsOf, plainBody} from './plain-body.ts';

/** Two stages: the image has one layer of its own, and the other stage two. */
const dockerfile = `FROM busybox AS work
RUN date && cat /proc/sys/kernel/random/uuid >/when
RUN cat /when /when >/twice
FROM busybox
LABEL a=b
COPY --from=work /twice /taken
`;

let first: TestEngine;
let second: TestEngine;
let registry: TestRegistry;
const directory = mkdtempSync(join(tmpdir(), 'tscompose-caches-'));

beforeAll(async () => {
  registry = await startRegistry();
  first = await openTestEngine({encode: false});
  second = await openTestEngine({encode: false});
  for (const {engine} of [first, second])
    for await (const _ of engine.images.load(createReadStream(imageArchive('busybox'))));
});

afterAll(async () => {
  await first?.close();
  await second?.close();
  await registry?.[Symbol.asyncDispose]();
  rmSync(directory, {recursive: true, force: true});
});

const build = async ({engine}: TestEngine, more: Partial<BuildBody> = {}) =>
  summary(await eventsOf(engine, plainBody(dockerfile, more)));

/** What became of each step that is none of an image, by its instruction; the image, and what was warned of. */
function summary(events: readonly BuildEvent[]) {
  const titles = new Map<number, string>();
  const verdicts: Record<string, string> = {};
  for (const event of events) {
    if (event.kind !== 'step') continue;
    if (event.status === 'start') titles.set(event.step, event.title.replace(/^\[[^\]]*\] /, ''));
    else if (titles.get(event.step)?.startsWith('FROM') === false)
      verdicts[titles.get(event.step)?.split(' ').slice(0, 2).join(' ') ?? ''] = event.status;
  }
  const built = events.find((event) => event.kind === 'built');
  const warnings = events.flatMap((event) => (event.kind === 'warning' ? [event.warning.message] : []));
  return {image: built?.image, verdicts, warnings};
}

/** As after a new installation, but for the images. */
const forget = async ({engine}: TestEngine) => void (await engine.builds.prune({all: true, filters: {}}));

const allCached = {'RUN date': 'cached', 'RUN cat': 'cached', 'COPY --from=work': 'cached'};

async function fresh(target: BuildCacheTarget, more: Partial<BuildBody> = {}) {
  await forget(first);
  await forget(second);
  const made = await build(first, {...more, cacheTo: [target]});
  expect(made).toMatchObject({verdicts: {'RUN date': 'done', 'RUN cat': 'done'}, warnings: []});
  return made;
}

describe('a cache in a registry', () => {
  test.each([
    ['as an image', {}],
    ['as an index', {imageManifest: false}],
    ['of Docker types', {ociMediaTypes: false}],
    ['not compressed', {compression: 'uncompressed'}],
    ['with everything compressed well', {compression: 'gzip', level: 9, force: true}],
  ] as const)('%s: another engine builds nothing, and gets the same image', async (_name, options) => {
    const reference = `${registry.host}/cache:${Object.keys(options).join('-') || 'plain'}`;
    const made = await fresh({kind: 'registry', reference, mode: 'max', ...options});
    const again = await build(second, {cacheFrom: [{kind: 'registry', reference}]});
    expect(again).toEqual({image: made.image, verdicts: allCached, warnings: []});
    // What came is of this engine now.
    expect(await build(second)).toEqual(again);
  });

  test('in zstd is as good where this Node can write it; where not, that is said', async () => {
    const reference = `${registry.host}/cache:zstd`;
    const target = {kind: 'registry', reference, mode: 'max', compression: 'zstd', level: 3} as const;
    if ('createZstdCompress' in process.getBuiltinModule('node:zlib')) {
      const made = await fresh(target);
      const again = await build(second, {cacheFrom: [{kind: 'registry', reference}]});
      expect(again).toEqual({image: made.image, verdicts: allCached, warnings: []});
    } else {
      await expect(build(first, {cacheTo: [target]})).rejects.toMatchObject({
        kind: 'unsupported',
        message: expect.stringContaining('cannot compress with zstd'),
      });
    }
  });

  test('that cannot be reached is a warning for who reads, and an error for who writes, unless that is ignored', async () => {
    const reference = '127.0.0.1:1/cache';
    await forget(first);
    const read = await build(first, {cacheFrom: [{kind: 'registry', reference}]});
    expect(read.image).toBeDefined();
    expect(read.warnings).toEqual([expect.stringMatching(/^cache 127\.0\.0\.1:1\/cache is not used: /)]);
    const target = {kind: 'registry', reference, mode: 'min'} as const;
    await expect(build(first, {cacheTo: [target]})).rejects.toThrow(
      /^cannot export the cache to 127\.0\.0\.1:1\/cache: /,
    );
    const ignored = await build(first, {cacheTo: [{...target, ignoreError: true}]});
    expect(ignored.image).toBe(read.image);
    expect(ignored.warnings).toEqual([expect.stringMatching(/^cannot export the cache/)]);
  });

  test('of the image alone: the other stage is built', async () => {
    const reference = `${registry.host}/cache:min`;
    await fresh({kind: 'registry', reference, mode: 'min'});
    const again = await build(second, {cacheFrom: [{kind: 'registry', reference}]});
    expect(again.verdicts).toEqual({'RUN date': 'done', 'RUN cat': 'done', 'COPY --from=work': 'done'});
  });
});

describe('a cache in an image', () => {
  const chain =
    'FROM busybox\nRUN date && cat /proc/sys/kernel/random/uuid >/when\nENV a=b\nRUN cat /when /when >/twice\n';
  const tag = () => `${registry.host}/image:1`;
  const run = async ({engine}: TestEngine, more: Partial<BuildBody>) =>
    summary(await eventsOf(engine, plainBody(chain, {cacheTo: [{kind: 'inline'}], ...more})));
  const cached = {'RUN date': 'cached', 'RUN cat': 'cached'};

  test('is found where the image is, and in its registry', async () => {
    await forget(first);
    const made = await run(first, {tags: [tag()]});
    expect(made.verdicts).toEqual({'RUN date': 'done', 'RUN cat': 'done'});
    for await (const _ of first.engine.registry.push({repository: `${registry.host}/image`, tag: '1', auth: {}}));
    await forget(first);
    const from = {cacheFrom: [{kind: 'registry', reference: tag()}]} as const;
    expect(await run(first, from)).toEqual({image: made.image, verdicts: cached, warnings: []});
    await forget(second);
    expect(await run(second, from)).toEqual({image: made.image, verdicts: cached, warnings: []});
  });

  test('of several platforms is found for each, here and in its registry; also where it is there for some of them', async () => {
    const text = 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /taken\n';
    const context = join(directory, 'platforms');
    mkdirSync(context);
    for (const name of ['amd64', 'arm64', 's390x']) writeFileSync(join(context, name), name);
    const reference = `${registry.host}/several:1`;
    const cacheFrom = [{kind: 'registry', reference}] as const;
    const run = async ({engine}: TestEngine, architectures: readonly string[], more: Partial<BuildBody>) => {
      const platforms = architectures.map((name) => `linux/${name}`);
      const events = await eventsOf(engine, plainBody(text, {context, platforms, ...more}));
      const {verdicts, warnings} = summary(events);
      return {verdicts, warnings};
    };
    const copies = (verdict: string, ...names: string[]) =>
      Object.fromEntries(names.map((name) => [`COPY ${name}`, verdict]));
    await forget(first);
    const two = ['amd64', 'arm64'];
    const made = await run(first, two, {cacheTo: [{kind: 'inline'}], tags: [reference]});
    expect(made).toEqual({verdicts: copies('done', ...two), warnings: []});
    for await (const _ of first.engine.registry.push({repository: `${registry.host}/several`, tag: '1', auth: {}}));
    for (const bed of [first, second]) {
      await forget(bed);
      expect(await run(bed, two, {cacheFrom})).toEqual({verdicts: copies('cached', ...two), warnings: []});
      await forget(bed);
      // The first one is not what is in the image.
      expect(await run(bed, ['s390x', 'arm64'], {cacheFrom})).toEqual({
        ...{verdicts: {...copies('done', 's390x'), ...copies('cached', 'arm64')}, warnings: []},
      });
    }
  });

  test('is asked for by the build argument, too', async () => {
    await forget(first);
    const made = await run(first, {cacheTo: [], arguments: {BUILDKIT_INLINE_CACHE: '1'}, tags: ['argument:1']});
    await forget(first);
    const from = {cacheFrom: [{kind: 'registry', reference: 'argument:1'}]} as const;
    expect(await run(first, from)).toEqual({image: made.image, verdicts: cached, warnings: []});
  });

  test('is not kept where files are written in place of an image, and that is said', async () => {
    const output = {kind: 'tar', path: join(directory, 'files.tar')} as const;
    const {warnings} = await run(first, {outputs: [output]});
    expect(warnings).toEqual([expect.stringMatching(/^there is no image that the cache could be kept in/)]);
  });

  test('an image without one says so', async () => {
    await forget(second);
    await eventsOf(second.engine, plainBody('FROM busybox\nLABEL x=y\n', {tags: [`${registry.host}/bare:1`]}));
    for await (const _ of second.engine.registry.push({repository: `${registry.host}/bare`, tag: '1', auth: {}}));
    const reference = `${registry.host}/bare:1`;
    const {warnings} = await run(second, {cacheFrom: [{kind: 'registry', reference}]});
    expect(warnings).toEqual([`cache ${reference} is not used: there is none in it`]);
  });
});

describe('a cache in a directory', () => {
  test('keeps those of other tags, unless it is reset', async () => {
    const path = join(directory, 'layout');
    const made = await fresh({kind: 'local', path, mode: 'max'});
    await build(first, {cacheTo: [{kind: 'local', path, tag: 'other', mode: 'min'}]});
    const again = await build(second, {cacheFrom: [{kind: 'local', path}]});
    expect(again).toEqual({image: made.image, verdicts: allCached, warnings: []});
    const {manifests} = JSON.parse(readFileSync(join(path, 'index.json'), 'utf8'));
    expect(manifests).toHaveLength(2);
    const digest = manifests[0].digest as string;
    await forget(second);
    const byDigest = await build(second, {cacheFrom: [{kind: 'local', path, tag: 'none', digest}]});
    expect(byDigest.verdicts).toEqual(allCached);
    await build(first, {cacheTo: [{kind: 'local', path, tag: 'last', reset: true, mode: 'min'}]});
    expect(JSON.parse(readFileSync(join(path, 'index.json'), 'utf8')).manifests).toHaveLength(1);
    // The manifest, the list, and the one layer.
    expect(readdirSync(join(path, 'blobs/sha256'))).toHaveLength(3);
  });

  test('gives only the layers that are asked for', async () => {
    const path = join(directory, 'lazy');
    await fresh({kind: 'local', path, mode: 'max'});
    const {manifests} = JSON.parse(readFileSync(join(path, 'index.json'), 'utf8'));
    const blob = (digest: string) => join(path, 'blobs', digest.replace(':', '/'));
    const {layers} = JSON.parse(readFileSync(blob(manifests[0].digest), 'utf8'));
    rmSync(blob(layers[2].digest));
    const target = await build(second, {target: 'work', cacheFrom: [{kind: 'local', path}]});
    expect(target).toMatchObject({verdicts: {'RUN date': 'cached', 'RUN cat': 'cached'}, warnings: []});
    const all = await build(second, {cacheFrom: [{kind: 'local', path}]});
    expect(all.verdicts).toEqual({...allCached, 'COPY --from=work': 'done'});
    expect(all.warnings).toEqual([expect.stringContaining('cannot read')]);
  });
});
