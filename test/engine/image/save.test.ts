import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
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
  readArchive,
  stream,
} from './bed.ts';

let bed: ImageBed;
beforeEach(async () => {
  bed = await makeImageBed();
});
afterEach(() => bed[Symbol.asyncDispose]());

const base = [
  {name: 'bin/', type: '5'},
  {name: 'bin/sh', data: '#!', mode: 0o755},
];
const save = async (names: readonly string[], platform?: string) =>
  readArchive(await bed.store.images.save(names, {platform}));
const json = (files: ReadonlyMap<string, Buffer>, name: string) => JSON.parse(String(files.get(name)));
const blob = (digest: string) => `blobs/sha256/${digest.slice(7)}`;

describe('an archive that is saved', () => {
  const one = makeImage({layers: [base]});
  const two = makeImage({layers: [base, [{name: 'two', data: '2'}]]});

  test('is what Docker writes of the same images', async () => {
    await bed.load(
      dockerArchive([
        {image: one, tags: ['one:1', 'one:also']},
        {image: two, tags: ['localhost:5000/two:2']},
      ]),
    );
    const files = await save(['one', 'localhost:5000/two:2']);
    const manifests = [one, two].map(({configuration, id, layers, diffIds}) =>
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: {mediaType: 'application/vnd.oci.image.config.v1+json', digest: id, size: configuration.length},
        layers: layers.map((layer, index) => ({
          mediaType: 'application/vnd.oci.image.layer.v1.tar',
          digest: diffIds[index],
          size: layer.length,
        })),
      }),
    );
    const blobs = [one.id, two.id, ...two.diffIds, ...manifests.map(digestOf)].map(blob).sort();
    expect([...files.keys()]).toEqual([
      ...['blobs/', 'blobs/sha256/', ...blobs],
      ...['index.json', 'manifest.json', 'oci-layout', 'repositories'],
    ]);
    for (const manifest of manifests) expect(String(files.get(blob(digestOf(manifest))))).toBe(manifest);
    expect(json(files, 'index.json').manifests).toEqual([
      ...['1', 'also'].map((tag) => ({
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: digestOf(manifests[0] ?? ''),
        size: manifests[0]?.length,
        annotations: {
          'io.containerd.image.name': `docker.io/library/one:${tag}`,
          'org.opencontainers.image.ref.name': tag,
        },
      })),
      expect.objectContaining({
        digest: digestOf(manifests[1] ?? ''),
        annotations: {
          'io.containerd.image.name': 'localhost:5000/two:2',
          'org.opencontainers.image.ref.name': '2',
        },
      }),
    ]);
    expect(json(files, 'manifest.json')).toMatchObject([
      {Config: blob(one.id), RepoTags: ['one:1', 'one:also'], Layers: one.diffIds.map(blob)},
      {Config: blob(two.id), RepoTags: ['localhost:5000/two:2'], Layers: two.diffIds.map(blob)},
    ]);
    expect(json(files, 'repositories')).toEqual({
      one: {1: one.diffIds[0]?.slice(7), also: one.diffIds[0]?.slice(7)},
      'localhost:5000/two': {2: two.diffIds[1]?.slice(7)},
    });
  });

  test('has the same bytes each time, and makes the same store elsewhere', async () => {
    await bed.load(dockerArchive([{image: two, tags: ['two']}]));
    const chunks: Uint8Array[] = [];
    for await (const chunk of await bed.store.images.save(['two'])) chunks.push(chunk);
    const archive = Buffer.concat(chunks);
    await using other = await makeImageBed();
    await other.load(archive);
    expect((await other.store.images.inspect('two')).Id).toBe(two.id);
    const again: Uint8Array[] = [];
    for await (const chunk of await other.store.images.save(['two'])) again.push(chunk);
    expect(Buffer.concat(again).equals(archive)).toBe(true);
  });

  test('by id has no name, and what is not there is told before anything is written', async () => {
    await bed.load(dockerArchive([{image: one, tags: ['one:1']}]));
    const files = await save([one.id.slice(7, 19)]);
    expect(json(files, 'manifest.json')).toMatchObject([{Config: blob(one.id), RepoTags: null}]);
    expect(json(files, 'index.json').manifests[0]).not.toHaveProperty('annotations');
    await expect(save(['one:1', 'nope'])).rejects.toMatchObject({
      kind: 'notFound',
      message: 'No such image: nope:latest',
    });
    await expect(save([])).rejects.toMatchObject({kind: 'invalid'});
    await expect(save(['tscompose/host'])).rejects.toMatchObject({kind: 'unsupported'});
    await expect(save(['one:1'], 'linux/arm64')).rejects.toMatchObject({
      kind: 'notFound',
      message:
        'image with reference one:1 was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)',
    });
  });

  test('breaks off where a blob is damaged', async () => {
    await bed.load(dockerArchive([{image: one, tags: ['one']}]));
    const path = join(bed.layout.images.blobs, one.diffIds[0]?.slice(7) ?? '');
    writeFileSync(path, Buffer.alloc(one.layers[0]?.length ?? 0, 'x'));
    await expect(save(['one'])).rejects.toMatchObject({
      kind: 'internal',
      message: expect.stringMatching(/^blob sha256:[0-9a-f]+ is damaged: its content is sha256:/),
    });
  });

  test('stays whole while the image is removed and everything pruned', async () => {
    const image = makeImage({layers: [[{name: 'large', data: Buffer.alloc(3_000_000, 'large')}]]});
    await bed.load(dockerArchive([{image, tags: ['large']}]));
    const chunks: Uint8Array[] = [];
    for await (const chunk of await bed.store.images.save(['large'])) {
      if (chunks.length === 0) {
        await bed.store.images.remove('large');
        await bed.store.tidy();
      }
      chunks.push(chunk);
    }
    await bed.store.tidy();
    expect(bed.content().blobs).toEqual([]);
    await bed.load(Buffer.concat(chunks));
    expect((await bed.store.images.inspect('large')).Id).toBe(image.id);
  });
});

describe('an index of several platforms', () => {
  const amd = makeImage({layers: [base]});
  const arm = makeImage({layers: [[{name: 'arm', data: 'arm'}]], platform: {architecture: 'arm64'}});
  const attestation = {
    platform: {os: 'unknown', architecture: 'unknown'},
    annotations: {'vnd.docker.reference.type': 'attestation-manifest'},
  };
  const layoutOf = () => {
    const layout = makeLayout();
    const statement = makeImage({layers: [[{name: 'statement'}]], platform: {architecture: 'unknown', os: 'unknown'}});
    const index = layout.index(
      [
        layout.image(amd, {platform: {os: 'linux', architecture: 'amd64'}}),
        layout.image(arm, {platform: {os: 'linux', architecture: 'arm64'}}),
        layout.image(statement, attestation),
      ],
      named('docker.io/library/multi:1'),
    );
    return {files: layout.finish([index]), index};
  };

  test('is kept with everything that came with it, and passed on byte for byte', async () => {
    const {files, index} = layoutOf();
    await bed.load(archiveOf(files));
    const image = await bed.store.images.inspect('multi:1');
    expect(image).toMatchObject({Id: amd.id, RepoDigests: [`multi@${index.digest}`]});
    const saved = await save(['multi:1']);
    for (const [name, bytes] of files)
      if (name.startsWith('blobs/')) expect(saved.get(name)?.equals(bytes), name).toBe(true);
    expect(json(saved, 'index.json').manifests).toMatchObject([{digest: index.digest, mediaType: index.mediaType}]);
    expect(json(saved, 'manifest.json')).toMatchObject([{Config: blob(amd.id), RepoTags: ['multi:1']}]);
    await bed.store.tidy();
    expect(bed.content().blobs.length).toBe([...files.keys()].filter((name) => name.startsWith('blobs/')).length);
    await bed.store.images.remove('multi:1');
    expect(bed.content()).toEqual({layers: [], blobs: [], records: [], references: []});
  });

  test('may lack platforms', async () => {
    const {files, index} = layoutOf();
    files.delete(blob(digestOf(gzipSync(arm.layers[0] ?? ''))));
    files.delete(blob(arm.id));
    await bed.load(archiveOf(files));
    const saved = await save(['multi:1']);
    expect(json(saved, 'index.json').manifests).toMatchObject([{digest: index.digest}]);
    expect(saved.has(blob(arm.id))).toBe(false);
  });

  test('gives the platform that is asked for', async () => {
    const {files, index} = layoutOf();
    await bed.load(archiveOf(files));
    const saved = await save(['multi:1'], 'linux/amd64');
    const [target] = json(saved, 'index.json').manifests;
    expect(target.digest).not.toBe(index.digest);
    expect(saved.has(blob(arm.id))).toBe(false);
    await using other = await makeImageBed();
    await collect(other.store.images.load(stream(archiveOf(files)), {platform: 'linux/arm64'}));
    expect((await other.store.images.inspect('multi:1')).Id).toBe(arm.id);
  });

  test('keeps its tags the same target', async () => {
    const {files, index} = layoutOf();
    await bed.load(archiveOf(files));
    await bed.store.images.tag('multi:1', {repository: 'other', tag: '2'});
    expect((await bed.store.images.inspect('other:2')).RepoDigests).toEqual([
      `multi@${index.digest}`,
      `other@${index.digest}`,
    ]);
    await bed.store.images.remove('multi:1');
    await bed.store.tidy();
    expect(json(await save(['other:2']), 'index.json').manifests).toMatchObject([{digest: index.digest}]);
  });
});

describe('an archive in two ways', () => {
  const one = makeImage({layers: [base]});
  const other = makeImage({layers: [base], config: {Cmd: ['other']}});
  const union = (list: object) => {
    const layout = makeLayout();
    const files = layout.finish([layout.image(one, named('docker.io/library/both:1'), false)]);
    layout.add(other.configuration, '');
    files.set('manifest.json', Buffer.from(JSON.stringify(list)));
    return archiveOf(files);
  };

  test('gives the images of both', async () => {
    await bed.load(
      union([
        {Config: blob(one.id), RepoTags: ['both:1', 'both:2'], Layers: one.diffIds.map(blob)},
        {Config: blob(other.id), RepoTags: ['more:1'], Layers: other.diffIds.map(blob)},
      ]),
    );
    expect((await bed.store.images.inspect('both:2')).Id).toBe(one.id);
    expect((await bed.store.images.inspect('more:1')).Id).toBe(other.id);
  });

  test('that mean different images is refused', async () => {
    const attempt = bed.load(union([{Config: blob(other.id), RepoTags: ['both:1'], Layers: other.diffIds.map(blob)}]));
    await expect(attempt).rejects.toMatchObject({
      kind: 'invalid',
      message: `the archive contradicts itself: "both:1" is ${one.id} by its index.json, ${other.id} by its manifest.json`,
    });
    const fewer = bed.load(union([{Config: blob(one.id), RepoTags: ['both:1'], Layers: []}]));
    await expect(fewer).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('contradicts itself'),
    });
    expect(bed.content().records).toEqual([]);
  });
});

test('the history tells each step, with the bytes of its layer', async () => {
  const history = [
    {created: '2025-01-01T00:00:00Z', created_by: 'ADD rootfs'},
    {created: '2025-01-02T00:00:00Z', created_by: 'ENV a=b', empty_layer: true, comment: 'quiet'},
    {created: '2025-01-03T00:00:00Z', created_by: 'COPY two', author: 'me'},
  ];
  const image = makeImage({layers: [base, [{name: 'two', data: '222'}]], extra: {history}});
  await bed.load(dockerArchive([{image, tags: ['steps:1']}]));
  const at = (day: number) => Date.UTC(2025, 0, day) / 1000;
  expect(await bed.store.images.history('steps:1')).toEqual([
    {Id: image.id, Created: at(3), CreatedBy: 'COPY two', Tags: ['steps:1'], Size: 3, Comment: ''},
    {Id: '<missing>', Created: at(2), CreatedBy: 'ENV a=b', Tags: null, Size: 0, Comment: 'quiet'},
    {Id: '<missing>', Created: at(1), CreatedBy: 'ADD rootfs', Tags: null, Size: 2, Comment: ''},
  ]);
  await expect(bed.store.images.history('steps:1', 'linux/arm64')).rejects.toMatchObject({kind: 'notFound'});
  await bed.load(dockerArchive([{image: makeImage({layers: [base]}), tags: ['none']}]));
  expect(await bed.store.images.history('none')).toEqual([]);
});
