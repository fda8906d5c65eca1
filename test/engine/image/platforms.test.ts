import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {
  archiveOf,
  collect,
  type ImageBed,
  makeImage,
  makeImageBed,
  makeLayout,
  named,
  readArchive,
  stream,
} from './bed.ts';

const name = 'docker.io/library/many:1';
const [amd64, arm64, s390x] = ['amd64', 'arm64', 's390x'].map((architecture) =>
  makeImage({
    layers: [[{name: 'who', data: Buffer.from(architecture)}]],
    platform: {architecture},
    config: {Labels: {for: architecture}},
  }),
) as [ReturnType<typeof makeImage>, ReturnType<typeof makeImage>, ReturnType<typeof makeImage>];

let bed: ImageBed;
beforeEach(async () => {
  bed = await makeImageBed();
});
afterEach(() => bed[Symbol.asyncDispose]());

/** An index of three platforms, one of which did not come, and of what is attested of the first. */
function makeArchive() {
  const layout = makeLayout();
  const platformOf = (architecture: string) => ({platform: {os: 'linux', architecture}});
  const first = layout.image(amd64, platformOf('amd64'));
  const second = layout.image(arm64, platformOf('arm64'));
  const third = layout.image(s390x, platformOf('s390x'));
  const attestation = layout.image(makeImage({layers: [[{name: 'sbom', data: Buffer.from('{}')}]]}), {
    platform: {os: 'unknown', architecture: 'unknown'},
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': first.digest,
    },
  });
  const index = layout.index([first, second, third, attestation], named(name));
  layout.files.delete(`blobs/sha256/${third.digest.slice(7)}`);
  return {archive: archiveOf(layout.finish([index])), index, first, second, third, attestation};
}

const images = () => bed.store.images;
const rows = async () => (await images().list({}, {manifests: true})).filter(({RepoTags}) => RepoTags[0] === 'many:1');
const blobs = () => bed.content().blobs;

describe('an index of several platforms', () => {
  it('is listed with all it leads to, as one row', async () => {
    const {archive, first, second, third, attestation} = makeArchive();
    await bed.load(archive);
    bed.users.set(amd64.id, [{id: 'c1', running: true}]);
    const [row, ...more] = await rows();
    expect(more).toEqual([]);
    expect(row?.Id).toBe(amd64.id);
    expect(row?.Manifests).toEqual([
      expect.objectContaining({
        ID: first.digest,
        Kind: 'image',
        Available: true,
        ImageData: expect.objectContaining({Platform: {os: 'linux', architecture: 'amd64'}, Containers: ['c1']}),
      }),
      expect.objectContaining({ID: second.digest, Kind: 'image', Available: true}),
      expect.objectContaining({ID: third.digest, Kind: 'image', Available: false, Size: {Content: 0, Total: 0}}),
      expect.objectContaining({ID: attestation.digest, Kind: 'attestation', AttestationData: {For: first.digest}}),
    ]);
  });

  it('gives the one that is asked for, which is unpacked only when it is to run', async () => {
    await bed.load(makeArchive().archive);
    expect(await images().inspect('many:1', 'linux/arm64')).toMatchObject({
      Id: arm64.id,
      Architecture: 'arm64',
      RootFS: {Layers: arm64.diffIds},
    });
    expect((await images().history('many:1', 'linux/arm64')).length).toBe(0);
    expect(bed.content().layers).toHaveLength(1);
    expect(await bed.store.resolve('many:1', 'linux/arm64')).toMatchObject({
      ...{id: arm64.id, architecture: 'arm64', layers: arm64.diffIds},
      config: {Labels: {for: 'arm64'}},
    });
    expect(bed.content().layers).toHaveLength(2);
    expect(await bed.store.root({id: arm64.id})).toMatchObject({lowers: [expect.stringContaining(bed.directory)]});
    // The name stands for what it stood for, and the list has one row of it.
    expect((await bed.store.resolve('many:1')).id).toBe(amd64.id);
    expect((await rows()).map(({Id}) => Id)).toEqual([amd64.id]);
    expect((await images().inspect(arm64.id)).RepoTags).toEqual(['many:1']);
    await expect(bed.store.resolve('many:1', 'linux/s390x')).rejects.toMatchObject({
      kind: 'notFound',
      message:
        'image with reference many:1 was found but its platform (linux/amd64) does not match the specified platform (linux/s390x)',
    });
  });

  it('asked for at once by many is unpacked once', async () => {
    await bed.load(makeArchive().archive);
    const found = await Promise.all([1, 2, 3].map(() => bed.store.resolve('many:1', 'linux/arm64')));
    expect(new Set(found.map(({id}) => id))).toEqual(new Set([arm64.id]));
    expect(bed.content().layers).toHaveLength(2);
    expect(bed.content().records).toHaveLength(2);
  });

  it('loses a platform and keeps the others, then itself with the last', async () => {
    const {archive, first, second} = makeArchive();
    await bed.load(archive);
    await bed.store.resolve('many:1', 'linux/arm64');
    expect(await images().remove('many:1', {platforms: ['linux/amd64']})).toEqual([
      {Deleted: amd64.id},
      {Deleted: amd64.diffIds[0]},
    ]);
    expect(blobs()).not.toContain(first.digest.slice(7));
    expect(blobs()).toContain(second.digest.slice(7));
    expect((await bed.store.resolve('many:1')).id).toBe(arm64.id);
    await expect(images().inspect('many:1', 'linux/amd64')).rejects.toMatchObject({kind: 'notFound'});
    expect(await images().remove('many:1', {platforms: ['linux/arm64']})).toContainEqual({Untagged: 'many:1'});
    expect(bed.content()).toEqual({layers: [], blobs: [], records: [], references: []});
  });

  it('loses the one that is unpacked and keeps those that only came along, of which one is unpacked then', async () => {
    const {archive, first, second} = makeArchive();
    await bed.load(archive);
    expect(await images().remove('many:1', {platforms: ['linux/amd64']})).toEqual([
      {Deleted: amd64.id},
      {Deleted: amd64.diffIds[0]},
    ]);
    expect(blobs()).not.toContain(first.digest.slice(7));
    expect(blobs()).toContain(second.digest.slice(7));
    expect((await bed.store.resolve('many:1')).id).toBe(arm64.id);
    expect(bed.content().layers).toHaveLength(1);
  });

  it('that was not unpacked loses a platform too', async () => {
    const {archive, second} = makeArchive();
    await bed.load(archive);
    const twice = {platforms: ['linux/arm64', 'arm64']};
    expect(await images().remove('many:1', twice)).toEqual([{Deleted: second.digest}]);
    expect(blobs()).not.toContain(arm64.id.slice(7));
    const [row] = await rows();
    expect(row?.Manifests?.map(({Available}) => Available)).toEqual([true, false, false, true]);
  });

  it('keeps a platform that a container uses, or another name', async () => {
    const {archive, second} = makeArchive();
    await bed.load(archive);
    await bed.store.resolve('many:1', 'linux/arm64');
    bed.users.set(arm64.id, [{id: 'c0ffee', running: false}]);
    await expect(images().remove('many:1', {platforms: ['linux/arm64'], force: true})).rejects.toMatchObject({
      kind: 'conflict',
      message: 'cannot remove a platform of "many:1": stopped container c0ffee uses it',
    });
    await expect(images().remove('many:1')).rejects.toMatchObject({kind: 'conflict'});
    bed.users.clear();
    await images().tag('many:1', {repository: 'other', tag: '2'});
    expect(await images().remove('many:1', {platforms: ['linux/arm64']})).toEqual([]);
    expect(blobs()).toContain(second.digest.slice(7));
    expect((await bed.store.resolve('other:2', 'linux/arm64')).id).toBe(arm64.id);
    await images().remove('other:2');
    await images().remove('many:1');
    expect(bed.content()).toEqual({layers: [], blobs: [], records: [], references: []});
  });

  it('loses a platform by its id, too', async () => {
    await bed.load(makeArchive().archive);
    await bed.store.resolve('many:1', 'linux/arm64');
    expect(await images().remove(arm64.id)).toEqual([{Deleted: arm64.id}, {Deleted: arm64.diffIds[0]}]);
    expect((await images().inspect('many:1')).Id).toBe(amd64.id);
    expect(bed.content().records).toHaveLength(1);
  });

  it('is saved whole, or of it one platform, also one that was not unpacked', async () => {
    const {archive, index, second} = makeArchive();
    await bed.load(archive);
    const whole = await readArchive(await images().save(['many:1']));
    expect(JSON.parse(String(whole.get('index.json'))).manifests[0].digest).toBe(index.digest);
    const one = await readArchive(await images().save(['many:1'], {platform: 'linux/arm64'}));
    expect(JSON.parse(String(one.get('index.json'))).manifests[0].digest).toBe(second.digest);
    expect(one.has(`blobs/sha256/${amd64.id.slice(7)}`)).toBe(false);
    expect(one.has(`blobs/sha256/${arm64.id.slice(7)}`)).toBe(true);
  });

  it('is loaded of one platform alone where that is asked for', async () => {
    const {archive, first, second, attestation} = makeArchive();
    await collect(images().load(stream(archive), {platform: 'linux/arm64'}));
    expect((await images().inspect('many:1')).Id).toBe(arm64.id);
    expect(blobs()).toContain(second.digest.slice(7));
    for (const other of [first, attestation]) expect(blobs()).not.toContain(other.digest.slice(7));
  });
});

it('an image is imported for another platform', async () => {
  const tar = makeImage({layers: [[{name: 'f', data: Buffer.from('x')}]]}).layers[0] ?? Buffer.alloc(0);
  await collect(images().import(stream(tar), {repository: 'far', tag: '1', platform: 'linux/arm/v7'}));
  expect(await images().inspect('far:1')).toMatchObject({Os: 'linux', Architecture: 'arm', Variant: 'v7'});
});

it('an index with a platform whose configuration is none is listed, with the others', async () => {
  const layout = makeLayout();
  const first = layout.image(amd64, {platform: {os: 'linux', architecture: 'amd64'}});
  const bad = layout.image({...arm64, configuration: Buffer.from('not json')});
  await bed.load(archiveOf(layout.finish([layout.index([first, bad], named(name))])));
  const [row] = await rows();
  expect(row?.Manifests?.map(({ID}) => ID)).toEqual([first.digest, bad.digest]);
  expect(row?.Manifests?.[1]?.ImageData?.Platform).toEqual({os: 'unknown', architecture: 'unknown'});
});
