import {afterAll, beforeAll, expect, test} from 'vitest';
import {eventually} from '../../support/host.ts';
import {
  codesOf,
  type Described,
  describeBytes,
  makeRegistry,
  pushBlob,
  pushManifest,
  type RegistryBed,
  refusalOf,
  sha256,
  sha512,
  types,
} from './bed.ts';

let bed: RegistryBed;

beforeAll(async () => {
  bed = await makeRegistry();
});

afterAll(async () => {
  await bed[Symbol.asyncDispose]();
});

/** A manifest over blobs that are pushed first; its parts may be anything that a registry has to keep. */
async function pushParts(
  repository: string,
  {layers = [], extra = {}}: {readonly layers?: readonly (string | Uint8Array)[]; readonly extra?: object} = {},
) {
  const config = await pushBlob(
    bed,
    repository,
    `{"architecture":"amd64","os":"linux","of":"${repository}"}`,
    types.config,
  );
  const described: Described[] = [];
  for (const layer of layers) described.push(await pushBlob(bed, repository, layer, types.layer));
  return {schemaVersion: 2, mediaType: types.manifest, config, layers: described, ...extra};
}

/** By digest and by tag, with GET and HEAD: always the bytes that were sent. */
async function expectExact(
  repository: string,
  pushed: Described & {readonly bytes: string},
  tag?: string,
): Promise<void> {
  for (const reference of [pushed.digest, ...(tag === undefined ? [] : [tag])]) {
    for (const method of ['GET', 'HEAD']) {
      const reply = await bed.send(method, `/v2/${repository}/manifests/${reference}`);
      expect([
        reply.status,
        reply.headers['content-type'],
        reply.headers['docker-content-digest'],
        reply.headers['content-length'],
        reply.body.toString(),
      ]).toEqual([200, pushed.mediaType, pushed.digest, String(pushed.size), method === 'GET' ? pushed.bytes : '']);
    }
  }
}

test('an image, with layers that are nothing a machine could unpack, comes back byte for byte', async () => {
  const manifest = await pushParts('sets/image', {layers: ['not a tar', Buffer.alloc(100_000, 7)]});
  const pushed = await pushManifest(bed, 'sets/image', manifest, {reference: 'v1'});
  await expectExact('sets/image', pushed, 'v1');
  const [first] = manifest.layers;
  const layer = await bed.send('GET', `/v2/sets/image/blobs/${first?.digest}`);
  expect([layer.status, layer.body.toString(), layer.headers['content-type']]).toEqual([
    200,
    'not a tar',
    'application/octet-stream',
  ]);
  const line = () => bed.log.find((text) => text.includes('PUT /v2/sets/image/manifests/v1'));
  await eventually(() => expect(line()).toContain('kept, but not runnable here'));
});

test('white space, order and unknown members of a manifest are kept', async () => {
  const manifest = await pushParts('sets/custom');
  const text = `{\n  "org.example.own": {"a": [1, 2.50, "é"]},\n${JSON.stringify(manifest, undefined, 3).slice(1)}\n\n`;
  await expectExact('sets/custom', await pushManifest(bed, 'sets/custom', text, {reference: 'v1'}), 'v1');
});

test('Docker’s schema 2, and a list of it', async () => {
  const manifest = await pushParts('sets/docker', {extra: {mediaType: types.dockerManifest}});
  const image = await pushManifest(bed, 'sets/docker', manifest, {reference: 'one'});
  await expectExact('sets/docker', image, 'one');
  const {bytes: _bytes, ...child} = image;
  const list = {
    schemaVersion: 2,
    mediaType: types.dockerList,
    manifests: [{...child, platform: {os: 'linux', architecture: 'arm64'}}],
  };
  await expectExact('sets/docker', await pushManifest(bed, 'sets/docker', list, {reference: 'list'}), 'list');
});

test('an index, an index in an index, and an index of nothing', async () => {
  const {bytes: _first, ...image} = await pushManifest(bed, 'sets/index', await pushParts('sets/index'));
  const inner = await pushManifest(bed, 'sets/index', {schemaVersion: 2, mediaType: types.index, manifests: [image]});
  const {bytes: _second, ...descriptor} = inner;
  const outer = {schemaVersion: 2, mediaType: types.index, manifests: [descriptor, image]};
  await expectExact('sets/index', await pushManifest(bed, 'sets/index', outer, {reference: 'nested'}), 'nested');
  const empty = {schemaVersion: 2, mediaType: types.index, manifests: []};
  await expectExact('sets/empty', await pushManifest(bed, 'sets/empty', empty, {reference: 'none'}), 'none');
});

test('artifacts: with a type, without layers, with an empty list, with a blob of no bytes', async () => {
  const empty = await pushBlob(bed, 'sets/artifact', '{}', 'application/vnd.oci.empty.v1+json');
  const base = {schemaVersion: 2, mediaType: types.manifest, artifactType: 'application/vnd.example', config: empty};
  await expectExact('sets/artifact', await pushManifest(bed, 'sets/artifact', base, {reference: 'bare'}), 'bare');
  const listed = await pushManifest(bed, 'sets/artifact', {...base, layers: []}, {reference: 'listed'});
  await expectExact('sets/artifact', listed, 'listed');
  const nothing = await pushBlob(bed, 'sets/artifact', '', 'application/vnd.example.nothing');
  await expectExact('sets/artifact', await pushManifest(bed, 'sets/artifact', {...base, layers: [nothing]}));
  const read = await bed.send('GET', `/v2/sets/artifact/blobs/${nothing.digest}`);
  expect([read.status, read.headers['content-length'], read.body.length]).toEqual([200, '0', 0]);
});

test('manifests of kinds that are no images', async () => {
  const blob = await pushBlob(bed, 'sets/other', 'some bytes', 'text/plain');
  const old = {mediaType: 'application/vnd.oci.artifact.manifest.v1+json', artifactType: 'a/b', blobs: [blob]};
  await expectExact('sets/other', await pushManifest(bed, 'sets/other', old, {reference: 'old'}), 'old');
  const own = await pushManifest(bed, 'sets/other', '{"own": true}', {
    reference: 'own',
    mediaType: 'application/vnd.example+json',
  });
  await expectExact('sets/other', own, 'own');
});

test('layers that are not to be passed on need not be there; data in a descriptor stands for its blob', async () => {
  const foreign = {
    mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    digest: sha256('away'),
    size: 4,
  };
  const inline = {
    ...describeBytes('{}', 'application/vnd.oci.empty.v1+json'),
    data: Buffer.from('{}').toString('base64'),
  };
  const manifest = {schemaVersion: 2, mediaType: types.manifest, config: inline, layers: [foreign]};
  await expectExact('sets/foreign', await pushManifest(bed, 'sets/foreign', manifest, {reference: 'v1'}), 'v1');
  const lying = {...manifest, config: {...inline, data: Buffer.from('[]').toString('base64')}};
  const reply = await bed.send('PUT', '/v2/sets/foreign/manifests/v2', {body: JSON.stringify(lying)});
  expect(refusalOf(reply)).toEqual([400, 'MANIFEST_INVALID']);
});

test('subjects: told on push, listed by kind, also of a manifest that is not there', async () => {
  const image = await pushManifest(bed, 'sets/subject', await pushParts('sets/subject'));
  const {bytes: _bytes, ...subject} = image;
  const empty = await pushBlob(bed, 'sets/subject', '{}', 'application/vnd.oci.empty.v1+json');
  const referrer = async (artifactType: string | undefined, about: object) => {
    const manifest = {
      ...{schemaVersion: 2, mediaType: types.manifest, config: empty, layers: [], subject: about},
      ...(artifactType === undefined ? {} : {artifactType}),
      annotations: {kind: artifactType ?? 'none'},
    };
    const bytes = JSON.stringify(manifest);
    const reply = await bed.send('PUT', `/v2/sets/subject/manifests/${sha256(bytes)}`, {
      headers: {'content-type': types.manifest},
      body: bytes,
    });
    expect([reply.status, reply.headers['oci-subject']]).toEqual([201, (about as Described).digest]);
    return {
      ...describeBytes(bytes, types.manifest),
      artifactType: artifactType ?? empty.mediaType,
      annotations: manifest.annotations,
    };
  };
  const signature = await referrer('application/vnd.example.signature', subject);
  const bill = await referrer('application/vnd.example.sbom', subject);
  const plain = await referrer(undefined, subject);
  const absent = {mediaType: types.manifest, digest: sha256('never pushed'), size: 12};
  const lonely = await referrer('application/vnd.example.sbom', absent);
  const list = async (digest: string, query = '') => {
    const reply = await bed.send('GET', `/v2/sets/subject/referrers/${digest}${query}`);
    const {manifests, ...index} = reply.json() as {readonly manifests: readonly object[]};
    expect([reply.status, reply.headers['content-type'], index]).toEqual([
      200,
      types.index,
      {schemaVersion: 2, mediaType: types.index},
    ]);
    return {manifests, filtered: reply.headers['oci-filters-applied']};
  };
  const all = await list(image.digest);
  expect(all.manifests).toHaveLength(3);
  expect(all.manifests).toEqual(expect.arrayContaining([signature, bill, plain]));
  expect(all.filtered).toBeUndefined();
  expect(await list(image.digest, '?artifactType=application/vnd.example.sbom')).toEqual({
    manifests: [bill],
    filtered: 'artifactType',
  });
  expect((await list(absent.digest)).manifests).toEqual([lonely]);
  expect((await list(sha256('nobody asks'))).manifests).toEqual([]);
  expect(refusalOf(await bed.send('GET', '/v2/sets/subject/referrers/sha256:short'))).toEqual([400, 'DIGEST_INVALID']);
  await bed.send('DELETE', `/v2/sets/subject/manifests/${bill.digest}`);
  expect((await list(image.digest)).manifests).toHaveLength(2);
});

test('many that say something about a manifest come by pages, none of them too large to be read', async () => {
  const image = await pushManifest(bed, 'sets/pages', await pushParts('sets/pages'));
  const {bytes: _bytes, ...subject} = image;
  const empty = await pushBlob(bed, 'sets/pages', '{}', 'application/vnd.oci.empty.v1+json');
  for (let count = 0; count < 5; count += 1) {
    const annotations = {number: String(count), text: 'x'.repeat(1_000_000)};
    const artifactType = 'application/vnd.example.report';
    const common = {schemaVersion: 2, mediaType: types.manifest, config: empty, layers: [], subject, annotations};
    await pushManifest(bed, 'sets/pages', {...common, artifactType});
    if (count === 0) await pushManifest(bed, 'sets/pages', {...common, artifactType: 'application/vnd.example.other'});
  }
  const read = async (query: string) => {
    const pages: string[][] = [];
    let path: string | undefined = `/v2/sets/pages/referrers/${image.digest}${query}`;
    while (path !== undefined) {
      const reply = await bed.send('GET', path);
      expect(reply.body.length).toBeLessThan(4 * 1024 * 1024);
      const {manifests} = reply.json() as {readonly manifests: readonly {readonly digest: string}[]};
      pages.push(manifests.map(({digest}) => digest));
      path = /^<(.*)>; rel="next"$/.exec(reply.headers['link'] ?? '')?.[1];
    }
    return pages;
  };
  expect((await read('')).map((page) => page.length)).toEqual([3, 3]);
  expect(new Set((await read('')).flat()).size).toBe(6);
  expect((await read('?n=2')).map((page) => page.length)).toEqual([2, 2, 2]);
  expect((await read('?artifactType=application/vnd.example.report&n=2')).map((page) => page.length)).toEqual([
    2, 2, 1,
  ]);
});

test('SHA-512: blobs and manifests by it, and the store still has each content once', async () => {
  const content = 'named by a longer hash';
  const begun = await bed.send('POST', '/v2/sets/long/blobs/uploads/?digest-algorithm=sha512');
  const done = await bed.send('PUT', `${begun.headers['location']}?digest=${sha512(content)}`, {body: content});
  expect([done.status, done.headers['docker-content-digest']]).toEqual([201, sha512(content)]);
  expect((await bed.send('GET', `/v2/sets/long/blobs/${sha512(content)}`)).body.toString()).toBe(content);
  expect((await bed.send('HEAD', `/v2/sets/long/blobs/${sha256(content)}`)).status).toBe(404);
  const config = {mediaType: 'application/vnd.example', digest: sha512(content), size: content.length};
  const bytes = JSON.stringify({schemaVersion: 2, mediaType: types.manifest, config, layers: []});
  const digest = sha512(bytes);
  const put = await bed.send('PUT', `/v2/sets/long/manifests/${digest}?tag=long`, {
    headers: {'content-type': types.manifest},
    body: bytes,
  });
  expect([put.status, put.headers['docker-content-digest'], put.headers['oci-tag']]).toEqual([201, digest, 'long']);
  const read = await bed.send('GET', '/v2/sets/long/manifests/long');
  expect([read.status, read.headers['docker-content-digest'], read.body.toString()]).toEqual([200, digest, bytes]);
  await bed.hosting.sweep();
  expect((await bed.send('GET', `/v2/sets/long/blobs/${sha512(content)}`)).body.toString()).toBe(content);
  expect((await bed.send('GET', `/v2/sets/long/manifests/${digest}`)).body.toString()).toBe(bytes);
  const wrong = await bed.send('POST', '/v2/sets/long/blobs/uploads/?digest-algorithm=md5');
  expect(refusalOf(wrong)).toEqual([400, 'DIGEST_INVALID']);
});

test('a manifest of 4 MiB is kept, a larger one is not', async () => {
  const manifest = await pushParts('sets/large');
  const limit = 4 * 1024 * 1024;
  const withLength = (length: number) => {
    const text = JSON.stringify({...manifest, annotations: {filler: ''}});
    return text.replace('"filler":""', `"filler":"${'x'.repeat(length - text.length)}"`);
  };
  const exact = await pushManifest(bed, 'sets/large', withLength(limit), {reference: 'large'});
  expect(exact.size).toBe(limit);
  await expectExact('sets/large', exact, 'large');
  const over = withLength(limit + 1);
  const headers = {'content-type': types.manifest};
  expect(refusalOf(await bed.send('PUT', '/v2/sets/large/manifests/larger', {headers, body: over}))).toEqual([
    413,
    'SIZE_INVALID',
  ]);
  const chunked = await bed.send('PUT', '/v2/sets/large/manifests/larger', {
    headers: {...headers, 'transfer-encoding': 'chunked'},
    body: over,
  });
  expect(refusalOf(chunked)).toEqual([413, 'SIZE_INVALID']);
});

test('a manifest by a digest may bring many tags', async () => {
  const manifest = await pushParts('sets/tags');
  const bytes = JSON.stringify(manifest);
  const tags = Array.from({length: 10}, (_, index) => `t${index}`);
  const path = `/v2/sets/tags/manifests/${sha256(bytes)}?${tags.map((tag) => `tag=${tag}`).join('&')}`;
  const put = await bed.send('PUT', path, {headers: {'content-type': types.manifest}, body: bytes});
  expect([put.status, put.headers['oci-tag']]).toEqual([201, tags.join(', ')]);
  for (const tag of tags) expect((await bed.send('HEAD', `/v2/sets/tags/manifests/${tag}`)).status).toBe(200);
  const wrong = await bed.send('PUT', `/v2/sets/tags/manifests/${sha256(bytes)}?tag=..`, {body: bytes});
  expect(refusalOf(wrong)).toEqual([400, 'TAG_INVALID']);
});

test('manifests that are not what they say, or name what is not there, are refused and not kept', async () => {
  const sound = await pushParts('sets/wrong');
  const put = async (reference: string, body: object | string, type: string = types.manifest) =>
    refusalOf(
      await bed.send('PUT', `/v2/sets/wrong/manifests/${reference}`, {
        headers: {'content-type': type},
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    );
  const absent = {mediaType: types.layer, digest: sha256('absent'), size: 6};
  const cases: readonly (readonly [object | string, string?])[] = [
    ['not JSON'],
    ['[]'],
    ['"text"'],
    ['\xff\xfe'],
    [{...sound, schemaVersion: 1}],
    [{...sound, config: undefined}],
    [{...sound, manifests: []}],
    [{...sound, layers: {}}],
    [{...sound, layers: [{...absent, digest: 'sha256:baddigeststring'}]}],
    [{...sound, layers: [{...absent, size: -1}]}],
    [sound, types.index],
    [{...sound, mediaType: undefined}, types.index],
    [{schemaVersion: 1, fsLayers: [], signatures: []}, 'application/vnd.docker.distribution.manifest.v1+prettyjws'],
    [{schemaVersion: 2, mediaType: types.index}, types.index],
    [{...sound, layers: Array.from({length: 10_001}, () => absent)}],
  ];
  for (const [body, type] of cases)
    expect([body, await put('v1', body, type)]).toEqual([body, [400, 'MANIFEST_INVALID']]);
  expect(await put('v1', {...sound, layers: [absent]})).toEqual([404, 'MANIFEST_BLOB_UNKNOWN']);
  const index = {schemaVersion: 2, mediaType: types.index, manifests: [{...absent, mediaType: types.manifest}]};
  expect(await put('v1', index, types.index)).toEqual([404, 'MANIFEST_BLOB_UNKNOWN']);
  expect(await put(sha256('another'), sound)).toEqual([400, 'DIGEST_INVALID']);
  expect(await put('sha256:baddigeststring', sound)).toEqual([400, 'DIGEST_INVALID']);
  expect(await put('-dash', sound)).toEqual([400, 'TAG_INVALID']);
  expect(codesOf(await bed.send('GET', '/v2/sets/wrong/tags/list'))).toEqual(['NAME_UNKNOWN']);
});
