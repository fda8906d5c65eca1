import {createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import type {BuildOutput} from '../../../src/api/types/build-output.ts';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {readTar} from '../../support/read-tar.ts';
import {imageArchive} from '../../support/test-images.ts';
import {readArchive} from '../image/bed.ts';
import {type Document, readLayout} from './output-layout.ts';
import {eventsOf, plainBody} from './plain-body.ts';

let bed: TestEngine;
let directory: string;
let own = '';
let other = '';

beforeAll(async () => {
  bed = await openTestEngine({encode: false});
  directory = mkdtempSync(join(tmpdir(), 'tscompose-outputs-'));
  writeFileSync(join(directory, 'a'), 'a file\n');
  for await (const _ of bed.engine.images.load(createReadStream(imageArchive('busybox'))));
  own = (await bed.engine.images.inspect('busybox')).Architecture;
  other = own === 'arm64' ? 'amd64' : 'arm64';
});

afterAll(async () => {
  await bed?.close();
  rmSync(directory, {recursive: true, force: true});
});

const place = (name: string) => join(directory, name);
const plain = 'FROM scratch\nCOPY a /a\n';

async function build(text: string, more: Parameters<typeof plainBody>[1]) {
  const events = await eventsOf(bed.engine, plainBody(text, {context: directory, ...more}));
  const metadata: Document = events.find((event) => event.kind === 'metadata')?.metadata;
  return {events, metadata};
}

async function ociOf(text: string, output: Partial<Extract<BuildOutput, {readonly kind: 'oci'}>>, more = {}) {
  const path = place(`layout-${readdirSync(directory).length}.tar`);
  const {metadata} = await build(text, {outputs: [{kind: 'oci', path, ...output}], ...more});
  return {layout: await readLayout(path), metadata};
}

test('an OCI layout has an entry for each name, and its layers compressed', async () => {
  const {layout, metadata} = await ociOf(plain, {}, {tags: ['oci:1', 'example.org/oci:2']});
  expect(layout.entries.map(({annotations}) => annotations['io.containerd.image.name'])).toEqual([
    'docker.io/library/oci:1',
    'example.org/oci:2',
  ]);
  const manifest = layout.document(layout.entries[0]);
  expect(manifest).toMatchObject({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    layers: [{mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip'}],
  });
  expect(await layout.layer(manifest.layers[0])).toMatchObject({a: {text: 'a file\n'}});
  expect(metadata).toMatchObject({
    'containerimage.config.digest': manifest.config.digest,
    'containerimage.digest': layout.entries[0].digest,
    'containerimage.descriptor': {digest: layout.entries[0].digest, size: layout.entries[0].size},
    'image.name': 'docker.io/library/oci:1,example.org/oci:2',
  });
  // It is nowhere else.
  await expect(bed.engine.images.inspect('oci:1')).rejects.toMatchObject({kind: 'notFound'});
});

test('compression and media types are as they are asked for', async () => {
  const typesOf = async (output: Parameters<typeof ociOf>[1]) => {
    const {layout} = await ociOf(plain, output);
    const {mediaType, config, layers} = layout.document(layout.entries[0]);
    return [mediaType, config.mediaType, ...layers.map((layer: Document) => layer.mediaType)];
  };
  expect(await typesOf({compression: 'uncompressed', ociMediaTypes: false})).toEqual([
    'application/vnd.docker.distribution.manifest.v2+json',
    'application/vnd.docker.container.image.v1+json',
    'application/vnd.docker.image.rootfs.diff.tar',
  ]);
  const sizeOf = async (compressionLevel: number) => {
    const {layout} = await ociOf(`FROM scratch\nCOPY <<E /text\n${'some text '.repeat(500)}\nE\n`, {compressionLevel});
    return layout.document(layout.entries[0]).layers[0].size as number;
  };
  expect(await sizeOf(0)).toBeGreaterThan(await sizeOf(9));
});

test.skipIf(!('createZstdCompress' in process.getBuiltinModule('node:zlib')))('zstd', async () => {
  const {layout} = await ociOf(plain, {compression: 'zstd', compressionLevel: 7});
  const [layer] = layout.document(layout.entries[0]).layers;
  expect(layer.mediaType).toBe('application/vnd.oci.image.layer.v1.tar+zstd');
  expect(layout.files.get(`blobs/${layer.digest.replace(':', '/')}`)?.subarray(0, 4)).toEqual(
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
  );
});

test('a layer that came compressed stays as it came, unless that is forced', async () => {
  const path = place('gzip.tar');
  await build(plain, {tags: ['gzip:1'], outputs: [{kind: 'docker', path, compression: 'gzip'}]});
  for await (const _ of bed.engine.images.load(createReadStream(path)));
  const layerOf = async (forceCompression: boolean) => {
    const {layout} = await ociOf('FROM gzip:1\nENV A=1\n', {compression: 'uncompressed', forceCompression});
    return layout.document(layout.entries[0]).layers[0].mediaType;
  };
  expect(await layerOf(false)).toBe('application/vnd.oci.image.layer.v1.tar+gzip');
  expect(await layerOf(true)).toBe('application/vnd.oci.image.layer.v1.tar');
});

test('an archive for docker load is read again; a layout in a directory keeps what is there', async () => {
  const path = place('docker.tar');
  await build(plain, {tags: ['loaded:1'], outputs: [{kind: 'docker', path}]});
  const files = await readArchive(createReadStream(path));
  expect(JSON.parse(String(files.get('manifest.json')))).toMatchObject([{RepoTags: ['loaded:1']}]);
  for await (const _ of bed.engine.images.load(createReadStream(path)));
  expect(await bed.engine.images.inspect('loaded:1')).toMatchObject({RootFS: {Layers: [expect.any(String)]}});

  const layout = place('layout');
  for (const name of ['kept:1', 'kept:2', 'kept:2'])
    await build(plain, {tags: [name], outputs: [{kind: 'oci', path: layout, directory: true}]});
  const {manifests} = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  expect(manifests.map(({annotations}: Document) => annotations['org.opencontainers.image.ref.name'])).toEqual([
    '1',
    '2',
  ]);
  for (const {digest} of manifests) expect(existsSync(join(layout, 'blobs', digest.replace(':', '/')))).toBe(true);
});

test('several outputs are made of one build', async () => {
  const [tar, local, oci] = [place('several.tar'), place('several'), place('several-oci.tar')];
  const outputs = [
    {kind: 'tar', path: tar},
    {kind: 'local', path: local},
    {kind: 'oci', path: oci},
    {kind: 'image', push: false},
  ] as const;
  const {events} = await build(plain, {tags: ['several:1'], outputs});
  expect(await readTar(createReadStream(tar))).toMatchObject({a: {text: 'a file\n'}});
  expect(readFileSync(join(local, 'a'), 'utf8')).toBe('a file\n');
  expect((await readLayout(oci)).entries).toHaveLength(1);
  expect(events.filter(({kind}) => kind === 'exported')).toHaveLength(3);
  expect((await bed.engine.images.inspect('several:1')).RepoTags).toContain('several:1');
});

test('annotations stand where they belong', async () => {
  const annotations = [
    {of: 'manifest', key: 'k', value: 'of the manifest'},
    {of: 'manifest-descriptor', key: 'd', value: 'of its entry'},
  ] as const;
  const {layout} = await ociOf(plain, {annotations, ociMediaTypes: false});
  const [entry] = layout.entries;
  expect(entry.annotations).toMatchObject({d: 'of its entry'});
  expect(layout.document(entry)).toMatchObject({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    annotations: {k: 'of the manifest'},
  });
  const ofIndex = [{of: 'index', key: 'i', value: 'v'}] as const;
  await expect(ociOf(plain, {annotations: ofIndex})).rejects.toMatchObject({
    kind: 'invalid',
    message: 'annotation "i" is for an index, and the image has none',
  });
});

const several = () => ({platforms: [`linux/${own}`, `linux/${other}`]});
const forEach = `FROM --platform=$BUILDPLATFORM busybox AS tools
ARG TARGETARCH BUILDPLATFORM
RUN --network=none echo "$BUILDPLATFORM for $TARGETARCH" > /for
FROM scratch
COPY --from=tools /for /for
`;

test('an image for several platforms is an index, planned for each of them', async () => {
  const {layout, metadata} = await ociOf(forEach, {}, several());
  const [entry] = layout.entries;
  expect(entry.mediaType).toBe('application/vnd.oci.image.index.v1+json');
  const {manifests} = layout.document(entry);
  expect(manifests.map(({platform}: Document) => platform)).toEqual([
    {os: 'linux', architecture: own},
    {os: 'linux', architecture: other},
  ]);
  for (const [at, architecture] of [own, other].entries()) {
    const manifest = layout.document(manifests[at]);
    expect(layout.document(manifest.config)).toMatchObject({architecture, os: 'linux'});
    expect(await layout.layer(manifest.layers[0])).toMatchObject({for: {text: `linux/${own} for ${architecture}\n`}});
  }
  expect(Object.keys(metadata).sort()).toEqual([
    `buildx.build.provenance/linux/amd64`,
    `buildx.build.provenance/linux/arm64`,
    'buildx.build.ref',
    'containerimage.descriptor',
    'containerimage.digest',
  ]);
});

test('files of several platforms have a directory each', async () => {
  const [local, tar] = [place('platforms'), place('platforms.tar')];
  const outputs = [
    {kind: 'local', path: local},
    {kind: 'tar', path: tar},
  ] as const;
  await build(forEach, {...several(), outputs});
  expect(readdirSync(local).sort()).toEqual(['linux_amd64', 'linux_arm64']);
  const entries = await readTar(createReadStream(tar));
  for (const name of [own, other]) {
    expect(readFileSync(join(local, `linux_${name}`, 'for'), 'utf8')).toBe(`linux/${own} for ${name}\n`);
    expect(entries[`linux_${name}/for`]?.text).toBe(`linux/${own} for ${name}\n`);
  }
  await build(plain, {outputs: [{kind: 'local', path: place('split'), split: true}]});
  expect(readdirSync(place('split'))).toEqual([`linux_${own}`]);
});

test('in the store the name stands for all platforms, which come and go with it', async () => {
  const {metadata} = await build(forEach, {...several(), tags: ['many:1']});
  const {images} = bed.engine;
  expect((await images.inspect('many:1')).Architecture).toBe(own);
  const foreign = await images.inspect('many:1', `linux/${other}`);
  expect(foreign.Architecture).toBe(other);
  expect((await images.inspect(metadata['containerimage.digest'])).RepoTags).toEqual(['many:1']);
  expect((await images.list()).filter(({Id}) => Id === foreign.Id)).toEqual([]);
  // It is built upon, too.
  const upon = await ociOf('FROM many:1\nENV A=1\n', {}, {platforms: [`linux/${other}`]});
  const manifest = upon.layout.document(upon.layout.entries[0]);
  expect(upon.layout.document(manifest.config)).toMatchObject({architecture: other});

  const saved = await readArchive(await images.save(['many:1']));
  const index = JSON.parse(String(saved.get('index.json'))).manifests[0];
  const {manifests} = JSON.parse(String(saved.get(`blobs/${index.digest.replace(':', '/')}`)));
  expect(manifests).toHaveLength(2);
  expect((await images.check({repair: false})).faults).toEqual([]);

  await images.prune();
  expect((await images.inspect('many:1', `linux/${other}`)).Id).toBe(foreign.Id);
  await images.remove('many:1');
  await expect(images.inspect(foreign.Id)).rejects.toMatchObject({kind: 'notFound'});
});

test('a step for another machine is refused by name', async () => {
  const text = `FROM scratch\nCOPY --from=busybox / /\nRUN true\n`;
  const foreign = own === 's390x' ? 'ppc64le' : 's390x';
  const built = eventsOf(
    bed.engine,
    plainBody(text.replace('busybox', 'tools'), {
      platforms: [`linux/${foreign}`],
      contexts: {tools: {kind: 'directory', path: directory}},
    }),
  );
  await expect(built).rejects.toMatchObject({
    kind: 'unsupported',
    message: `RUN cannot run programs for linux/${foreign}: this machine is linux/${own}`,
    diagnostics: [{line: 3}],
  });
});

test('provenance is attested beside the image', async () => {
  const body = {tags: ['attested:1'], arguments: {A: 'secret'}, labels: {l: 'm'}};
  const text = 'FROM busybox\nARG A\nENV B=1\n';
  const {layout} = await ociOf(text, {}, {...body, provenance: {mode: 'min', version: 'v0.2', builderId: 'https://b'}});
  const {manifests} = layout.document(layout.entries[0]);
  const [image, attestation] = manifests;
  expect(attestation).toMatchObject({
    platform: {os: 'unknown', architecture: 'unknown'},
    annotations: {
      'vnd.docker.reference.digest': image.digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
  });
  const manifest = layout.document(attestation);
  expect(manifest.layers).toMatchObject([
    {
      mediaType: 'application/vnd.in-toto+json',
      annotations: {'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v0.2'},
    },
  ]);
  expect(layout.document(manifest.config).rootfs.diff_ids).toEqual([manifest.layers[0].digest]);
  const statement = layout.document(manifest.layers[0]);
  expect(statement).toMatchObject({
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType: 'https://slsa.dev/provenance/v0.2',
    subject: [
      {
        name: `pkg:docker/attested@1?platform=linux%2F${own}`,
        digest: {sha256: image.digest.slice('sha256:'.length)},
      },
    ],
    predicate: {
      builder: {id: 'https://b'},
      materials: [{uri: `pkg:docker/busybox@latest?platform=linux%2F${own}`}],
      invocation: {parameters: {args: {}}, environment: {platform: `linux/${own}`}},
      metadata: {completeness: {parameters: false, environment: true, materials: false}},
    },
  });
  expect(JSON.stringify(statement)).not.toContain('secret');
  expect(statement.predicate).not.toHaveProperty('buildConfig');

  const most = await ociOf(text, {}, {...body, provenance: {mode: 'max', version: 'v1', reproducible: true}});
  const named = most.layout.document(most.layout.entries[0]).manifests[1];
  const {predicate} = most.layout.document(most.layout.document(named).layers[0]);
  expect(predicate).toMatchObject({
    buildDefinition: {
      externalParameters: {request: {args: {'build-arg:A': 'secret', 'label:l': 'm'}}},
      internalParameters: {buildConfig: {llbDefinition: [{id: 'step0', op: {Op: {source: {}}}}]}},
    },
    runDetails: {metadata: {buildkit_reproducible: true}},
  });
});

test('what cannot be made is refused before anything is built', async () => {
  const refused = (more: Parameters<typeof plainBody>[1]) =>
    eventsOf(bed.engine, plainBody('FROM nothing-that-is-here\n', more)).then(
      () => 'built',
      (error: Error) => error.message,
    );
  const provenance = {mode: 'min', version: 'v0.2'} as const;
  const path = place('never');
  expect(await refused({outputs: [{kind: 'docker', path}], ...several()})).toContain(
    'type=docker has an image for one',
  );
  expect(await refused({outputs: [{kind: 'docker', path}], provenance})).toContain('type=docker has no attestations');
  expect(await refused({outputs: [{kind: 'image', push: true}]})).toBe('an image without a name cannot be pushed');
  expect(await refused({outputs: [{kind: 'tar', path}], provenance})).toBe('files alone have no attestations');
});

test('what is saved of an image with a manifest is what was built', async () => {
  const outputs = [{kind: 'image', push: false, compression: 'gzip'}] as const;
  const {metadata} = await build(plain, {tags: ['form:1'], outputs});
  const saved = await readArchive(await bed.engine.images.save(['form:1']));
  const [entry] = JSON.parse(String(saved.get('index.json'))).manifests;
  expect(entry.digest).toBe(metadata['containerimage.digest']);
});
