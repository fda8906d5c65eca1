import {once} from 'node:events';
import type {ServerResponse} from 'node:http';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {TscomposeError} from '../../../src/base/errors.ts';
import {digestOf} from '../image/bed.ts';
import {indexType, makePullBed, manifestType, type PullBed, type ScriptedRegistry, startScripted} from './hostile.ts';

let registry: ScriptedRegistry;
let bed: PullBed;
beforeEach(async () => {
  registry = await startScripted();
  bed = await makePullBed();
});
afterEach(async () => {
  await bed[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const reference = () => `${registry.host}/a:1`;
const failure = async (options: Parameters<PullBed['pull']>[1] = {}) =>
  await bed.pull(reference(), options).then(
    () => Promise.reject(new Error('it was pulled')),
    (error: TscomposeError) => ({kind: error.kind, message: error.message.replaceAll(registry.host, 'HOST')}),
  );
const put = (path: string, value: unknown, type: string) => {
  const bytes = Buffer.from(JSON.stringify(value));
  registry.files.set(path, {type, bytes});
  return {mediaType: type, digest: digestOf(bytes), size: bytes.length};
};
const layerPath = () => `/v2/a/blobs/${digestOf(registry.layer)}`;
/** Nothing of a refused image is known afterwards. */
const expectNothing = async () => {
  expect(bed.images.content()).toMatchObject({records: [], references: [], layers: []});
};

/** Until more can be written, or nobody reads any more. */
const writable = async (response: ServerResponse) => {
  const done = new AbortController();
  const {signal} = done;
  const waits = [once(response, 'drain', {signal}), once(response, 'close', {signal})];
  await Promise.race(waits);
  done.abort();
  await Promise.allSettled(waits);
};

it('a good image comes', async () => {
  await bed.pull(reference());
  expect(await bed.images.store.images.inspect(reference())).toMatchObject({
    Id: registry.image.id,
    RepoTags: [`${registry.host}/a:1`],
    RepoDigests: [`${registry.host}/a@${digestOf(registry.manifest)}`],
  });
});

describe('manifests', () => {
  it('that are not what the digest in the name says', async () => {
    const wanted = `sha256:${'0'.repeat(64)}`;
    registry.files.set(`/v2/a/manifests/${wanted}`, {type: manifestType, bytes: registry.manifest});
    await expect(bed.pull(`${registry.host}/a@${wanted}`)).rejects.toMatchObject({
      kind: 'invalid',
      message: `registry ${registry.host}: manifest a@${wanted} is not what it says: its content is ${digestOf(registry.manifest)}`,
    });
    await expectNothing();
  });

  it('that are not what their header says', async () => {
    registry.answer = (request, response) => {
      if (request.url !== '/v2/a/manifests/1') return false;
      response.setHeader('docker-content-digest', `sha256:${'0'.repeat(64)}`);
      response.writeHead(200, {'content-type': manifestType}).end(registry.manifest);
      return true;
    };
    expect(await failure()).toMatchObject({kind: 'invalid', message: expect.stringContaining('is not what it says')});
  });

  it('without an end are left at 4 MiB', async () => {
    let sent = 0;
    registry.answer = async (request, response) => {
      if (request.url !== '/v2/a/manifests/1' || request.method !== 'GET') return false;
      response.writeHead(200, {'content-type': manifestType});
      while (!response.destroyed && sent < 100_000_000) {
        sent += 65_536;
        if (!response.write(Buffer.alloc(65_536, 32))) {
          await writable(response);
        }
      }
      return true;
    };
    expect(await failure()).toEqual({
      kind: 'invalid',
      message: 'registry HOST: manifest a:1 has more than 4194304 bytes',
    });
    expect(sent).toBeLessThan(50_000_000);
  });

  it.each([
    ['an index that is sent as an image', {manifests: []}, manifestType, 'is not of its type'],
    [
      'two things at once',
      {manifests: [], layers: [], config: {}, mediaType: manifestType},
      manifestType,
      'is neither an image nor an index',
    ],
    [
      'one that is sent as something else than it calls itself',
      {mediaType: indexType, manifests: []},
      manifestType,
      `is sent as ${manifestType}, and calls itself ${indexType}`,
    ],
    ['neither', {hello: 'there'}, manifestType, 'is neither an image nor an index'],
    ['schema 1', {schemaVersion: 1, fsLayers: []}, 'application/json', 'has the old schema 1, which is not supported'],
    ['not JSON at all', undefined, manifestType, 'is not JSON'],
    [
      'a descriptor without a size',
      {config: {digest: `sha256:${'0'.repeat(64)}`}, layers: []},
      manifestType,
      'config has no sha256 digest and size',
    ],
    [
      'a digest that is a path',
      {config: {digest: 'sha256:../../../etc/passwd', size: 3}, layers: []},
      manifestType,
      'config has no sha256 digest and size',
    ],
    [
      'a negative size',
      {config: {digest: `sha256:${'0'.repeat(64)}`, size: -1}, layers: []},
      manifestType,
      'config has no sha256 digest and size',
    ],
    [
      'a digest of another kind',
      {config: {digest: `sha512:${'0'.repeat(128)}`, size: 1}, layers: []},
      manifestType,
      'only sha256 is supported',
    ],
    [
      'layers that are no list',
      {config: {digest: `sha256:${'0'.repeat(64)}`, size: 1}, layers: {}},
      manifestType,
      'layers is not a list',
    ],
  ])('%s is refused', async (_name, value, type, message) => {
    if (value === undefined) registry.files.set('/v2/a/manifests/1', {type, bytes: Buffer.from('<html>')});
    else put('/v2/a/manifests/1', value, type);
    expect((await failure()).message).toContain(message);
    await expectNothing();
  });
});

describe('indexes', () => {
  const child = (digest: string, size: number, extra = {}) => ({
    mediaType: indexType,
    digest,
    size,
    platform: {os: 'linux', architecture: 'amd64'},
    ...extra,
  });

  it('that lead to one another without an end are refused', async () => {
    // Content cannot name its own digest: a registry that lies about what it has can answer such a circle.
    let level = child(digestOf('x'), 1);
    for (let depth = 0; depth < 8; depth += 1) {
      const made = put('/x', {schemaVersion: 2, mediaType: indexType, manifests: [level]}, indexType);
      registry.files.set(
        `/v2/a/manifests/${made.digest}`,
        registry.files.get('/x') ?? {type: '', bytes: Buffer.alloc(0)},
      );
      level = child(made.digest, made.size);
    }
    put('/v2/a/manifests/1', {schemaVersion: 2, mediaType: indexType, manifests: [level]}, indexType);
    expect(await failure()).toEqual({
      kind: 'invalid',
      message: 'image "HOST/a:1": its indexes are nested too deeply',
    });
  });

  it('are told apart from what they name', async () => {
    const size = registry.manifest.length;
    const digest = digestOf(registry.manifest);
    put(
      '/v2/a/manifests/1',
      {schemaVersion: 2, manifests: [child(digest, size + 1, {mediaType: manifestType})]},
      indexType,
    );
    expect((await failure()).message).toContain(`has ${size} bytes, where its index says ${size + 1}`);
    put('/v2/a/manifests/1', {schemaVersion: 2, manifests: [child(digest, size)]}, indexType);
    expect((await failure()).message).toContain(`is of type ${manifestType}, where its index says ${indexType}`);
  });

  it('without an image for this machine say what they have', async () => {
    const other = {mediaType: manifestType, platform: {os: 'linux', architecture: 's390x'}};
    put('/v2/a/manifests/1', {manifests: [child(digestOf('x'), 1, other)]}, indexType);
    await expect(bed.pull(reference())).rejects.toMatchObject({
      kind: 'notFound',
      message: `image "${registry.host}/a:1": no matching manifest for linux/amd64 in the manifest list entries`,
      hint: 'it is there for linux/s390x',
    });
  });

  it('give the image for the platform that is asked for, and keep their own bytes', async () => {
    const size = registry.manifest.length;
    const digest = digestOf(registry.manifest);
    const index = put(
      '/v2/a/manifests/1',
      {
        schemaVersion: 2,
        mediaType: indexType,
        manifests: [
          child(digestOf('x'), 1, {mediaType: manifestType}),
          child(digest, size, {mediaType: manifestType, platform: {os: 'linux', architecture: 'arm64'}}),
        ],
        more: 'kept',
      },
      indexType,
    );
    await bed.pull(reference(), {platform: 'linux/arm64'});
    expect(await bed.images.store.images.inspect(`${registry.host}/a@${index.digest}`)).toMatchObject({
      Id: registry.image.id,
      RepoDigests: [`${registry.host}/a@${index.digest}`],
    });
    expect(bed.images.content().blobs).toContain(index.digest.slice(7));
  });
});

describe('blobs', () => {
  const answerLayer = (write: (response: Parameters<ScriptedRegistry['answer']>[1]) => void) => {
    registry.answer = (request, response) => {
      if (request.url !== layerPath()) return false;
      write(response);
      return true;
    };
  };

  it('of other content are refused', async () => {
    answerLayer((response) => response.end(Buffer.alloc(registry.layer.length, 1)));
    // Whoever sees it first: the one who counts and hashes, or the one who unpacks meanwhile.
    expect(await failure()).toMatchObject({kind: 'invalid', message: expect.stringMatching(/is damaged|is broken/)});
    await expectNothing();
  });

  it('that promise another length are refused before they come', async () => {
    answerLayer((response) => response.writeHead(200, {'content-length': 10 ** 12}).write('x'));
    expect(await failure()).toEqual({
      kind: 'invalid',
      message: `registry HOST: blob ${digestOf(registry.layer)}: it has 1000000000000 bytes to send where ${registry.layer.length} were promised`,
    });
  });

  it('without an end are left where they should have ended', async () => {
    let sent = 0;
    registry.answer = async (request, response) => {
      if (request.url !== layerPath()) return false;
      response.writeHead(200);
      // What should be there, and then more.
      response.write(registry.layer);
      while (!response.destroyed && sent < 1_000_000_000) {
        sent += 65_536;
        if (!response.write(Buffer.alloc(65_536))) {
          await writable(response);
        }
      }
      return true;
    };
    expect((await failure()).message).toContain(`has more than the ${registry.layer.length} bytes it should have`);
    expect(sent).toBeLessThan(100_000_000);
    await expectNothing();
  });

  it('that come from another place than asked for are refused', async () => {
    let first = true;
    registry.answer = (request, response) => {
      if (request.url !== layerPath()) return false;
      if (first) {
        first = false;
        response.writeHead(200, {'content-length': registry.layer.length});
        response.write(registry.layer.subarray(0, 100_000), () => response.destroy());
      } else {
        response.writeHead(206, {'content-range': `bytes 5-${registry.layer.length - 1}/${registry.layer.length}`});
        response.end(registry.layer.subarray(5));
      }
      return true;
    };
    const {kind, message} = await failure();
    expect(kind).toBe('invalid');
    expect(message).toMatch(/asked for what comes after byte \d+, it sends "bytes 5-/);
  });

  it('that stop coming are given up', async () => {
    answerLayer((response) => response.writeHead(200, {'content-length': registry.layer.length}).write('x'));
    await using impatient = await makePullBed({stallMs: 1000});
    await expect(impatient.pull(reference())).rejects.toMatchObject({
      kind: 'timeout',
      message: `registry ${registry.host} has stopped answering`,
    });
  });

  it('whose configuration names other layers are refused', async () => {
    const layer = {mediaType: '', digest: digestOf(registry.layer), size: registry.layer.length};
    const config = {mediaType: '', digest: registry.image.id, size: registry.image.configuration.length};
    put('/v2/a/manifests/1', {config, layers: [layer, layer]}, manifestType);
    expect((await failure()).message).toContain('its configuration names 1 layers, its manifest 2');
    await expectNothing();
  });

  it('of a configuration beyond all measure are not taken', async () => {
    put('/v2/a/manifests/1', {config: {digest: registry.image.id, size: 10 ** 10}, layers: []}, manifestType);
    expect((await failure()).message).toContain('its configuration has 10000000000 bytes');
  });
});

it('a registry that does not end to send errors is not read to the end', async () => {
  registry.answer = (request, response) => {
    if (request.url !== '/v2/a/manifests/1') return false;
    response.writeHead(403, {'content-type': 'application/json'});
    response.end(`{"errors":[{"code":"DENIED","message":"\\u001b[31mno\\n${'x'.repeat(500)}"}]}`);
    return true;
  };
  const {kind, message} = await failure();
  expect(kind).toBe('forbidden');
  // Nothing that a terminal would act on.
  expect(message).not.toMatch(/[\x00-\x1f]/);
  expect(message.length).toBeLessThan(300);
});
