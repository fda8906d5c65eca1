import {createHash} from 'node:crypto';
import {cpSync, createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {imageArchive} from '../../support/test-images.ts';
import {eventsOf, plainBody} from './plain-body.ts';

const dockerfile = 'FROM busybox\nRUN echo one >/one\nRUN cat /one /one >/two\n';
const directory = mkdtempSync(join(tmpdir(), 'tscompose-hostile-caches-'));
const good = join(directory, 'good');
let bed: TestEngine;
let image = '';

/** A list of results as it stands in a layout. */
interface Config {
  layers: {blob: string; parent: number; annotations: Record<string, unknown>}[];
  records: {digest: string; inputs?: unknown; layers: {layer: number; createdAt: string}[]; builder?: string}[];
}

interface Manifest {
  config: {digest: string; size: number};
  layers: {digest: string; size: number}[];
}

type Change = (config: Config, manifest: Manifest, path: string) => void;

beforeAll(async () => {
  bed = await openTestEngine({encode: false});
  for await (const _ of bed.engine.images.load(createReadStream(imageArchive('busybox'))));
  image = (await build({cacheTo: [{kind: 'local', path: good, mode: 'max'}]})).image;
});

afterAll(async () => {
  await bed?.close();
  rmSync(directory, {recursive: true, force: true});
});

async function build(more: Parameters<typeof plainBody>[1]) {
  // Nothing of earlier builds is left, in no image either.
  await bed.engine.images.prune({dangling: ['true']});
  await bed.engine.builds.prune({all: true, filters: {}});
  const events = await eventsOf(bed.engine, plainBody(dockerfile, more));
  const built = events.find((event) => event.kind === 'built');
  const diffIds = (await bed.engine.images.inspect(built?.image ?? '')).RootFS.Layers;
  return {
    image: built?.image ?? '',
    diffIds,
    // That of the image is always there.
    cached: events.filter((event) => event.kind === 'step' && event.status === 'cached').length - 1,
    warnings: events.flatMap((event) => (event.kind === 'warning' ? [event.warning.message] : [])),
  };
}

const blobOf = (path: string, digest: string) => join(path, 'blobs', digest.replace(':', '/'));
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

/** A copy of the good one, in which the list, and with it all that names it, is another. */
function changed(change: Change): string {
  const path = mkdtempSync(join(directory, 'copy-'));
  cpSync(good, path, {recursive: true});
  const index = json(join(path, 'index.json'));
  const manifest: Manifest = json(blobOf(path, index.manifests[0].digest));
  const config: Config = json(blobOf(path, manifest.config.digest));
  change(config, manifest, path);
  Object.assign(manifest.config, put(path, JSON.stringify(config)));
  Object.assign(index.manifests[0], put(path, JSON.stringify(manifest)));
  writeFileSync(join(path, 'index.json'), JSON.stringify(index));
  return path;
}

function put(path: string, content: string | Buffer): {digest: string; size: number} {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  writeFileSync(blobOf(path, digest), content);
  return {digest, size: Buffer.byteLength(content)};
}

/** An archive of nothing. */
const nothing = Buffer.alloc(10_240);

/** The first layer is an archive of other files. */
function otherFiles(config: Config, manifest: Manifest, path: string): void {
  const {digest, size} = put(path, gzipSync(nothing));
  Object.assign(config.layers[0] ?? {}, {blob: digest});
  Object.assign(manifest.layers[0] ?? {}, {digest, size});
}

/** The first layer has other bytes than its digest says, as many. */
function otherBytes(_config: Config, manifest: Manifest, path: string): void {
  const {digest = '', size = 0} = manifest.layers[0] ?? {};
  writeFileSync(blobOf(path, digest), Buffer.alloc(size, 'x'));
}

function link(records: Config['records'], from: number, to: number): void {
  Object.assign(records[from] ?? {}, {inputs: [[{link: to}]]});
}

describe('a cache', () => {
  const from = (path: string) => ({cacheFrom: [{kind: 'local', path}]}) as const;

  test('that is good is used', async () => {
    expect(await build(from(changed(() => {})))).toMatchObject({image, cached: 2, warnings: []});
  });

  test.each<readonly [name: string, change: Change, reason: string]>([
    ['records that go round', ({records}) => link(records, 0, 1), 'its records go round in a circle'],
    ['a record that is made of itself', ({records}) => link(records, 0, 0), 'its records go round in a circle'],
    ['a record made of none that is there', ({records}) => link(records, 0, 7), 'record 0 is made of one that is not'],
    [
      'layers that go round',
      ({layers}) => Object.assign(layers[0] ?? {}, {parent: 1}),
      'its layers go round in a circle',
    ],
    [
      'a layer upon none that is there',
      ({layers}) => Object.assign(layers[0] ?? {}, {parent: 9}),
      'layer 0 is upon one',
    ],
    [
      'a record of no layer',
      ({records}) => Object.assign(records[1]?.layers[0] ?? {}, {layer: 5}),
      'record 1 is of a layer that is not in it',
    ],
    ['a layer that its manifest does not name', (_config, {layers}) => layers.shift(), 'is not in its manifest'],
    ['a layer without a digest', ({layers}) => Object.assign(layers[0] ?? {}, {blob: '../x'}), 'has no sha256 digest'],
    ['records that are no list', (config) => Object.assign(config, {records: {}}), 'records are no list'],
    [
      'keys of another builder',
      ({records}) => records.map((record) => delete record.builder),
      'it was made by another builder, whose keys are not known here',
    ],
  ])('with %s is left alone', async (_name, change, reason) => {
    const {cached, warnings} = await build(from(changed(change)));
    expect({cached, warnings}).toEqual({cached: 0, warnings: [expect.stringContaining(reason)]});
  });

  test('whose list is not what its digest says is left alone', async () => {
    const path = changed(() => {});
    const {manifests} = json(join(path, 'index.json'));
    const {config} = json(blobOf(path, manifests[0].digest));
    writeFileSync(blobOf(path, config.digest), '{}');
    const {cached, warnings} = await build(from(path));
    expect({cached, warnings}).toEqual({cached: 0, warnings: [expect.stringContaining('is damaged')]});
  });

  test.each<readonly [name: string, change: Change, reason: string]>([
    ['other files', otherFiles, 'is broken: its content is'],
    ['other bytes', otherBytes, 'is damaged: its content is'],
  ])('whose layer has %s than it says does not get them into an image', async (_name, change, reason) => {
    const path = changed(change);
    const {cached, warnings, diffIds} = await build(from(path));
    // The step is built; it may come to the same files, and then the next one is taken.
    expect(cached).toBeLessThan(2);
    expect(warnings).toEqual([expect.stringContaining(reason)]);
    expect(diffIds).not.toContain(`sha256:${createHash('sha256').update(nothing).digest('hex')}`);
  });

  test('gives nothing under a key that is not that of the step', async () => {
    const path = changed(({records}) => {
      for (const [index, record] of records.entries()) record.digest = `sha256:${String(index).repeat(64)}`;
    });
    expect(await build(from(path))).toMatchObject({cached: 0, warnings: []});
  });
});
