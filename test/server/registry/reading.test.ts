import {randomBytes} from 'node:crypto';
import {connect} from 'node:net';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {eventually} from '../../support/host.ts';
import {makeRegistry, pushBlob, pushManifest, type RegistryBed, refusalOf, sha256, types} from './bed.ts';

let bed: RegistryBed;
const content = randomBytes(1000);

beforeAll(async () => {
  bed = await makeRegistry();
  await pushBlob(bed, 'reading/app', content);
});

afterAll(async () => {
  await bed[Symbol.asyncDispose]();
});

async function pushTagged(repository: string, tags: readonly string[]) {
  const config = await pushBlob(bed, repository, '{}', 'application/vnd.oci.empty.v1+json');
  const manifest = {schemaVersion: 2, mediaType: types.manifest, artifactType: 'a/b', config, layers: []};
  let pushed = await pushManifest(bed, repository, manifest);
  for (const tag of tags) pushed = await pushManifest(bed, repository, manifest, {reference: tag});
  return {digest: pushed.digest, config: config.digest};
}

test('the version, for every client', async () => {
  for (const [method, path] of [
    ['GET', '/v2/'],
    ['GET', '/v2'],
    ['HEAD', '/v2/'],
  ] as const) {
    const reply = await bed.send(method, path);
    expect([reply.status, reply.headers['docker-distribution-api-version']]).toEqual([200, 'registry/2.0']);
  }
});

test('parts of a blob', async () => {
  const path = `/v2/reading/app/blobs/${sha256(content)}`;
  const cases: readonly (readonly [string, number, number, number])[] = [
    ['bytes=0-0', 206, 0, 0],
    ['bytes=10-19', 206, 10, 19],
    ['bytes=990-', 206, 990, 999],
    ['bytes=-5', 206, 995, 999],
    ['bytes=-5000', 206, 0, 999],
    ['bytes=990-5000', 206, 990, 999],
    ['bytes=0-9,20-29', 200, 0, 999],
    ['lines=1-2', 200, 0, 999],
    ['bytes=9-5', 200, 0, 999],
  ];
  for (const [range, status, start, end] of cases) {
    const reply = await bed.send('GET', path, {headers: {range}});
    expect([range, reply.status, reply.headers['content-range'], reply.headers['content-length']]).toEqual([
      range,
      status,
      status === 206 ? `bytes ${start}-${end}/1000` : undefined,
      String(end - start + 1),
    ]);
    expect(reply.body.equals(content.subarray(start, end + 1))).toBe(true);
  }
  for (const range of ['bytes=1000-', 'bytes=2000-3000', 'bytes=-0']) {
    const reply = await bed.send('GET', path, {headers: {range}});
    expect([...refusalOf(reply), reply.headers['content-range']]).toEqual([416, 'RANGE_INVALID', 'bytes */1000']);
  }
});

test('what a client has already is not sent again', async () => {
  const path = `/v2/reading/app/blobs/${sha256(content)}`;
  const first = await bed.send('GET', path);
  const again = await bed.send('GET', path, {headers: {'if-none-match': first.headers['etag'] ?? ''}});
  expect([again.status, again.body.length]).toEqual([304, 0]);
});

test('what is not there, and what cannot be', async () => {
  const get = async (path: string) => refusalOf(await bed.send('GET', path));
  const {digest} = await pushTagged('reading/known', ['v1']);
  expect(await get('/v2/reading/known/manifests/v2')).toEqual([404, 'MANIFEST_UNKNOWN']);
  expect(await get(`/v2/reading/known/manifests/${sha256('x')}`)).toEqual([404, 'MANIFEST_UNKNOWN']);
  expect(await get('/v2/reading/unknown/manifests/v1')).toEqual([404, 'NAME_UNKNOWN']);
  expect(await get(`/v2/reading/other/manifests/${digest}`)).toEqual([404, 'NAME_UNKNOWN']);
  expect(await get('/v2/reading/unknown/tags/list')).toEqual([404, 'NAME_UNKNOWN']);
  expect(await get(`/v2/reading/known/blobs/${sha256('x')}`)).toEqual([404, 'BLOB_UNKNOWN']);
  expect(await get(`/v2/reading/other/blobs/${sha256(content)}`)).toEqual([404, 'BLOB_UNKNOWN']);
  expect(await get('/v2/reading/known/blobs/sha256:baddigeststring')).toEqual([400, 'DIGEST_INVALID']);
  expect(await get('/v2/reading/known/manifests/sha256:baddigeststring')).toEqual([400, 'DIGEST_INVALID']);
  expect(await get('/v2/reading/known/manifests/.v1')).toEqual([400, 'TAG_INVALID']);
  expect(await get('/elsewhere')).toEqual([404, 'UNSUPPORTED']);
  const wrong = await bed.send('POST', '/v2/reading/known/manifests/v1');
  expect([...refusalOf(wrong), wrong.headers['allow']]).toEqual([405, 'UNSUPPORTED', 'GET, HEAD, PUT, DELETE']);
});

test('names that lead elsewhere are no names', async () => {
  const names = [
    'UPPER',
    'a//b',
    'a/../b',
    '..',
    '%2e%2e/%2e%2e/etc',
    'a%2Fb',
    'a%00b',
    '-a',
    'a..b',
    'é',
    'a'.repeat(201),
    '%ff',
  ];
  for (const name of names) {
    // As it is: a client's URL library would tidy it up.
    const status = await rawStatus(`GET /v2/${encodeURI(name).replaceAll('%25', '%')}/manifests/v1 HTTP/1.1`);
    expect([name, status]).toEqual([name, 400]);
  }
});

/** The status of a request that is written by hand. */
function rawStatus(line: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(bed.listener.port, '127.0.0.1', () =>
      socket.write(`${line}\r\nHost: x\r\nConnection: close\r\n\r\n`),
    );
    let text = '';
    socket.on('data', (piece: Buffer) => {
      text += piece.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0)));
  });
}

test('lists of tags and of repositories, by pages', async () => {
  await pushTagged('pages/a', ['v1', 'v2', 'latest', 'V3', '1.0']);
  await pushTagged('pages/b', ['x']);
  const sorted = ['1.0', 'V3', 'latest', 'v1', 'v2'];
  const tags = async (query: string) => {
    const reply = await bed.send('GET', `/v2/pages/a/tags/list${query}`);
    return {...(reply.json() as object), link: reply.headers['link']};
  };
  expect(await tags('')).toEqual({name: 'pages/a', tags: sorted, link: undefined});
  expect(await tags('?n=2')).toEqual({
    name: 'pages/a',
    tags: sorted.slice(0, 2),
    link: '</v2/pages/a/tags/list?n=2&last=V3>; rel="next"',
  });
  expect(await tags('?n=2&last=V3')).toMatchObject({tags: ['latest', 'v1']});
  expect(await tags('?n=2&last=v1')).toEqual({name: 'pages/a', tags: ['v2'], link: undefined});
  expect(await tags('?last=nowhere')).toMatchObject({tags: ['v1', 'v2']});
  expect(await tags('?n=0')).toMatchObject({tags: [], link: undefined});
  expect(await tags('?n=99999999999999999999')).toMatchObject({tags: sorted});
  for (const n of ['-1', 'x', '1.5'])
    expect(refusalOf(await bed.send('GET', `/v2/pages/a/tags/list?n=${n}`))).toEqual([
      400,
      'PAGINATION_NUMBER_INVALID',
    ]);
  const all: string[] = [];
  for (let path: string | undefined = '/v2/_catalog?n=1'; path !== undefined; ) {
    const reply = await bed.send('GET', path);
    all.push(...(reply.json() as {readonly repositories: readonly string[]}).repositories);
    path = /^<([^>]+)>/.exec(reply.headers['link'] ?? '')?.[1];
  }
  expect(all).toEqual([...all].sort());
  expect(all).toEqual(expect.arrayContaining(['pages/a', 'pages/b']));
  const found = await bed.send('GET', '/v1/search?q=PAGES&n=1');
  expect(found.json()).toMatchObject({num_results: 1, results: [{name: 'pages/a', is_official: false}]});
  expect(refusalOf(await bed.send('GET', '/v1/search?q=x&n=1000'))).toEqual([400, 'PAGINATION_NUMBER_INVALID']);
});

test('a tag, a manifest, a blob: what is deleted is gone at once, and nothing else', async () => {
  const {digest, config} = await pushTagged('gone/app', ['v1', 'v2']);
  const status = async (path: string) => (await bed.send('HEAD', path)).status;
  const remove = async (path: string) => (await bed.send('DELETE', path)).status;
  expect(await remove('/v2/gone/app/manifests/v1')).toBe(202);
  expect(await status('/v2/gone/app/manifests/v1')).toBe(404);
  expect(refusalOf(await bed.send('DELETE', '/v2/gone/app/manifests/v1'))).toEqual([404, 'MANIFEST_UNKNOWN']);
  expect(await status('/v2/gone/app/manifests/v2')).toBe(200);
  expect(await status(`/v2/gone/app/manifests/${digest}`)).toBe(200);
  expect(await remove(`/v2/gone/app/manifests/${digest}`)).toBe(202);
  for (const reference of ['v2', digest]) expect(await status(`/v2/gone/app/manifests/${reference}`)).toBe(404);
  expect((await bed.send('GET', '/v2/gone/app/tags/list')).json()).toEqual({name: 'gone/app', tags: []});
  expect(await status(`/v2/gone/app/blobs/${config}`)).toBe(200);
  expect(await remove(`/v2/gone/app/blobs/${config}`)).toBe(202);
  expect(await status(`/v2/gone/app/blobs/${config}`)).toBe(404);
  expect(refusalOf(await bed.send('DELETE', `/v2/gone/app/blobs/${config}`))).toEqual([404, 'BLOB_UNKNOWN']);
});

test('the log has a line for each request, whatever is in its path', async () => {
  await bed.send('GET', '/v2/log/manifests/%0Ainjected?x="quoted"');
  const line = await eventually(
    () => bed.log.find((text) => text.includes('injected')) ?? Promise.reject(new Error('no line')),
  );
  expect(line).toMatch(
    /^\d{4}-\d\d-\d\dT[\d:.]+Z 127\.0\.0\.1 - "GET \/v2\/log\/manifests\/%0Ainjected\?x=[^ ]+" 400 \d+ B \d+ ms$/,
  );
});
