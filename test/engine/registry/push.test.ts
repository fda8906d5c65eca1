import {createHash} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {ImageProgress} from '../../../src/api/types/image.ts';
import {digestOf, dockerArchive, makeImage, readArchive} from '../image/bed.ts';
import {makePullBed, type PullBed, type ScriptedRegistry, startScripted} from './hostile.ts';

/** What a registry that takes uploads has got. */
interface Uploads {
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, Buffer>;
  readonly sessions: Map<string, Buffer>;
  /** In their order. */
  readonly stored: string[];
  /** Breaks the connection of the first so many uploads after so many bytes. */
  breaks: {left: number; after: number};
  /** `repository digest` that can be taken over. */
  readonly mountable: Set<string>;
}

let registry: ScriptedRegistry;
let uploads: Uploads;
let bed: PullBed;
beforeEach(async () => {
  registry = await startScripted();
  bed = await makePullBed();
  await bed.pull(`${registry.host}/a:1`);
  uploads = {
    ...{blobs: new Map(), manifests: new Map(), sessions: new Map(), stored: [], mountable: new Set()},
    breaks: {left: 0, after: 0},
  };
  registry.answer = (request, response) => take(request, response);
  registry.requests.splice(0);
});
afterEach(async () => {
  await bed[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

/** A registry that takes uploads into `/v2/b/`. */
async function take(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  const url = new URL(request.url ?? '', 'http://registry');
  const {method} = request;
  if (!url.pathname.startsWith('/v2/b/')) return false;
  const [, kind = '', name = ''] = /^\/v2\/b\/(blobs\/uploads|blobs|manifests)\/(.*)$/.exec(url.pathname) ?? [];
  if (method === 'HEAD' && kind === 'blobs') {
    const blob = uploads.blobs.get(name);
    response.writeHead(blob ? 200 : 404, blob ? {'content-length': blob.length} : {}).end();
  } else if (method === 'POST') {
    const mount = url.searchParams.get('mount');
    if (mount !== null && uploads.mountable.has(`${url.searchParams.get('from')} ${mount}`)) {
      uploads.stored.push(`mounted ${mount}`);
      response.writeHead(201).end();
    } else {
      const id = String(uploads.sessions.size);
      uploads.sessions.set(id, Buffer.alloc(0));
      // Relative, and with a query that has to stay.
      response.writeHead(202, {location: `/v2/b/blobs/uploads/${id}?state=a%2Fb`}).end();
    }
  } else if (kind === 'blobs/uploads') await continueUpload(request, response, {url, name});
  else if (method === 'PUT' && kind === 'manifests') {
    const bytes = await bodyOf(request);
    uploads.manifests.set(name, bytes);
    uploads.stored.push(`manifest ${name}`);
    response.writeHead(201, {'docker-content-digest': digestOf(bytes)}).end();
  } else return false;
  return true;
}

async function continueUpload(
  request: IncomingMessage,
  response: ServerResponse,
  {url, name}: {readonly url: URL; readonly name: string},
): Promise<void> {
  const has = uploads.sessions.get(name) ?? Buffer.alloc(0);
  expect(url.searchParams.get('state')).toBe('a/b');
  const location = `/v2/b/blobs/uploads/${name}?state=a%2Fb`;
  if (request.method === 'PATCH') {
    let now = has;
    for await (const chunk of request) {
      now = Buffer.concat([now, chunk as Buffer]);
      uploads.sessions.set(name, now);
      if (uploads.breaks.left > 0 && now.length - has.length > uploads.breaks.after) {
        uploads.breaks.left -= 1;
        response.destroy();
        return;
      }
    }
    response.writeHead(202, {location, range: `0-${now.length - 1}`}).end();
  } else if (request.method === 'GET') {
    response.writeHead(204, {location, range: `0-${Math.max(0, has.length - 1)}`}).end();
  } else {
    const digest = url.searchParams.get('digest') ?? '';
    expect(`sha256:${createHash('sha256').update(has).digest('hex')}`).toBe(digest);
    uploads.blobs.set(digest, has);
    uploads.stored.push(`blob ${digest}`);
    response.writeHead(201, {'docker-content-digest': digest}).end();
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

async function push(): Promise<ImageProgress[]> {
  await bed.images.store.images.tag(`${registry.host}/a:1`, {repository: `${registry.host}/b`, tag: '2'});
  return await bed.push({repository: `${registry.host}/b`, tag: '2'});
}

const layer = () => digestOf(registry.layer);

it('blobs come before the manifest, byte for byte', async () => {
  const lines = await push();
  expect(uploads.stored.at(-1)).toBe('manifest 2');
  expect(uploads.stored.slice(0, -1).sort()).toEqual([`blob ${layer()}`, `blob ${registry.image.id}`].sort());
  expect(uploads.manifests.get('2')).toEqual(registry.manifest);
  expect(lines.at(-1)).toEqual({
    progressDetail: {},
    aux: {Tag: '2', Digest: digestOf(registry.manifest), Size: registry.manifest.length},
  });
  uploads.stored.splice(0);
  await push();
  expect(uploads.stored).toEqual(['manifest 2']);
});

it('a connection that breaks is gone on with where it stopped', async () => {
  uploads.breaks = {left: 3, after: 500_000};
  await push();
  const starts = registry.requests
    .filter(({method}) => method === 'PATCH')
    .map(({headers}) => headers['content-range']);
  expect(starts.filter((range) => range !== undefined).length).toBeGreaterThanOrEqual(3);
  expect(uploads.blobs.get(layer())?.equals(registry.layer)).toBe(true);
  // No session but the first of each blob.
  expect(registry.requests.filter(({method}) => method === 'POST')).toHaveLength(2);
});

it('an upload whose last answer is lost has ended well', async () => {
  const ended = new Set<string>();
  registry.answer = async (request, response) => {
    const path = (request.url ?? '').replace(/\?.*$/, '');
    if (request.method !== 'PUT' || !path.includes('/uploads/')) return await take(request, response);
    if (ended.has(path)) return response.writeHead(404).end() !== undefined;
    ended.add(path);
    const digest = new URL(request.url ?? '', 'http://registry').searchParams.get('digest') ?? '';
    uploads.blobs.set(digest, uploads.sessions.get(path.slice(path.lastIndexOf('/') + 1)) ?? Buffer.alloc(0));
    response.destroy();
    return true;
  };
  await push();
  expect(ended.size).toBe(2);
  expect(uploads.blobs.get(layer())?.equals(registry.layer)).toBe(true);
  expect(registry.requests.filter(({method}) => method === 'POST')).toHaveLength(2);
});

it('what another repository has is taken over', async () => {
  uploads.mountable.add(`a ${layer()}`);
  const lines = await push();
  expect(uploads.stored).toContain(`mounted ${layer()}`);
  expect(lines.map(({status}) => status)).toContain('Mounted from a');
});

describe('a registry that', () => {
  it('stores something else is not believed', async () => {
    registry.answer = async (request, response) => {
      if (request.method !== 'PUT' || !request.url?.includes('digest=')) return await take(request, response);
      response.writeHead(201, {'docker-content-digest': `sha256:${'0'.repeat(64)}`}).end();
      return true;
    };
    await expect(push()).rejects.toMatchObject({kind: 'invalid', message: expect.stringContaining('was stored as')});
    expect(uploads.manifests.size).toBe(0);
  });

  it('has a blob of another size is not believed', async () => {
    uploads.blobs.set(layer(), Buffer.from('short'));
    await expect(push()).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(`is there with 5 bytes, not ${registry.layer.length}`),
    });
  });

  it('sends uploads out of the way is not followed', async () => {
    registry.answer = async (request, response) => {
      if (request.method !== 'POST') return await take(request, response);
      response.writeHead(202, {location: 'http://169.254.169.254/upload'}).end();
      return true;
    };
    await expect(push()).rejects.toMatchObject({kind: 'forbidden'});
  });

  it('sends an upload to another place is told, without the signature of that', async () => {
    registry.answer = async (request, response) => {
      if (request.method !== 'PATCH') return await take(request, response);
      response.writeHead(307, {location: `http://${registry.host}/storage?signature=secret`}).end();
      return true;
    };
    await expect(push()).rejects.toMatchObject({
      kind: 'unsupported',
      message: `registry ${registry.host} sends an upload to another place: ${registry.host}`,
    });
  });

  it('gives no place to upload to is told', async () => {
    registry.answer = async (request, response) => {
      if (request.method !== 'POST') return await take(request, response);
      response.writeHead(202).end();
      return true;
    };
    await expect(push()).rejects.toMatchObject({
      message: `registry ${registry.host} takes an upload, but does not say where to`,
    });
  });
});

it('an image that is not here is not pushed', async () => {
  await expect(bed.push({repository: `${registry.host}/none`, tag: '1'})).rejects.toMatchObject({
    kind: 'notFound',
    message: `An image does not exist locally with the tag: ${registry.host}/none`,
  });
});

it('an image that came without a manifest keeps the one it is pushed with, and all that this names', async () => {
  const made = makeImage({layers: [[{name: 'file', data: 'made here'}]]});
  const name = `${registry.host}/b:2`;
  await bed.images.load(dockerArchive([{image: made, tags: [name, 'local:1']}]));
  await bed.push({repository: `${registry.host}/b`, tag: '2'});
  const pushed = uploads.manifests.get('2') ?? Buffer.alloc(0);
  const [layer] = (JSON.parse(String(pushed)) as {layers: {digest: string; mediaType: string}[]}).layers;
  expect(layer?.mediaType).toBe('application/vnd.oci.image.layer.v1.tar+gzip');
  // Its other name is enough to keep them.
  await bed.images.store.images.remove(name, {force: false});
  await bed.images.store.tidy();
  const saved = await readArchive(await bed.images.store.images.save(['local:1'], {}));
  const pathOf = (digest: string) => `blobs/${digest.replace(':', '/')}`;
  expect(saved.get(pathOf(digestOf(pushed)))?.equals(pushed)).toBe(true);
  expect(saved.has(pathOf(layer?.digest ?? ''))).toBe(true);
});
