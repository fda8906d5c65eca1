import {existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, statfsSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {decompress} from '../../../src/engine/image/compression.ts';
import {makeTar, type RawEntry} from '../../support/archive.ts';
import {
  archiveOf,
  collect,
  digestOf,
  dockerArchive,
  type ImageBed,
  makeImage,
  makeImageBed,
  makeLayout,
  named,
  stream,
} from './bed.ts';

let bed: ImageBed;
let outside: string;
beforeEach(async () => {
  bed = await makeImageBed();
  outside = join(bed.directory, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'secret');
});
afterEach(() => bed[Symbol.asyncDispose]());

const nothing = {layers: [], blobs: [], records: [], references: []};

/** Whatever became of it: nothing outside, nothing half-made, and a store that verifies. */
async function expectHarmless(): Promise<void> {
  expect(readdirSync(bed.directory).sort()).toEqual(['outside', 'root', 'run']);
  expect(readdirSync(outside)).toEqual(['secret']);
  expect(lstatSync(join(outside, 'secret'))).toMatchObject({nlink: 1, size: 6});
  expect(await bed.store.images.check({repair: false})).toMatchObject({faults: [], waste: 0});
}

const load = (entries: readonly RawEntry[]) =>
  bed.load(dockerArchive([{image: makeImage({layers: [entries]}), tags: ['evil']}]));

describe('layers that are refused', () => {
  test.each([
    ['a name that climbs', () => [{name: `${'../'.repeat(12)}${outside.slice(1)}/pwn`, data: 'x'}]],
    ['a name that climbs in its middle', () => [{name: 'a/../../pwn', data: 'x'}]],
    ['a hard link that climbs', () => [{name: 'l', type: '1', link: `${'../'.repeat(12)}${outside.slice(1)}/secret`}]],
    [
      'a hard link through a link',
      () => [
        {name: 'd', type: '2', link: outside},
        {name: 'l', type: '1', link: 'd/secret'},
      ],
    ],
    ['a mark that hides the parent', () => [{name: 'd/', type: '5'}, {name: 'd/.wh...'}]],
    ['a mark of nothing', () => [{name: '.wh.'}]],
    ['a name with a NUL in a pax record', () => [{name: 'a', pax: {path: 'a\0/../../pwn'}}]],
  ] satisfies readonly [string, () => readonly RawEntry[]][])('%s', async (_name, entries) => {
    await expect(load(entries())).rejects.toMatchObject({
      kind: expect.stringMatching(/^(invalid|unsupported)$/),
      message: expect.stringMatching(/^image "evil:latest": layer sha256:[0-9a-f]+ is broken: /),
    });
    expect(bed.content()).toEqual(nothing);
    await expectHarmless();
  });
});

describe('layers that are harmless', () => {
  const top = async (entries: readonly RawEntry[]) => {
    await load(entries);
    await expectHarmless();
    return (await bed.store.root(await bed.store.resolve('evil'))).lowers[0] ?? '';
  };

  test('an absolute name stays within', async () => {
    const path = await top([{name: `${outside}/pwn`, data: 'x'}]);
    expect(existsSync(join(path, outside, 'pwn'))).toBe(true);
  });

  test('what is written through a link takes the place of the link, or stays within', async () => {
    const attempt = top([
      {name: 'd', type: '2', link: outside},
      {name: 'd/pwn', data: 'x'},
    ]);
    await attempt.catch((error) => expect(error).toMatchObject({kind: 'invalid'}));
    await expectHarmless();
  });

  test('the whole of what is below is hidden, not what is beside', async () => {
    const path = await top([{name: '.wh..wh..opq'}, {name: 'mine', data: 'x'}]);
    expect(readdirSync(path)).toEqual(['mine']);
  });

  test('programs with the set-user-ID bit and devices lie where nobody else gets', async () => {
    const path = await top([
      {name: 'su', data: 'x', mode: 0o4755},
      {name: 'mem', type: '3', major: 1, minor: 1},
    ]);
    expect(lstatSync(join(path, 'mem')).isCharacterDevice()).toBe(true);
    expect(lstatSync(join(path, 'su')).mode & 0o7777).toBe(0o4755);
    expect(lstatSync(bed.layout.root).mode & 0o077).toBe(0);
  });

  test('a link to outside is only a text', async () => {
    const path = await top([{name: 'l', type: '2', link: '/etc/shadow'}]);
    expect(readlinkSync(join(path, 'l'))).toBe('/etc/shadow');
  });

  test('a file of more bytes than any disk has, all of them a hole', async () => {
    const before = statfsSync(bed.directory);
    const path = await top([
      {
        name: 'GNUSparseFile.0/huge',
        data: '0\n'.padEnd(512, '\0'),
        pax: {
          'GNU.sparse.major': '1',
          'GNU.sparse.minor': '0',
          'GNU.sparse.name': 'huge',
          'GNU.sparse.realsize': String(2 ** 40),
        },
      },
    ]);
    const {size, blocks} = lstatSync(join(path, 'huge'));
    expect([size, blocks]).toEqual([2 ** 40, 0]);
    const after = statfsSync(bed.directory);
    expect((before.bfree - after.bfree) * before.bsize).toBeLessThan(2 ** 30);
  });
});

describe('archives that lie', () => {
  test('a file that says it has more bytes than come', async () => {
    const layer = makeTar([{name: 'file', data: 'x'.repeat(600)}]).subarray(0, 1024);
    const image = {...makeImage(), layers: [layer]};
    const configuration = Buffer.from(
      JSON.stringify({os: 'linux', architecture: 'amd64', rootfs: {type: 'layers', diff_ids: [digestOf(layer)]}}),
    );
    const archive = dockerArchive([{image: {...image, id: digestOf(configuration), configuration}, tags: ['evil']}]);
    await expect(bed.load(archive)).rejects.toMatchObject({kind: 'invalid'});
    expect(bed.content()).toEqual(nothing);
  });

  test('an index that names itself, or others without an end', async () => {
    const layout = makeLayout();
    const image = layout.image(makeImage({layers: [[{name: 'a'}]]}));
    const self = layout.index([image]);
    layout.files.set(
      `blobs/sha256/${self.digest.slice(7)}`,
      Buffer.from(JSON.stringify({schemaVersion: 2, manifests: [self]})),
    );
    const files = layout.finish([{...self, ...named('docker.io/library/evil:1')}]);
    await expect(bed.load(archiveOf(files))).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(/^blob sha256:\S+ is damaged: /),
    });

    const deep = makeLayout();
    let inner = deep.image(makeImage({layers: [[{name: 'a'}]]}), {platform: {os: 'linux', architecture: 'amd64'}});
    for (let level = 0; level < 8; level++)
      inner = deep.index([inner], {platform: {os: 'linux', architecture: 'amd64'}});
    const nested = deep.finish([{...inner, ...named('docker.io/library/evil:1')}]);
    await expect(bed.load(archiveOf(nested))).rejects.toMatchObject({
      kind: 'invalid',
      message: 'the archive has indexes nested too deeply',
    });
    expect(bed.content()).toEqual(nothing);
    await expectHarmless();
  });

  test('an index that names the same thousands of times is read once', async () => {
    const layout = makeLayout();
    const platform = {platform: {os: 'linux', architecture: 'amd64'}};
    let inner = layout.image(makeImage({layers: [[{name: 'a'}]]}), platform);
    for (let level = 0; level < 3; level++)
      inner = layout.index(
        Array.from({length: 500}, () => inner),
        platform,
      );
    await bed.load(archiveOf(layout.finish([{...inner, ...named('docker.io/library/wide:1')}])));
    const [archive] = await collect(await bed.store.images.save(['wide:1']));
    expect(archive?.length).toBeGreaterThan(0);
    await bed.store.images.remove('wide:1');
    expect(bed.content()).toEqual(nothing);
  });

  test('data that expands without measure is given up', async () => {
    const bomb = gzipSync(Buffer.alloc(4_000_000));
    const limit = {freeBytes: 1_000_000, ratio: 100};
    await expect(collect(decompress(stream(bomb, 1000), 'gzip', limit))).rejects.toMatchObject({
      kind: 'invalid',
      message: 'the gzip data expands to more than 100 times its size',
    });
    const whole = await collect(decompress(stream(bomb, 1000), 'gzip'));
    expect(Buffer.concat(whole).length).toBe(4_000_000);
  });
});
