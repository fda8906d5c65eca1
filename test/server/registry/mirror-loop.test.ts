import {randomBytes} from 'node:crypto';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {createPassedThrough} from '../../../src/engine/hosting/passed-through.ts';
import type {Connection} from '../../../src/engine/registry/connection.ts';
import {makeRegistry, plainMirror, pushBlob, pushManifest, type RegistryBed, sha256, types} from './bed.ts';

const content = randomBytes(300_000);

async function pushImage(bed: RegistryBed, layer: Uint8Array): Promise<string> {
  const config = await pushBlob(bed, 'team/app', '{"tag":"v1"}', types.config);
  const layers = [await pushBlob(bed, 'team/app', layer, types.layer)];
  const manifest = {schemaVersion: 2, mediaType: types.manifest, config, layers};
  return (await pushManifest(bed, 'team/app', manifest, {reference: 'v1'})).digest;
}

/** Mirrors of a registry in a circle: each is told that the next is where to ask first. */
async function makeCircle(size: number) {
  const directory = mkdtempSync(join(tmpdir(), 'tsc-circle-'));
  const upstream = await makeRegistry({unpack: false});
  const registry = `127.0.0.1:${upstream.listener.port}`;
  let now = Date.UTC(2026, 0, 1);
  const file = (index: number) => join(directory, `${index}.json`);
  const mirrors = await Promise.all(
    Array.from({length: size}, (_, index) =>
      makeRegistry({
        ...{registriesFile: file(index), now: () => now},
        mirror: {...plainMirror, registries: [registry]},
      }),
    ),
  );
  for (const [index] of mirrors.entries()) {
    const next = `http://127.0.0.1:${mirrors[(index + 1) % size]?.listener.port}`;
    writeFileSync(file(index), JSON.stringify({registries: {[registry]: {mirrors: [next]}}}));
  }
  return {
    upstream,
    mirrors,
    ask: async (path: string) => await mirrors[0]?.send('GET', `/v2/team/app/${path}?ns=${registry}`),
    pass: (ms: number) => {
      now += ms;
    },
    async [Symbol.asyncDispose]() {
      for (const each of [...mirrors, upstream]) await each[Symbol.asyncDispose]();
      rmSync(directory, {recursive: true});
    },
  };
}

test.for([1, 2, 3])('%i mirrors that ask each other ask the registry in the end, once each', async (size) => {
  await using circle = await makeCircle(size);
  const first = await pushImage(circle.upstream, content);
  const tag = async () => (await circle.ask('manifests/v1'))?.headers['docker-content-digest'];
  expect(await tag()).toBe(first);
  const blob = await circle.ask(`blobs/${sha256(content)}`);
  expect([blob?.status, blob?.body.equals(content)]).toEqual([200, true]);
  const second = await pushImage(circle.upstream, Buffer.concat([content, Buffer.from('second')]));
  circle.pass(61_000);
  // What the mirror keeps itself is no answer to whether that is still right.
  expect(await tag()).toBe(second);
  for (const {log} of circle.mirrors) expect(log.length).toBeLessThan(16);
});

test('what was pushed to a mirror is not taken for what Docker Hub has under that name', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tsc-circle-'));
  const registriesFile = join(directory, 'registries.json');
  await using upstream = await makeRegistry({unpack: false});
  await using mirror = await makeRegistry({
    ...{registriesFile, unpack: false},
    mirror: {...plainMirror, registries: ['docker.io']},
  });
  const mirrors = [mirror, upstream].map(({listener}) => `http://127.0.0.1:${listener.port}`);
  writeFileSync(registriesFile, JSON.stringify({registries: {'docker.io': {mirrors, mirrorsOnly: true}}}));
  await pushImage(mirror, Buffer.from('pushed here'));
  const digest = await pushImage(upstream, content);
  const manifest = await mirror.send('GET', '/v2/docker.io/team/app/manifests/v1');
  expect(manifest.headers['docker-content-digest']).toBe(digest);
  const blob = await mirror.send('GET', `/v2/docker.io/team/app/blobs/${sha256(content)}`);
  expect([blob.status, blob.body.equals(content)]).toEqual([200, true]);
  rmSync(directory, {recursive: true});
});

test('a request says through which mirrors it came, and nothing else that a client wrote there', async () => {
  const sent: (string | undefined)[] = [];
  const connection = {
    endpoint: {registry: 'registry.test', bases: [], tls: {verify: true, ca: []}},
    send: async ({headers}: {headers?: Readonly<Record<string, string>>}) => {
      sent.push(headers?.['via']);
      return {};
    },
  } as unknown as Connection;
  const [one, other] = [createPassedThrough(), createPassedThrough()];
  const send = async (passed: typeof one, via: string | undefined) => {
    const request = {method: 'GET', target: '/', scopes: [], signal: new AbortController().signal} as const;
    await passed.mark(connection, via).send(request);
    return sent.at(-1) ?? '';
  };
  const first = await send(one, '1.1 proxy, made up');
  expect(first).toMatch(/^1\.1 tscompose-[0-9a-f]{16}$/);
  const second = await send(other, first);
  expect(second).toBe(`${first}, ${second.split(', ')[1]}`);
  expect([one.isLoop(undefined), one.isLoop(first), other.isLoop(first), one.isLoop(second)]).toEqual([
    ...[false, true, false, true],
  ]);
  const many = Array.from({length: 8}, (_, index) => `1.1 tscompose-${String(index).padStart(16, '0')}`);
  expect([one.isLoop(many.slice(1).join(', ')), one.isLoop(many.join(', '))]).toEqual([false, true]);
});
