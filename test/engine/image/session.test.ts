import {randomBytes} from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {storedBlob} from '../../../src/engine/image/blob-source.ts';
import type {Ingest} from '../../../src/engine/image/ingest.ts';
import {readImage, readReference} from '../../../src/engine/image/record.ts';
import {makeTar} from '../../support/archive.ts';
import {digestOf, dockerArchive, type ImageBed, makeImage, makeImageBed, stream} from './bed.ts';

let bed: ImageBed;
beforeEach(async () => {
  bed = await makeImageBed();
});
afterEach(() => bed[Symbol.asyncDispose]());

const {signal} = new AbortController();
const quiet = {signal, onProgress: () => {}};
const ingests = () => readdirSync(bed.layout.images.ingests);

async function bring(ingest: Ingest, bytes: Uint8Array): Promise<void> {
  for await (const chunk of stream(bytes.subarray(ingest.offset), 1000)) await ingest.write(chunk);
}

describe('a blob that is brought', () => {
  const bytes = randomBytes(50_000);
  const digest = digestOf(bytes);
  const request = {digest, size: bytes.length, signal};

  test('is in the store once it is whole and right', async () => {
    await using session = await bed.store.session();
    await using ingest = await session.ingest(request);
    expect([ingest.present, ingest.offset]).toEqual([false, 0]);
    await bring(ingest, bytes);
    expect(bed.content().blobs).toEqual([]);
    await ingest.commit();
    expect(readFileSync(session.blobs.path(digest))).toEqual(bytes);
    expect(ingests()).toEqual([]);
    await using again = await session.ingest(request);
    expect(again.present).toBe(true);
  });

  test('goes on where an earlier attempt ended, or from the start', async () => {
    await using session = await bed.store.session();
    {
      await using first = await session.ingest(request);
      await first.write(bytes.subarray(0, 20_000));
    }
    {
      await using second = await session.ingest(request);
      expect(second.offset).toBe(20_000);
      await second.restart();
      expect(second.offset).toBe(0);
      await second.write(bytes.subarray(0, 30_000));
    }
    await using third = await session.ingest(request);
    expect(third.offset).toBe(30_000);
    await bring(third, bytes);
    await third.commit();
    expect(readFileSync(session.blobs.path(digest))).toEqual(bytes);
  });

  test.each([
    ['other bytes', randomBytes(50_000), /its content is sha256:/],
    ['too few', bytes.subarray(1), /it has 49999 bytes, not 50000/],
    ['too many', Buffer.concat([bytes, Buffer.from('x')]), /it has more than 50000 bytes/],
  ])('is thrown away with %s', async (_name, wrong, message) => {
    await using session = await bed.store.session();
    await using ingest = await session.ingest(request);
    const attempt = async () => {
      await bring(ingest, wrong);
      await ingest.commit();
    };
    await expect(attempt()).rejects.toMatchObject({kind: 'invalid', message: expect.stringMatching(message)});
    expect([bed.content().blobs, ingests()]).toEqual([[], []]);
  });

  test('is brought by one: whoever comes second waits and finds it', async () => {
    await using one = await bed.store.session();
    await using two = await bed.store.session();
    await using first = await one.ingest(request);
    let waits = () => {};
    const waiting = new Promise<void>((resolve) => {
      waits = resolve;
    });
    const second = two.ingest({...request, onWait: waits});
    await waiting;
    await bring(first, bytes);
    await first.commit();
    await using found = await second;
    expect(found.present).toBe(true);
    expect(readdirSync(bed.layout.locks.directory).filter((name) => name.startsWith('blob-'))).toEqual([]);
  });

  test('what came in part stays until a prune, and through one while somebody brings it', async () => {
    const session = await bed.store.session();
    {
      await using ingest = await session.ingest(request);
      await ingest.write(bytes.subarray(0, 100));
    }
    await bed.store.tidy();
    expect(ingests()).toEqual([digest.slice(7)]);
    await session[Symbol.asyncDispose]();
    await bed.load(dockerArchive([{image: makeImage(), tags: ['a']}]));
    expect(ingests()).toEqual([digest.slice(7)]);
    await bed.store.tidy();
    expect(ingests()).toEqual([]);
  });
});

describe('layers', () => {
  const tar = makeTar([
    {name: 'a/', type: '5'},
    {name: 'a/file', data: randomBytes(200_000)},
  ]);
  const zipped = gzipSync(tar);
  const diffId = digestOf(tar);

  test.each([
    ['gzip', zipped],
    ['no compression', tar],
  ])('are unpacked while they come, with %s', async (_name, blob) => {
    await using session = await bed.store.session();
    await using ingest = await session.ingest({digest: digestOf(blob), size: blob.length, signal});
    const half = blob.length >> 1;
    await ingest.write(blob.subarray(0, half));
    const unpacking = session.layers.provide([{diffId, blob: ingest.source}], quiet);
    await ingest.write(blob.subarray(half));
    await ingest.commit();
    const [layer] = await unpacking;
    expect(layer).toEqual({diffId, directory: diffId.slice(7), blob: digestOf(blob), bytes: 200_000});
    expect(lstatSync(join(bed.layout.images.layer(diffId), 'a/file')).size).toBe(200_000);
  });

  test('of a blob that does not come are not there', async () => {
    await using session = await bed.store.session();
    const ingest = await session.ingest({digest: digestOf(zipped), size: zipped.length, signal});
    await ingest.write(zipped.subarray(0, 1000));
    const unpacking = session.layers.provide([{diffId, blob: ingest.source}], quiet);
    await ingest[Symbol.asyncDispose]();
    await expect(unpacking).rejects.toMatchObject({kind: 'canceled'});
    expect(bed.content().layers).toEqual([]);
  });

  test('that never come are given up with the signal', async () => {
    await using session = await bed.store.session();
    await using ingest = await session.ingest({digest: digestOf(zipped), size: zipped.length, signal});
    await ingest.write(zipped.subarray(0, 1000));
    const stop = new AbortController();
    const unpacking = session.layers.provide([{diffId, blob: ingest.source}], {...quiet, signal: stop.signal});
    stop.abort();
    await expect(unpacking).rejects.toMatchObject({name: 'AbortError'});
    expect(bed.content().layers).toEqual([]);
  });

  test('that two bring at once are unpacked once', async () => {
    await using one = await bed.store.session();
    await using two = await bed.store.session();
    const {path, digest} = await one.addBlob(zipped);
    const wanted = [{diffId, blob: storedBlob({path, digest, size: zipped.length})}];
    const states: string[] = [];
    const options = {signal, onProgress: (_blob: string, state: string) => void states.push(state)};
    const [first, second] = await Promise.all([
      one.layers.provide(wanted, options),
      two.layers.provide(wanted, options),
    ]);
    expect(first).toEqual(second);
    expect(states).toEqual(['start', 'end']);
  });
});

describe('a layer without an archive', () => {
  const fill = (path: string) => {
    mkdirSync(join(path, 'b'), {mode: 0o750});
    writeFileSync(join(path, 'b', 'z'), 'last');
    writeFileSync(join(path, 'b.first'), 'one');
    symlinkSync('b/z', join(path, 'link'));
  };

  test('has one that can be made of it again and again', async () => {
    await using session = await bed.store.session();
    await using begun = await session.layers.begin();
    fill(begun.path);
    const layer = await begun.keep(signal);
    expect(layer).toEqual({
      diffId: expect.stringMatching(/^sha256:/),
      directory: layer.diffId.slice(7),
      blob: layer.diffId,
      bytes: 7,
      made: expect.any(Number),
    });
    expect(existsSync(begun.path)).toBe(false);
    const source = await session.find(layer.diffId);
    const read = async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of source?.read() ?? []) chunks.push(chunk);
      return Buffer.concat(chunks);
    };
    const archive = await read();
    expect(archive.length).toBe(layer.made);
    expect(digestOf(archive)).toBe(layer.diffId);
    expect(await read()).toEqual(archive);

    // Another store that unpacks it has the very same directory.
    await using other = await makeImageBed();
    await using there = await other.store.session();
    const {path, digest} = await there.addBlob(archive);
    const [unpacked] = await there.layers.provide(
      [{diffId: layer.diffId, blob: storedBlob({path, digest, size: archive.length})}],
      quiet,
    );
    expect(unpacked).toMatchObject({directory: layer.directory, bytes: 7});
    expect(readFileSync(join(other.layout.images.layer(layer.diffId), 'link'), 'utf8')).toBe('last');

    // It changed behind our back: whoever reads it is told.
    truncateSync(join(bed.layout.images.layer(layer.diffId), 'b/z'), 1);
    await expect(read()).rejects.toMatchObject({kind: 'internal', message: expect.stringContaining('is damaged')});
  });

  test('goes with its session, unless a pin or an image has it', async () => {
    const keep = async (name?: string) => {
      await using session = await bed.store.session();
      await using begun = await session.layers.begin();
      fill(begun.path);
      const {directory} = await begun.keep(signal);
      if (name !== undefined) await session.pin({name, blobs: [], layers: [directory]});
      await bed.store.tidy();
      expect(bed.content().layers).toEqual([directory]);
      return directory;
    };
    await keep();
    await bed.store.tidy();
    expect(bed.content().layers).toEqual([]);
    const directory = await keep('step');
    await bed.store.tidy();
    expect(bed.content().layers).toEqual([directory]);
    await using session = await bed.store.session();
    await session.unpin('step');
    await session[Symbol.asyncDispose]();
    await bed.store.tidy();
    expect(bed.content().layers).toEqual([]);
  });

  test('belongs to an image like any other', async () => {
    await using session = await bed.store.session();
    await using begun = await session.layers.begin();
    fill(begun.path);
    const layer = await begun.keep(signal);
    const {configuration, id} = makeImage({extra: {rootfs: {type: 'layers', diff_ids: [layer.diffId]}}});
    await session.addBlob(configuration);
    const reference = 'docker.io/library/made:latest';
    await session.addImage({configuration: id, layers: [layer], names: [{reference}]});
    await session[Symbol.asyncDispose]();
    await bed.store.tidy();
    expect((await bed.store.root(await bed.store.resolve('made'))).lowers).toEqual([
      bed.layout.images.layer(layer.diffId),
    ]);
    expect(bed.content().blobs).toEqual([id.slice(7)]);
    await using other = await bed.store.session();
    await expect(other.addImage({configuration: id, layers: [], names: [{reference}]})).rejects.toMatchObject({
      kind: 'invalid',
      message: 'its configuration names 1 layers, its manifest 0',
    });
  });
});

describe('a manifest that is made for an image', () => {
  const image = makeImage({layers: [[{name: 'file', data: 'one'}]]});
  const other = makeImage({layers: [[{name: 'file', data: 'other'}]]});
  const reference = 'docker.io/library/made:1';

  /** Others change the store between the reading of the image and the end of its manifest. */
  async function add(meanwhile: () => Promise<unknown>): Promise<void> {
    await bed.load(dockerArchive([{image, tags: ['made:1']}]));
    await using session = await bed.store.session();
    await session.findImage(image.id);
    const bytes = Buffer.from('{}');
    const {digest, size} = await session.addBlob(bytes);
    await meanwhile();
    await session.addManifest(image.id, {reference, target: {mediaType: 'some/type', digest, size}});
  }

  test('stands for it and its name then', async () => {
    await add(async () => {});
    expect(await readImage(bed.layout, image.id)).toMatchObject({manifest: digestOf('{}')});
    expect(await readReference(bed.layout, reference)).toMatchObject({target: {digest: digestOf('{}')}});
  });

  test('takes back no name that another image got', async () => {
    await add(() => bed.load(dockerArchive([{image: other, tags: ['made:1']}])));
    expect(await readReference(bed.layout, reference)).toEqual({v: 1, reference, image: other.id});
  });

  test('does not bring back what was removed', async () => {
    await add(() => bed.store.images.remove('made:1', {force: false}));
    expect(bed.content()).toMatchObject({records: [], references: []});
  });
});
