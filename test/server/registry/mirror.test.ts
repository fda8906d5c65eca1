import {randomBytes} from 'node:crypto';
import {mkdtempSync, rmSync} from 'node:fs';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {mirroredName, nameInNamespace} from '../../../src/engine/hosting/mirror-names.ts';
import {eventually} from '../../support/host.ts';
import {
  type BedOptions,
  makeRegistry,
  plainMirror,
  pushBlob,
  pushManifest,
  type RegistryBed,
  refusalOf,
  sha256,
  types,
} from './bed.ts';

let upstream: RegistryBed;
let registry: string;
/** As the part of a name. */
let prefix: string;
const content = randomBytes(3_000_000);

async function pushImage(bed: RegistryBed, repository: string, tag: string, layer: Uint8Array) {
  const config = await pushBlob(bed, repository, `{"tag":"${tag}"}`, types.config);
  const layers = [await pushBlob(bed, repository, layer, types.layer)];
  return await pushManifest(
    bed,
    repository,
    {schemaVersion: 2, mediaType: types.manifest, config, layers},
    {reference: tag},
  );
}

beforeAll(async () => {
  upstream = await makeRegistry({unpack: false});
  registry = `127.0.0.1:${upstream.listener.port}`;
  prefix = registry.replace(':', '_');
});

afterAll(async () => {
  await upstream[Symbol.asyncDispose]();
});

const makeMirror = (options: BedOptions & {readonly offline?: boolean} = {}) =>
  makeRegistry({...options, mirror: {...plainMirror, registries: [registry], offline: options.offline ?? false}});

/** How many requests the other registry has got. */
async function countAsked(): Promise<number> {
  await upstream.logged();
  return upstream.log.length;
}

/** Those that it got since. */
async function asked(since: number): Promise<readonly string[]> {
  await upstream.logged();
  return upstream.log.slice(since).map((line) => /"([A-Z]+ [^"]*)"/.exec(line)?.[1] ?? '');
}

test('what is not here comes from the other registry, once, and stays', async () => {
  const image = await pushImage(upstream, 'team/app', 'v1', content);
  await using mirror = await makeMirror();
  const name = `${prefix}/team/app`;
  const read = async (query = '', path = name) => {
    const manifest = await mirror.send('GET', `/v2/${path}/manifests/v1${query}`);
    expect([manifest.status, manifest.headers['docker-content-digest'], manifest.headers['content-type']]).toEqual([
      200,
      image.digest,
      types.manifest,
    ]);
    const {config, layers} = manifest.json() as {config: {digest: string}; layers: {digest: string}[]};
    for (const {digest} of [config, ...layers]) {
      const blob = await mirror.send('GET', `/v2/${path}/blobs/${digest}${query}`);
      expect([blob.status, sha256(blob.body)]).toEqual([200, digest]);
    }
  };
  await read();
  const before = await countAsked();
  await read();
  // Mirrors are also asked with the registry beside the name.
  await read(`?ns=${registry}`, 'team/app');
  expect(await asked(before)).toEqual([]);
  expect((await mirror.send('GET', `/v2/${name}/tags/list`)).json()).toEqual({name, tags: ['v1']});
  const part = await mirror.send('GET', `/v2/${name}/blobs/${sha256(content)}`, {headers: {range: 'bytes=5-9'}});
  expect([part.status, part.body.equals(content.subarray(5, 10))]).toEqual([206, true]);
});

test('many who ask for the same at once get it as it comes, and it is brought once', async () => {
  const image = await pushImage(upstream, 'team/many', 'v1', Buffer.concat([content, Buffer.from('many')]));
  await using mirror = await makeMirror();
  const {layers} = (await mirror.send('GET', `/v2/${prefix}/team/many/manifests/v1`)).json() as {
    layers: {digest: string}[];
  };
  const digest = layers[0]?.digest ?? '';
  const before = await countAsked();
  const replies = await Promise.all(
    Array.from({length: 8}, () => mirror.send('GET', `/v2/${prefix}/team/many/blobs/${digest}`)),
  );
  expect(replies.map(({status, body}) => [status, sha256(body)])).toEqual(replies.map(() => [200, digest]));
  expect((await asked(before)).filter((request) => request.includes(`/blobs/${digest}`))).toHaveLength(1);
  expect(image.digest).toMatch(/^sha256:/);
});

test('a tag is looked up again after a while; what is kept serves where the other registry is gone, or is not to be asked', async () => {
  let now = Date.UTC(2026, 0, 1);
  const first = await pushImage(upstream, 'team/moves', 'v1', content);
  const directory = mkdtempSync(join(tmpdir(), 'tsc-mirror-'));
  const path = `/v2/${prefix}/team/moves/manifests/v1`;
  let second: {readonly digest: string};
  {
    await using mirror = await makeMirror({directory, now: () => now});
    const digest = async () => (await mirror.send('GET', path)).headers['docker-content-digest'];
    expect(await digest()).toBe(first.digest);
    second = await pushImage(upstream, 'team/moves', 'v1', Buffer.concat([content, Buffer.from('second')]));
    expect(await digest()).toBe(first.digest);
    now += 61_000;
    expect(await digest()).toBe(second.digest);
    now += 61_000;
    const before = await countAsked();
    expect(await digest()).toBe(second.digest);
    expect(await asked(before)).toEqual(['HEAD /v2/team/moves/manifests/v1']);
  }
  {
    await using offline = await makeMirror({directory, offline: true, now: () => now + 3_600_000});
    const before = await countAsked();
    expect((await offline.send('GET', path)).headers['docker-content-digest']).toBe(second.digest);
    expect(refusalOf(await offline.send('GET', `/v2/${prefix}/team/moves/manifests/v2`))).toEqual([
      404,
      'MANIFEST_UNKNOWN',
    ]);
    // Its content was never asked for.
    expect((await offline.send('GET', `/v2/${prefix}/team/moves/blobs/${sha256(content)}`)).status).toBe(404);
    expect(await asked(before)).toEqual([]);
  }
  rmSync(directory, {recursive: true});
});

test('an index is passed on with the platforms that are asked for', async () => {
  const {bytes: _bytes, ...one} = await pushImage(upstream, 'team/index', 'one', content);
  const index = await pushManifest(
    upstream,
    'team/index',
    {schemaVersion: 2, mediaType: types.index, manifests: [one]},
    {reference: 'all'},
  );
  await using mirror = await makeMirror();
  const read = await mirror.send('GET', `/v2/${prefix}/team/index/manifests/all`);
  expect([read.headers['docker-content-digest'], read.body.toString()]).toEqual([index.digest, index.bytes]);
  expect((await mirror.send('GET', `/v2/${prefix}/team/index/manifests/${one.digest}`)).status).toBe(200);
  expect((await mirror.send('GET', `/v2/${prefix}/team/index/blobs/${sha256(content)}`)).body.equals(content)).toBe(
    true,
  );
});

test('what the other registry does not have, or does not tell, and what is no copy', async () => {
  await using mirror = await makeMirror();
  expect(refusalOf(await mirror.send('GET', `/v2/${prefix}/team/none/manifests/v1`))).toEqual([404, 'NAME_UNKNOWN']);
  expect(refusalOf(await mirror.send('GET', '/v2/other.test/team/app/manifests/v1'))).toEqual([404, 'NAME_UNKNOWN']);
  expect(refusalOf(await mirror.send('GET', '/v2/team/app/manifests/v1?ns=other.test'))).toEqual([404, 'NAME_UNKNOWN']);
  expect(refusalOf(await mirror.send('GET', '/v2/team/app/manifests/v1?ns=..'))).toEqual([400, 'NAME_INVALID']);
  // A blob that no manifest names is not fetched on somebody's word.
  expect((await mirror.send('GET', `/v2/${prefix}/team/app/blobs/${sha256(content)}`)).status).toBe(404);
  expect(refusalOf(await mirror.send('POST', `/v2/${prefix}/team/app/blobs/uploads/`))).toEqual([403, 'DENIED']);
  await pushImage(mirror, 'team/app', 'v1', content);
  expect((await mirror.send('GET', '/v2/team/app/manifests/v1')).status).toBe(200);
});

test('a registry that fails, lies or breaks off: nothing of it is kept, and it is said', async () => {
  const layer = Buffer.alloc(2_000_000, 1);
  const config = Buffer.from('{}');
  const describe = (bytes: Buffer, mediaType: string) => ({mediaType, digest: sha256(bytes), size: bytes.length});
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: describe(config, types.config),
      layers: [describe(layer, types.layer)],
    }),
  );
  let mode: 'fails' | 'lies' | 'works' = 'fails';
  const server = createServer((request, response) => {
    if (mode === 'fails') return void response.writeHead(500).end();
    if (request.url?.includes('/manifests/')) {
      return void response
        .writeHead(200, {'content-type': types.manifest, 'content-length': manifest.length})
        .end(request.method === 'HEAD' ? undefined : manifest);
    }
    const bytes = request.url?.includes(sha256(layer))
      ? mode === 'lies'
        ? Buffer.alloc(layer.length, 2)
        : layer
      : config;
    response.writeHead(200, {'content-length': bytes.length}).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  await using mirror = await makeRegistry({mirror: {...plainMirror, registries: [`127.0.0.1:${port}`]}});
  const path = `/v2/127.0.0.1_${port}/bad/app`;
  mode = 'lies';
  expect((await mirror.send('GET', `${path}/manifests/v1`)).status).toBe(200);
  // It is read as it comes: what is wrong is known with the last byte, and the connection ends before it.
  const lied = await mirror.send('GET', `${path}/blobs/${sha256(layer)}`).catch((error: Error) => error);
  expect(lied).toBeInstanceOf(Error);
  mode = 'works';
  await eventually(async () =>
    expect(sha256((await mirror.send('GET', `${path}/blobs/${sha256(layer)}`)).body)).toBe(sha256(layer)),
  );
  mode = 'fails';
  const failed = await mirror.send('GET', `${path}/manifests/v2`);
  expect(refusalOf(failed)).toEqual([503, 'UNAVAILABLE']);
  expect((await mirror.send('GET', `${path}/manifests/v1`)).status).toBe(200);
  server.close();
});

test('names of copies', () => {
  const mirrored = ['docker.io', 'localhost:5001'];
  expect(mirroredName('docker.io/redis', mirrored)).toEqual({
    registry: 'docker.io',
    repository: 'library/redis',
    copy: 'docker.io/library/redis',
  });
  expect(mirroredName('docker.io/team/app', mirrored)?.repository).toBe('team/app');
  expect(mirroredName('localhost_5001/app', mirrored)).toEqual({
    registry: 'localhost:5001',
    repository: 'app',
    copy: 'localhost_5001/app',
  });
  expect(mirroredName('quay.io/app', mirrored)).toBeUndefined();
  expect(mirroredName('docker.io', mirrored)).toBeUndefined();
  expect(nameInNamespace('library/redis', 'docker.io', ['me:5000'])).toBe('docker.io/library/redis');
  expect(nameInNamespace('app', 'me:5000', ['me:5000'])).toBe('app');
  expect(nameInNamespace('app', 'a/../b', [])).toBeUndefined();
});
