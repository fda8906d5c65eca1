import {readdirSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {archiveOf, type ImageBed, makeImage, makeImageBed, makeLayout, named} from './bed.ts';

let bed: ImageBed;
beforeEach(async () => {
  bed = await makeImageBed();
});
afterEach(() => bed[Symbol.asyncDispose]());

const image = makeImage({layers: [[{name: 'below', data: 'below'}], [{name: 'file', data: 'content'}]]});
const layerPath = (index: number) => join(bed.layout.images.layers, image.diffIds[index]?.slice(7) ?? '');
const blobPath = (digest: string) => join(bed.layout.images.blobs, digest.slice(7));
const check = async (repair = false) => await bed.store.images.check({repair});
const load = async (tag = 'docker.io/library/checked:1') => {
  const layout = makeLayout();
  const manifest = layout.image(image, named(tag), false);
  await bed.load(archiveOf(layout.finish([manifest])));
  return manifest;
};

test('a store is whole after a load, and so is an empty one', async () => {
  expect(await check()).toEqual({blobs: 0, layers: 0, images: 0, names: 0, faults: [], waste: 0});
  await load();
  expect(await check(true)).toEqual({
    ...{blobs: 4, layers: 2, images: 1, names: 1, faults: [], waste: 0},
    repaired: {done: [], left: []},
  });
  expect((await bed.store.images.inspect('checked:1')).Id).toBe(image.id);
});

test('what a killed process left is waste, and no fault', async () => {
  await load();
  writeFileSync(join(bed.layout.images.blobs, '.tmp-0-0'), 'half');
  writeFileSync(join(bed.layout.images.blobs, '0'.repeat(64)), '');
  expect(await check()).toMatchObject({waste: 2, faults: [{kind: 'blob', subject: `sha256:${'0'.repeat(64)}`}]});
  await bed.store.tidy();
  expect(await check()).toMatchObject({waste: 0, faults: []});
});

describe('a layer', () => {
  test.each([
    ['that is gone', () => rmSync(layerPath(1), {recursive: true})],
    ['of which a file is cut off', () => truncateSync(join(layerPath(1), 'file'), 1)],
    ['of which a file is gone', () => unlinkSync(join(layerPath(1), 'file'))],
  ])('%s is unpacked again', async (_name, damage) => {
    await load();
    damage();
    const {faults} = await check();
    expect(faults).toEqual([
      {kind: 'layer', subject: image.diffIds[1]?.slice(7), problem: expect.any(String)},
      {kind: 'image', subject: image.id, problem: `its layer ${image.diffIds[1]?.slice(7)} is broken`},
    ]);
    expect((await check(true)).repaired).toEqual({done: [`made image ${image.id} whole again`], left: []});
    expect(readdirSync(layerPath(1))).toEqual(['file']);
    expect(await check()).toMatchObject({faults: [], waste: 0});
  });

  test('of a container that runs is left as it is', async () => {
    await load();
    rmSync(layerPath(1), {recursive: true});
    bed.users.set(image.id, [{id: 'c'.repeat(64), running: true}]);
    const {repaired} = await check(true);
    expect(repaired?.done).toEqual([]);
    expect(repaired?.left).toHaveLength(2);
    expect((await bed.store.images.inspect('checked:1')).Id).toBe(image.id);
  });

  test('that another image has in common with a container that runs is left too', async () => {
    await load();
    const other = makeImage({layers: [[{name: 'below', data: 'below'}]], config: {Cmd: ['other']}});
    const layout = makeLayout();
    const manifest = layout.image(other, named('docker.io/library/other:1'), false);
    await bed.load(archiveOf(layout.finish([manifest])));
    truncateSync(join(layerPath(0), 'below'), 1);
    const {ino} = statSync(layerPath(0));
    bed.users.set(image.id, [{id: 'c'.repeat(64), running: true}]);
    expect((await check(true)).repaired?.done).toEqual([]);
    expect(statSync(layerPath(0)).ino).toBe(ino);
    bed.users.clear();
    expect((await check(true)).repaired?.left).toEqual([]);
  });

  test('without an archive cannot be made again: its image goes', async () => {
    const {configuration, id} = await (async () => {
      await using session = await bed.store.session();
      await using begun = await session.layers.begin();
      writeFileSync(join(begun.path, 'file'), 'made');
      const layer = await begun.keep(new AbortController().signal);
      const made = makeImage({extra: {rootfs: {type: 'layers', diff_ids: [layer.diffId]}}});
      await session.addBlob(made.configuration);
      await session.addImage({
        configuration: made.id,
        layers: [layer],
        names: [{reference: 'docker.io/library/made:1'}],
      });
      writeFileSync(join(bed.layout.images.layer(layer.diffId), 'file'), 'othe');
      return made;
    })();
    expect(configuration.length).toBeGreaterThan(0);
    const {faults, repaired} = await check(true);
    expect(faults.map(({kind}) => kind)).toEqual(['layer', 'image']);
    expect(repaired).toEqual({
      done: [`removed image ${id}, which cannot be made whole`],
      left: [{kind: 'name', subject: 'made:1', problem: `its image ${id} is missing`}],
    });
    expect((await check(true)).repaired).toEqual({done: ['removed the name "made:1"'], left: []});
    expect(bed.content()).toEqual({layers: [], blobs: [], records: [], references: []});
  });
});

describe('a blob', () => {
  test('that is damaged goes, and the image with it where it needs it', async () => {
    await load();
    writeFileSync(blobPath(image.id), 'damaged');
    const {faults, repaired} = await check(true);
    expect(faults.map(({kind, subject}) => [kind, subject])).toEqual([
      ['blob', image.id],
      ['image', image.id],
    ]);
    expect(repaired?.done).toEqual([
      `removed the damaged blob ${image.id}`,
      `removed image ${image.id}, which cannot be made whole`,
    ]);
    await check(true);
    expect(bed.content()).toEqual({layers: [], blobs: [], records: [], references: []});
  });

  test('that is only a manifest leaves the image', async () => {
    const manifest = await load();
    unlinkSync(blobPath(manifest.digest));
    const {faults, repaired} = await check(true);
    expect(faults).toEqual([
      {kind: 'image', subject: image.id, problem: 'its manifest is missing or damaged'},
      {kind: 'name', subject: 'checked:1', problem: `its target ${manifest.digest} is missing or damaged`},
    ]);
    expect(repaired).toEqual({
      done: [`made image ${image.id} whole again`, 'the name "checked:1" stands for its image alone'],
      left: [],
    });
    expect(await bed.store.images.inspect('checked:1')).toMatchObject({Id: image.id, RepoDigests: []});
  });
});

test('a record that is no record is removed, and what it named is waste', async () => {
  await load();
  const [name = ''] = readdirSync(bed.layout.images.references);
  const path = join(bed.layout.images.references, name);
  writeFileSync(path, '{');
  await expect(bed.store.images.list()).rejects.toMatchObject({kind: 'internal'});
  const {faults, repaired} = await check(true);
  expect(faults).toEqual([{kind: 'record', subject: path, problem: expect.stringContaining('is damaged')}]);
  expect(repaired).toEqual({done: [`removed the damaged record ${path}`], left: []});
  expect((await bed.store.images.list()).filter(({RepoTags}) => RepoTags.length === 0)).toHaveLength(1);
});
