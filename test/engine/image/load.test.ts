import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {findImage, findWholeImage} from '../../../src/engine/image/find.ts';
import {makeTar} from '../../support/archive.ts';
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
} from './bed.ts';

let bed: ImageBed;
beforeEach(async () => {
  bed = await makeImageBed();
});
afterEach(() => bed[Symbol.asyncDispose]());

const base = [
  {name: './', type: '5'},
  {name: 'bin/', type: '5'},
  {name: 'bin/sh', data: '#!', mode: 0o755},
];
const top = [
  {name: 'etc/', type: '5'},
  {name: 'etc/file', data: 'top'},
  {name: 'bin/', type: '5'},
  {name: 'bin/.wh.sh'},
];
const streams = (lines: readonly {stream?: string}[]) =>
  lines.flatMap(({stream}) => (stream === undefined ? [] : [stream]));

describe('archives of docker save', () => {
  test('an image is there with its names, its configuration and its layers', async () => {
    const image = makeImage({
      layers: [base, top],
      config: {Cmd: ['sh'], Env: ['A=1'], Labels: {l: '1'}, ExposedPorts: {'80/tcp': {}}},
    });
    const lines = await bed.load(dockerArchive([{image, tags: ['web:1', 'localhost:5000/team/web:2']}]));
    expect(streams(lines)).toEqual(['Loaded image: web:1\n', 'Loaded image: localhost:5000/team/web:2\n']);
    expect(lines.filter(({status}) => status === 'Loading layer')).toHaveLength(4);
    expect(await bed.store.images.inspect('web:1')).toEqual({
      Id: image.id,
      RepoTags: ['localhost:5000/team/web:2', 'web:1'],
      RepoDigests: [],
      Metadata: {LastTagTime: expect.any(String)},
      Created: '2025-05-06T07:08:09.1Z',
      Architecture: 'amd64',
      Os: 'linux',
      ...{Author: '', Comment: ''},
      Size: 5,
      Config: {
        ...{Cmd: ['sh'], Env: ['A=1'], Labels: {l: '1'}, ExposedPorts: {'80/tcp': {}}},
        ...{Entrypoint: null, OnBuild: null, User: '', Volumes: null, WorkingDir: ''},
      },
      RootFS: {Type: 'layers', Layers: image.diffIds},
    });
    const {lowers, operations} = await bed.store.root(await bed.store.resolve('web:1'));
    expect(lowers).toEqual([...image.diffIds].reverse().map((id) => join(bed.layout.images.layers, id.slice(7))));
    expect(operations).toEqual([]);
    expect(readFileSync(join(lowers[0] ?? '', 'etc/file'), 'utf8')).toBe('top');
    expect(bed.content().blobs).toEqual([image.id, ...image.diffIds].map((id) => id.slice(7)).sort());
    expect(bed.events.map(({action, attributes}) => [action, attributes['name']])).toEqual([
      ['load', 'web:1'],
      ['load', 'localhost:5000/team/web:2'],
    ]);
  });

  test('an image is found by its name, its id and the start of that, and builds want one of the first two', async () => {
    const image = makeImage({layers: [base]});
    await bed.load(dockerArchive([{image, tags: ['base:1']}]));
    const start = image.id.slice('sha256:'.length, 'sha256:'.length + 3);
    for (const text of ['base:1', image.id, start])
      expect(await findImage(bed, text)).toMatchObject({image: {id: image.id}});
    for (const text of ['base:1', image.id])
      expect(await findWholeImage(bed, text)).toMatchObject({image: {id: image.id}});
    expect(await findWholeImage(bed, start)).toBeUndefined();
  });

  test('inspect tells what an image says of builds upon it', async () => {
    const forBuilds = {OnBuild: ['RUN make'], Shell: ['/bin/bash', '-c'], ArgsEscaped: true};
    const config = {Cmd: ['sh'], ...forBuilds};
    const image = makeImage({layers: [base], config});
    await bed.load(dockerArchive([{image, tags: ['base:1']}]));
    expect((await bed.store.images.inspect('base:1')).Config).toMatchObject(config);
    expect(await bed.store.resolve('base:1')).toMatchObject({config: {Cmd: ['sh']}});
  });

  test.each([
    ['gzip', gzipSync],
    ['none', (bytes: Uint8Array) => bytes],
  ])('from a stream or a file, compressed with %s', async (_name, compress) => {
    const archive = compress(dockerArchive([{image: makeImage({layers: [base]}), tags: ['a']}]));
    await bed.load(archive);
    writeFileSync(join(bed.directory, 'archive'), archive);
    expect(streams(await bed.load({path: join(bed.directory, 'archive')}))).toEqual(['Loaded image: a:latest\n']);
  });

  test('several images share layers; one of them may have no name', async () => {
    const [one, two, three] = [
      makeImage({layers: [base]}),
      makeImage({layers: [base, top]}),
      makeImage({layers: [base, top], config: {Cmd: ['x']}}),
    ];
    const lines = await bed.load(
      dockerArchive([
        {image: one, tags: ['one']},
        {image: two, tags: ['two']},
        {image: three, tags: null},
      ]),
    );
    expect(streams(lines)).toEqual([
      'Loaded image: one:latest\n',
      'Loaded image: two:latest\n',
      `Loaded image ID: ${three.id}\n`,
    ]);
    expect(bed.content().layers).toEqual(two.diffIds.map((id) => id.slice(7)).sort());
    expect((await bed.store.images.list()).find(({Id}) => Id === three.id)).toMatchObject({RepoTags: []});
  });

  test('compressed layers are checked against the digests of their content', async () => {
    const image = makeImage({layers: [base, top]});
    await bed.load(dockerArchive([{image, tags: ['a'], compress: true}]));
    expect(bed.content().layers).toEqual(image.diffIds.map((id) => id.slice(7)).sort());
    const wrong = {...image, layers: [image.layers[0] ?? Buffer.of(), makeTar([{name: 'other'}])]};
    const archive = dockerArchive([
      {
        image: {...wrong, configuration: Buffer.concat([image.configuration, Buffer.from(' ')])},
        tags: ['b'],
        compress: true,
      },
    ]);
    await expect(bed.load(archive)).rejects.toMatchObject({
      kind: 'invalid',
      message: `image "b:latest": layer ${image.diffIds[1]} is broken: its content is ${digestOf(makeTar([{name: 'other'}]))}`,
    });
    await expect(bed.store.images.inspect('b')).rejects.toMatchObject({kind: 'notFound'});
  });

  test('links between layers of old archives are followed, and no other', async () => {
    const image = makeImage({layers: [base]});
    const manifest = (name: string) =>
      Buffer.from(JSON.stringify([{Config: 'c.json', RepoTags: ['a:1'], Layers: [name]}]));
    const archive = (target: string) =>
      makeTar([
        {name: 'c.json', data: image.configuration},
        {name: 'x/layer.tar', data: image.layers[0] ?? ''},
        {name: 'y/layer.tar', type: '2', link: target},
        {name: 'manifest.json', data: manifest('y/layer.tar')},
      ]);
    await bed.load(archive('../x/layer.tar'));
    await expect(bed.load(archive('../../../../etc/passwd'))).rejects.toMatchObject({
      kind: 'invalid',
      message: 'the archive lacks y/layer.tar, which its manifest names',
    });
    await expect(bed.load(archive('layer.tar'))).rejects.toMatchObject({kind: 'invalid'});
  });

  test('a name moves to a new image; the old one stays without it', async () => {
    const [one, two] = [makeImage({layers: [base]}), makeImage({layers: [top]})];
    await bed.load(dockerArchive([{image: one, tags: ['a']}]));
    expect(streams(await bed.load(dockerArchive([{image: two, tags: ['a']}])))).toEqual([
      `The image a:latest already exists, renaming the old one with ID ${one.id} to empty string\n`,
      'Loaded image: a:latest\n',
    ]);
    expect(await bed.store.images.inspect(one.id)).toMatchObject({RepoTags: []});
  });

  test('an image without layers, and one with the same layer twice', async () => {
    await bed.load(
      dockerArchive([
        {image: makeImage({layers: [base, base]}), tags: ['twice']},
        {image: makeImage(), tags: ['none']},
      ]),
    );
    expect((await bed.store.root(await bed.store.resolve('none'))).lowers).toEqual([]);
    const {lowers} = await bed.store.root(await bed.store.resolve('twice'));
    // The kernel refuses the same directory a second time.
    expect(lowers).toHaveLength(1);
  });
});

describe('OCI layouts', () => {
  test('as archive or directory, with the manifest kept', async () => {
    const layout = makeLayout();
    const image = makeImage({layers: [base, top]});
    const manifest = layout.image(image, named('docker.io/library/web:1'));
    const files = layout.finish([manifest]);
    for (const [name, data] of files) {
      mkdirSync(dirname(join(bed.directory, 'oci', name)), {recursive: true});
      writeFileSync(join(bed.directory, 'oci', name), data);
    }
    await bed.load({path: join(bed.directory, 'oci')});
    expect(await bed.store.images.inspect(`web@${manifest.digest}`)).toMatchObject({
      RepoTags: ['web:1'],
      RepoDigests: [`web@${manifest.digest}`],
    });
    expect(streams(await bed.load(archiveOf(files)))).toEqual(['Loaded image: web:1\n']);
    expect(bed.content().blobs).toContain(manifest.digest.slice(7));
  });

  test('of several platforms the one that fits is taken, attestations are left aside', async () => {
    const layout = makeLayout();
    const [arm, amd, v3] = [
      {architecture: 'arm64', variant: 'v8'},
      {architecture: 'amd64'},
      {architecture: 'amd64', variant: 'v3'},
    ].map((platform) => makeImage({layers: [base], platform}));
    if (!arm || !amd || !v3) throw new Error('unreachable');
    const index = layout.index(
      [
        layout.image(arm, {platform: {os: 'linux', architecture: 'arm64', variant: 'v8'}}),
        layout.image(v3, {platform: {os: 'linux', architecture: 'amd64', variant: 'v3'}}),
        layout.image(amd, {platform: {os: 'linux', architecture: 'amd64'}}),
        layout.json({schemaVersion: 2}, 'application/vnd.oci.image.manifest.v1+json', {
          platform: {os: 'unknown', architecture: 'unknown'},
          annotations: {'vnd.docker.reference.type': 'attestation-manifest'},
        }),
      ],
      named('multi:1'),
    );
    await bed.load(archiveOf(layout.finish([index])));
    expect((await bed.store.images.inspect('multi:1')).Id).toBe(amd.id);
    const foreign = makeLayout();
    const others = ['arm64', 's390x'].map((architecture) =>
      foreign.image(makeImage({layers: [base], platform: {architecture}}), {platform: {os: 'linux', architecture}}),
    );
    await expect(bed.load(archiveOf(foreign.finish([foreign.index(others, named('far:1'))])))).rejects.toMatchObject({
      kind: 'notFound',
      message: 'no image for linux/amd64 in the archive: it has linux/arm64, linux/s390x',
    });
  });

  test('several images, named by either annotation or not at all', async () => {
    const layout = makeLayout();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => makeImage({layers: [[{name}]]}));
    if (!a || !b || !c) throw new Error('unreachable');
    const manifests = [
      layout.image(a, named('ghcr.io/x/a:1')),
      layout.image(b, {annotations: {'org.opencontainers.image.ref.name': 'just-b'}}),
      layout.image(c),
    ];
    expect(streams(await bed.load(archiveOf(layout.finish(manifests))))).toEqual([
      'Loaded image: ghcr.io/x/a:1\n',
      'Loaded image: just-b:latest\n',
      `Loaded image ID: ${c.id}\n`,
    ]);
  });

  test('blobs that are not what they are called, and manifests that are two things, are refused', async () => {
    const layout = makeLayout();
    const image = makeImage({layers: [base]});
    const manifest = layout.image(image, named('a'));
    const files = layout.finish([manifest]);
    const damage = (name: string, data: Uint8Array) => archiveOf(new Map([...files, [name, data]]));
    const id = image.id.slice(7);
    await expect(bed.load(damage(`blobs/sha256/${id}`, Buffer.from('{}')))).rejects.toMatchObject({
      kind: 'invalid',
      message: `blob ${image.id} is damaged: its content is ${digestOf('{}')}`,
    });
    const both = makeLayout();
    const confused = both.json(
      {mediaType: 'application/vnd.oci.image.manifest.v1+json', manifests: [], layers: [], config: {}},
      'application/vnd.oci.image.manifest.v1+json',
    );
    await expect(bed.load(archiveOf(both.finish([confused])))).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('is not of its type'),
    });
    const artifact = makeLayout();
    const chart = artifact.json(
      {config: artifact.json({}, 'application/vnd.cncf.helm.config.v1+json'), layers: []},
      'application/vnd.oci.image.manifest.v1+json',
    );
    await expect(bed.load(archiveOf(artifact.finish([chart])))).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('helm'),
    });
    expect(bed.content()).toEqual({layers: [], blobs: [], records: [], references: []});
  });
});

describe('what cannot be loaded leaves nothing behind', () => {
  const good = dockerArchive([{image: makeImage({layers: [base]}), tags: ['a']}]);
  const list = (value: unknown) => makeTar([{name: 'manifest.json', data: JSON.stringify(value)}]);
  test.each([
    ['nothing at all', Buffer.of(), 'the archive is empty'],
    ['no archive', Buffer.alloc(2000, 'x'), 'the archive is damaged, or it is no tar archive'],
    ['a cut-off archive', good.subarray(0, good.length - 1600), /^the archive is damaged: /],
    ['damaged gzip data', gzipSync(good).subarray(0, 300), 'the gzip data is damaged or cut off'],
    ['another archive', makeTar(base), 'the archive holds no image: it has neither manifest.json nor an OCI layout'],
    ['an empty list', list([]), 'the archive holds no image: its list is empty'],
    [
      'a list of something else',
      list([{Config: 1}]),
      `the archive's manifest.json: item 0 has no Config, RepoTags and Layers`,
    ],
    [
      'a missing layer',
      list([{Config: 'manifest.json', RepoTags: [], Layers: ['gone']}]),
      'the archive lacks gone, which its manifest names',
    ],
    [
      'an impossible name',
      dockerArchive([{image: makeImage(), tags: ['Upper/Case']}]),
      'invalid image name "Upper/Case": repository name must be lowercase',
    ],
    [
      "the built-in image's name",
      dockerArchive([{image: makeImage(), tags: ['tscompose/host']}]),
      'the image name "tscompose/host" belongs to the built-in image',
    ],
    [
      'too few layers',
      dockerArchive([{image: {...makeImage({layers: [base, top]}), layers: [makeTar(base)]}, tags: ['a']}]),
      'image "a:latest": its configuration names 2 layers, its manifest 1',
    ],
    [
      'a strange configuration',
      dockerArchive([{image: makeImage({extra: {rootfs: {diff_ids: ['md5:1']}}}), tags: ['a']}]),
      `image "a:latest": its configuration's "rootfs.diff_ids" is not a list of sha256 digests`,
    ],
  ])('%s', async (_name, archive, message) => {
    await expect(bed.load(archive)).rejects.toMatchObject({
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
    expect(bed.content()).toEqual({layers: [], blobs: [], records: [], references: []});
  });

  test("a broken layer: the reason is the helper's, the layers beside it go too", async () => {
    const hostile = makeImage({layers: [base, [{name: '../../pwn', data: 'x'}], top]});
    await expect(bed.load(dockerArchive([{image: hostile, tags: ['evil']}]))).rejects.toMatchObject({
      kind: 'invalid',
      message: `image "evil:latest": layer ${hostile.diffIds[1]} is broken: unpack ../../pwn: a name leads out of the archive`,
    });
    expect(bed.content()).toEqual({layers: [], blobs: [], records: [], references: []});
    expect(readdirSync(bed.directory).sort()).toEqual(['root', 'run']);
  });

  test('layers that no registry knows are named', async () => {
    const layer = Buffer.from('fd377a585a0000', 'hex');
    await expect(
      bed.load(dockerArchive([{image: {...makeImage({layers: [base]}), layers: [layer]}, tags: ['a']}])),
    ).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringMatching(/the layer is compressed with xz, which no registry knows$/),
    });
    await expect(bed.load({path: join(bed.directory, 'none')})).rejects.toMatchObject({kind: 'notFound'});
  });

  test('a reader that leaves early, and one that aborts', async () => {
    const image = makeImage({layers: [base, [{name: 'big', data: Buffer.alloc(3_000_000)}]]});
    for await (const line of bed.store.images.load(streamOf(dockerArchive([{image, tags: ['a']}])))) {
      expect(line.status).toBe('Loading layer');
      break;
    }
    const aborted = AbortSignal.abort();
    await expect(bed.load(dockerArchive([{image, tags: ['a']}]), aborted)).rejects.toMatchObject({name: 'AbortError'});
    expect(bed.content().records).toEqual([]);
    expect(bed.content().layers.filter((name) => name.startsWith('.tmp-'))).toEqual([]);
    await bed.load(dockerArchive([{image, tags: ['a']}]));
    expect(bed.content().blobs).toHaveLength(3);
  });
});

test.each([0, 2000])(
  'a source that falls silent after %i bytes does not hold up a load that was given up',
  async (length) => {
    const archive = dockerArchive([{image: makeImage({layers: [base]}), tags: ['a']}]);
    async function* silent(): AsyncIterable<Uint8Array> {
      if (length > 0) yield archive.subarray(0, length);
      await new Promise(() => undefined);
    }
    const controller = new AbortController();
    const loading = collect(bed.store.images.load(silent(), {signal: controller.signal}));
    setTimeout(() => controller.abort(), 100);
    await expect(loading).rejects.toMatchObject({name: 'AbortError'});
    expect(bed.content()).toEqual({layers: [], blobs: [], records: [], references: []});
  },
);

async function* streamOf(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

describe('layers that need those below', () => {
  const lower = [
    {name: './', type: '5'},
    {name: 'tmp/', type: '5', mode: 0o1777},
    {name: 'usr/', type: '5'},
    {name: 'usr/original', data: 'content'},
    {name: 'lib', type: '2', link: 'usr'},
  ];
  const upper = [
    {name: 'tmp/file', data: 'x'},
    {name: 'lib/new', data: 'y'},
    {name: 'usr/again', type: '1', link: 'usr/original'},
  ];

  test('are unpacked for their stack, and are plain where they are the lowest', async () => {
    const image = makeImage({layers: [lower, upper]});
    await bed.load(dockerArchive([{image, tags: ['a']}]));
    const {lowers} = await bed.store.root(await bed.store.resolve('a'));
    expect(lowers[0]).toMatch(/[0-9a-f]{64}-[0-9a-f]{10}$/);
    expect(readdirSync(join(lowers[0] ?? '', 'usr')).sort()).toEqual(['again', 'new', 'original']);
    const alone = makeImage({layers: [upper.slice(0, 2)]});
    await bed.load(dockerArchive([{image: alone, tags: ['alone']}]));
    expect((await bed.store.root(await bed.store.resolve('alone'))).lowers).toEqual([
      join(bed.layout.images.layers, alone.diffIds[0]?.slice(7) ?? ''),
    ]);
    const stacked = makeImage({layers: [lower, upper.slice(0, 2)]});
    await bed.load(dockerArchive([{image: stacked, tags: ['stacked']}]));
    const [first] = (await bed.store.root(await bed.store.resolve('stacked'))).lowers;
    expect(readdirSync(first ?? '').sort()).toEqual(['tmp', 'usr']);
    const before = bed.content();
    await bed.load(dockerArchive([{image, tags: ['b']}]));
    expect(bed.content().layers).toEqual(before.layers);
  });

  test('a link that no layer has the target of is an error', async () => {
    const image = makeImage({layers: [lower, [{name: 'bad', type: '1', link: 'nowhere'}]]});
    await expect(bed.load(dockerArchive([{image, tags: ['a']}]))).rejects.toMatchObject({
      kind: 'notFound',
      message: expect.stringContaining('hard link'),
    });
    expect(bed.content()).toEqual({layers: [], blobs: [], records: [], references: []});
  });
});
