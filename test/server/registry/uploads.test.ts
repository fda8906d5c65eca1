import {randomBytes} from 'node:crypto';
import {mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {request} from 'node:http';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {eventually} from '../../support/host.ts';
import {makeRegistry, pushBlob, type RegistryBed, refusalOf, sha256} from './bed.ts';

const blobMax = 4 * 1024 * 1024;
let bed: RegistryBed;

beforeAll(async () => {
  bed = await makeRegistry({limits: {blobMax, openMax: 6}});
});

afterAll(async () => {
  await bed[Symbol.asyncDispose]();
});

const content = randomBytes(300_000);

async function begin(repository = 'uploads/app'): Promise<string> {
  const reply = await bed.send('POST', `/v2/${repository}/blobs/uploads/`);
  const location = reply.headers['location'] ?? '';
  expect([reply.status, reply.headers['range'], location]).toEqual([
    202,
    '0-0',
    `/v2/${repository}/blobs/uploads/${reply.headers['docker-upload-uuid']}`,
  ]);
  return location;
}

async function chunk(location: string, start: number, end: number) {
  const headers = {'content-range': `${start}-${end - 1}`, 'content-type': 'application/octet-stream'};
  return await bed.send('PATCH', location, {headers, body: content.subarray(start, end)});
}

async function expectBlob(repository: string, bytes: Uint8Array): Promise<void> {
  const read = await bed.send('GET', `/v2/${repository}/blobs/${sha256(bytes)}`);
  expect([read.status, read.body.equals(bytes)]).toEqual([200, true]);
}

test('in one request, in one after the POST, and as a stream without a length', async () => {
  await pushBlob(bed, 'uploads/one', content);
  await expectBlob('uploads/one', content);
  const put = await bed.send('PUT', `${await begin('uploads/two')}?digest=${sha256(content)}`, {body: content});
  expect(put.status).toBe(201);
  await expectBlob('uploads/two', content);
  const location = await begin('uploads/three');
  const patched = await bed.send('PATCH', location, {headers: {'transfer-encoding': 'chunked'}, body: content});
  expect([patched.status, patched.headers['range']]).toEqual([202, `0-${content.length - 1}`]);
  expect((await bed.send('PUT', `${location}?digest=${sha256(content)}`)).status).toBe(201);
  await expectBlob('uploads/three', content);
  expect((await bed.send('GET', location)).status).toBe(404);
});

test('chunks come in order; one out of order changes nothing, and the upload says where it goes on', async () => {
  const location = await begin();
  expect((await chunk(location, 0, 100_000)).headers['range']).toBe('0-99999');
  for (const [start, end] of [
    [0, 100_000],
    [50_000, 150_000],
    [100_001, 200_000],
  ] as const) {
    const early = await chunk(location, start, end);
    expect([...refusalOf(early), early.headers['range'], early.headers['location']]).toEqual([
      416,
      'RANGE_INVALID',
      '0-99999',
      location,
    ]);
  }
  const status = await bed.send('GET', location);
  expect([status.status, status.headers['range'], status.headers['location']]).toEqual([204, '0-99999', location]);
  expect((await chunk(location, 100_000, 200_000)).headers['range']).toBe('0-199999');
  const last = {'content-range': `200000-${content.length - 1}`};
  const done = await bed.send('PUT', `${location}?digest=${sha256(content)}`, {
    headers: last,
    body: content.subarray(200_000),
  });
  expect(done.status).toBe(201);
  await expectBlob('uploads/app', content);
});

test('a range that cannot be read, or is not as long as the chunk, is refused', async () => {
  const location = await begin();
  const send = async (range: string) =>
    refusalOf(await bed.send('PATCH', location, {headers: {'content-range': range}, body: 'abc'}));
  expect(await send('0-99')).toEqual([400, 'SIZE_INVALID']);
  for (const range of ['a-b', '2-1', '-3', '0-', 'lines 0-2'])
    expect(await send(range)).toEqual([400, 'RANGE_INVALID']);
  expect((await bed.send('GET', location)).headers['range']).toBe('0-0');
  expect((await bed.send('DELETE', location)).status).toBe(204);
});

test('content with another digest is refused and forgotten; a digest that is none changes nothing', async () => {
  const location = await begin();
  await bed.send('PATCH', location, {body: content});
  expect(refusalOf(await bed.send('PUT', `${location}?digest=sha256:baddigeststring`))).toEqual([
    400,
    'DIGEST_INVALID',
  ]);
  expect(refusalOf(await bed.send('PUT', location))).toEqual([400, 'DIGEST_INVALID']);
  expect((await bed.send('GET', location)).status).toBe(204);
  expect(refusalOf(await bed.send('PUT', `${location}?digest=${sha256('other')}`))).toEqual([400, 'DIGEST_INVALID']);
  expect(refusalOf(await bed.send('GET', location))).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
  const single = await bed.send('POST', `/v2/uploads/app/blobs/uploads/?digest=${sha256('other')}`, {body: content});
  expect(refusalOf(single)).toEqual([400, 'DIGEST_INVALID']);
  expect((await bed.send('HEAD', `/v2/uploads/app/blobs/${sha256('other')}`)).status).toBe(404);
});

test('an upload that was given up, is of another repository, or never was is not known', async () => {
  const location = await begin();
  const id = location.slice(location.lastIndexOf('/') + 1);
  expect((await bed.send('DELETE', location)).status).toBe(204);
  const elsewhere = await begin('uploads/other');
  const foreign = `/v2/uploads/app/blobs/uploads/${elsewhere.slice(elsewhere.lastIndexOf('/') + 1)}`;
  for (const path of [
    location,
    foreign,
    `/v2/uploads/app/blobs/uploads/${'x'.repeat(36)}`,
    `/v2/uploads/app/blobs/uploads/${id}x`,
  ]) {
    for (const method of ['GET', 'PATCH', 'DELETE'])
      expect([path, ...refusalOf(await bed.send(method, path))]).toEqual([path, 404, 'BLOB_UPLOAD_UNKNOWN']);
    expect(refusalOf(await bed.send('PUT', `${path}?digest=${sha256('')}`))).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
  }
  expect((await bed.send('DELETE', elsewhere)).status).toBe(204);
});

test('a client that was cut off goes on where it was, also beside its old connection that never ends', async () => {
  const location = await begin();
  const stuck = request({host: '127.0.0.1', port: bed.listener.port, method: 'PATCH', path: location});
  const broken = new Promise((resolve) => stuck.once('error', resolve).once('response', resolve));
  stuck.write(content.subarray(0, 100_000));
  await eventually(async () => expect((await bed.send('GET', location)).headers['range']).toBe('0-99999'));
  expect((await chunk(location, 100_000, content.length)).status).toBe(202);
  await broken;
  expect((await bed.send('PUT', `${location}?digest=${sha256(content)}`)).status).toBe(201);
  stuck.destroy();
});

test('after the registry was ended and started again an upload goes on', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tsc-registry-again-'));
  let location = '';
  {
    await using first = await makeRegistry({directory});
    location = (await first.send('POST', '/v2/again/blobs/uploads/')).headers['location'] ?? '';
    await first.send('PATCH', location, {body: content.subarray(0, 123_456)});
  }
  {
    await using second = await makeRegistry({directory});
    expect((await second.send('GET', location)).headers['range']).toBe('0-123455');
    const done = await second.send('PUT', `${location}?digest=${sha256(content)}`, {body: content.subarray(123_456)});
    expect(done.status).toBe(201);
    expect((await second.send('GET', `/v2/again/blobs/${sha256(content)}`)).body.equals(content)).toBe(true);
  }
  rmSync(directory, {recursive: true});
});

test('a blob of another repository is mounted, of a named one or of any; one that is nowhere has to be sent', async () => {
  await pushBlob(bed, 'uploads/source', content);
  const digest = sha256(content);
  const mount = (query: string, target: string) => bed.send('POST', `/v2/${target}/blobs/uploads/?${query}`);
  const named = await mount(`mount=${digest}&from=uploads/source`, 'uploads/named');
  expect([named.status, named.headers['location']]).toEqual([201, `/v2/uploads/named/blobs/${digest}`]);
  await expectBlob('uploads/named', content);
  expect((await mount(`mount=${digest}`, 'uploads/anonymous')).status).toBe(201);
  await expectBlob('uploads/anonymous', content);
  for (const query of [
    `mount=${sha256('nowhere')}`,
    `mount=${sha256('nowhere')}&from=uploads/source`,
    `mount=${digest}&from=not/there`,
  ]) {
    const begun = await mount(query, 'uploads/begun');
    expect(begun.status).toBe(202);
    await bed.send('DELETE', begun.headers['location'] ?? '');
  }
  expect(refusalOf(await mount('mount=sha256:short', 'uploads/begun'))).toEqual([400, 'DIGEST_INVALID']);
  expect(refusalOf(await mount(`mount=${digest}&from=../up`, 'uploads/begun'))).toEqual([400, 'NAME_INVALID']);
});

test('a blob above the limit is refused, whether it says so before or not, and takes no room', async () => {
  const over = Buffer.alloc(blobMax + 1);
  const uploads = join(bed.root, 'images/hosted/uploads');
  const before = readdirSync(uploads);
  const single = await bed.send('POST', `/v2/uploads/app/blobs/uploads/?digest=${sha256(over)}`, {body: over});
  expect(refusalOf(single)).toEqual([413, 'SIZE_INVALID']);
  const location = await begin();
  const streamed = await bed.send('PATCH', location, {headers: {'transfer-encoding': 'chunked'}, body: over});
  expect(refusalOf(streamed)).toEqual([413, 'SIZE_INVALID']);
  expect(readdirSync(uploads)).toEqual(before);
});

test('uploads that nobody finishes are counted, and in the end forgotten', async () => {
  const open: string[] = [];
  const repository = 'uploads/many';
  for (;;) {
    const reply = await bed.send('POST', `/v2/${repository}/blobs/uploads/`);
    if (reply.status !== 202) {
      expect([...refusalOf(reply), reply.headers['retry-after']]).toEqual([429, 'TOOMANYREQUESTS', '60']);
      break;
    }
    open.push(reply.headers['location'] ?? '');
  }
  expect(open.length).toBeGreaterThan(0);
  for (const location of open) await bed.send('DELETE', location);
  await using hasty = await makeRegistry({keep: {blobsKeptMs: 0, uploadsKeptMs: -1000}});
  const location = (await hasty.send('POST', '/v2/left/blobs/uploads/')).headers['location'] ?? '';
  await hasty.hosting.sweep();
  expect((await hasty.send('GET', location)).status).toBe(404);
});

test('a body that never ends and a client that says nothing more are broken off', async () => {
  await using quick = await makeRegistry({idleMs: 3000});
  const location = (await quick.send('POST', '/v2/slow/blobs/uploads/')).headers['location'] ?? '';
  const socket = connect(quick.listener.port, '127.0.0.1');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  socket.write(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc`);
  await closed;
  await eventually(async () => expect((await quick.send('GET', location)).headers['range']).toBe('0-2'));
});

test('a client that waits for leave to send gets it, or its refusal before it has sent anything', async () => {
  const ask = (path: string) =>
    new Promise<{readonly status: number; readonly wasTold: boolean}>((resolve, reject) => {
      let wasTold = false;
      const headers = {expect: '100-continue', 'content-length': content.length};
      const asked = request({host: '127.0.0.1', port: bed.listener.port, method: 'PUT', path, headers});
      asked.once('continue', () => {
        wasTold = true;
        asked.end(content);
      });
      asked.once('response', (message) => {
        message.resume();
        resolve({status: message.statusCode ?? 0, wasTold});
        if (!wasTold) asked.destroy();
      });
      asked.once('error', reject);
      asked.flushHeaders();
    });
  expect(await ask(`${await begin()}?digest=${sha256(content)}`)).toEqual({status: 201, wasTold: true});
  expect(await ask(`/v2/BAD/blobs/uploads/1?digest=${sha256(content)}`)).toEqual({status: 400, wasTold: false});
});
