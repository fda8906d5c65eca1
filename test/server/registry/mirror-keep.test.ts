import {randomBytes} from 'node:crypto';
import {mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {hashSync} from 'bcryptjs';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {openPasswordFile} from '../../../src/server/registry/password-file.ts';
import {collect} from '../../engine/image/bed.ts';
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

const hour = 60 * 60 * 1000;
const size = 1_000_000;
const ada = {username: 'ada', password: 'lovelace'};

let directory: string;
let upstream: RegistryBed;
let now: number;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsc-mirror-'));
  now = Date.now();
});
afterEach(async () => {
  await upstream[Symbol.asyncDispose]();
  rmSync(directory, {recursive: true});
});

const registry = () => `127.0.0.1:${upstream.listener.port}`;
const prefix = () => registry().replace(':', '_');

/** Over one directory: what one keeps the next one finds. */
const makeMirror = (mirror: Partial<NonNullable<BedOptions['mirror']>> = {}) =>
  makeRegistry({
    ...{directory: join(directory, 'mirror'), now: () => now, credentialOf: async () => ada},
    mirror: {...plainMirror, registries: [registry()], ...mirror},
  });

async function pushImage(repository: string, layer: Uint8Array = randomBytes(size)) {
  const config = await pushBlob(upstream, repository, `{"for":"${repository}"}`, types.config);
  const layers = [await pushBlob(upstream, repository, layer, types.layer)];
  const manifest = {schemaVersion: 2, mediaType: types.manifest, config, layers};
  await pushManifest(upstream, repository, manifest, {reference: 'v1'});
  return {layer: layers[0]?.digest ?? '', config: config.digest};
}

/** As a client that pulls. */
async function read(mirror: RegistryBed, repository: string): Promise<readonly number[]> {
  const manifest = await mirror.send('GET', `/v2/${prefix()}/${repository}/manifests/v1`);
  if (manifest.status !== 200) return [manifest.status];
  const {config, layers} = manifest.json() as {config: {digest: string}; layers: {digest: string}[]};
  const statuses: number[] = [];
  for (const {digest} of [config, ...layers])
    statuses.push((await mirror.send('GET', `/v2/${prefix()}/${repository}/blobs/${digest}`)).status);
  return [manifest.status, ...statuses];
}

const blobsOf = (bed: RegistryBed) =>
  readdirSync(join(bed.root, 'images/oci/blobs/sha256')).map((hex) => `sha256:${hex}`);

test('as anybody, nothing is passed on that only a login gives; with the login it is, and stays apart', async () => {
  const users = join(directory, 'users');
  writeFileSync(users, `ada:${hashSync(ada.password, 4)}\n`);
  upstream = await makeRegistry({unpack: false});
  const {layer} = await pushImage('team/secret');
  const {port} = upstream.listener;
  const guarded = await makeRegistry({
    ...{unpack: false, directory: upstream.directory, passwords: await openPasswordFile(users)},
  });
  await using _guarded = guarded;
  const name = `127.0.0.1:${guarded.listener.port}`;
  expect(name).not.toBe(`127.0.0.1:${port}`);
  const make = (mirror: Partial<NonNullable<BedOptions['mirror']>>) => makeMirror({registries: [name], ...mirror});
  const copy = `/v2/${name.replace(':', '_')}/team/secret`;
  const statuses = async (bed: RegistryBed) => [
    (await bed.send('GET', `${copy}/manifests/v1`)).status,
    (await bed.send('GET', `${copy}/blobs/${layer}`)).status,
  ];
  {
    await using mirror = await make({});
    expect(await statuses(mirror)).toEqual([404, 404]);
    expect(guarded.log.join('\n')).not.toContain(' ada ');
  }
  {
    await using mirror = await make({login: true});
    expect(await statuses(mirror)).toEqual([200, 200]);
    expect(blobsOf(mirror)).toContain(layer);
  }
  for (const options of [{}, {offline: true}]) {
    await using mirror = await make(options);
    expect(await statuses(mirror)).toEqual([404, 404]);
    expect(blobsOf(mirror)).toContain(layer);
  }
  await using mirror = await make({login: true, offline: true});
  expect(await statuses(mirror)).toEqual([200, 200]);
});

test('what everybody gets is passed on also where it came for a login first, and is not brought again', async () => {
  upstream = await makeRegistry({unpack: false});
  await pushImage('team/open');
  {
    await using mirror = await makeMirror({login: true});
    expect(await read(mirror, 'team/open')).toEqual([200, 200, 200]);
  }
  await using mirror = await makeMirror();
  await upstream.logged();
  const before = upstream.log.length;
  expect(await read(mirror, 'team/open')).toEqual([200, 200, 200]);
  await upstream.logged();
  expect(upstream.log.slice(before).filter((line) => line.includes('/blobs/'))).toEqual([]);
});

test('beyond its size the mirror lets go of what was asked for the longest ago, and of nothing that is in use', async () => {
  upstream = await makeRegistry({unpack: false});
  const images = [];
  for (const name of ['first', 'second', 'third']) images.push(await pushImage(name));
  const [first, second, third] = images.map(({layer}) => layer);
  await using mirror = await makeMirror({
    limits: {bytesMax: 2.5 * size, unusedMs: Number.POSITIVE_INFINITY, sureMs: hour},
  });
  for (const name of ['first', 'second', 'third']) {
    expect(await read(mirror, name)).toEqual([200, 200, 200]);
    now += 60_000;
  }
  // All were asked for within the hour.
  await mirror.hosting.sweep();
  expect(blobsOf(mirror)).toEqual(expect.arrayContaining([first, second, third]));
  now += 2 * hour;
  expect(await read(mirror, 'first')).toEqual([200, 200, 200]);
  now += 2 * hour;
  await mirror.hosting.sweep();
  expect(blobsOf(mirror)).toEqual(expect.arrayContaining([first, third]));
  expect(blobsOf(mirror)).not.toContain(second);
  expect((await mirror.send('GET', `/v2/${prefix()}/second/tags/list`)).json()).toMatchObject({tags: []});
  // It comes again, as if it had never been here.
  expect(await read(mirror, 'second')).toEqual([200, 200, 200]);
});

test('what nobody asked for so long goes, unless it is an image of this machine, or all there is', async () => {
  upstream = await makeRegistry({unpack: false});
  const tar = Buffer.alloc(10_240);
  const configuration = JSON.stringify({
    ...{architecture: process.arch === 'x64' ? 'amd64' : process.arch, os: 'linux', config: {}},
    rootfs: {type: 'layers', diff_ids: [sha256(tar)]},
  });
  const config = await pushBlob(upstream, 'kept', configuration, types.config);
  const layer = await pushBlob(upstream, 'kept', tar, types.layer);
  const manifest = {schemaVersion: 2, mediaType: types.manifest, config, layers: [layer]};
  await pushManifest(upstream, 'kept', manifest, {reference: 'v1'});
  const {layer: gone} = await pushImage('gone');
  const limits = {bytesMax: Number.POSITIVE_INFINITY, unusedMs: 24 * hour, sureMs: hour};
  {
    await using mirror = await makeMirror({limits});
    for (const name of ['kept', 'gone']) expect(await read(mirror, name)).toEqual([200, 200, 200]);
    const reference = `127.0.0.1:${mirror.listener.port}/${prefix()}/kept:v1`;
    await collect(mirror.engine.registry.pull({reference, auth: {}}));
    await mirror.engine.images.tag(reference, {repository: 'mine', tag: '1'});
    now += 25 * hour;
  }
  {
    await using mirror = await makeMirror({limits, offline: true});
    await mirror.hosting.sweep();
    expect(blobsOf(mirror)).toContain(gone);
  }
  await using mirror = await makeMirror({limits});
  await mirror.hosting.sweep();
  expect(blobsOf(mirror)).not.toContain(gone);
  expect(blobsOf(mirror)).toContain(layer.digest);
  expect((await mirror.engine.images.inspect('mine:1')).RootFS.Layers).toEqual([sha256(tar)]);
  expect(refusalOf(await mirror.send('GET', '/v2/never/manifests/v1'))).toEqual([404, 'NAME_UNKNOWN']);
});
