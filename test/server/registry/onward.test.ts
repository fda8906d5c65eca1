import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {normaliseArchitecture} from '../../../src/engine/image/platform.ts';
import {collect} from '../../engine/image/bed.ts';
import {makeTar} from '../../support/archive.ts';
import {type Described, makeRegistry, pushBlob, pushManifest, type RegistryBed, sha256, types} from './bed.ts';

let source: RegistryBed;
let target: RegistryBed;
let client: RegistryBed;
beforeEach(async () => {
  [source, target, client] = await Promise.all([
    makeRegistry({unpack: false}),
    makeRegistry({unpack: false}),
    makeRegistry(),
  ]);
});
afterEach(async () => {
  for (const bed of [source, target, client]) await bed[Symbol.asyncDispose]();
});

const machine = normaliseArchitecture(process.arch);
const other = machine === 'arm64' ? 'amd64' : 'arm64';

async function pushPlatform(architecture: string): Promise<Described> {
  const tar = makeTar([{name: 'file', data: Buffer.from(`for ${architecture}`)}]);
  const configuration = {architecture, os: 'linux', config: {}, rootfs: {type: 'layers', diff_ids: [sha256(tar)]}};
  const config = await pushBlob(source, 'app', JSON.stringify(configuration), types.config);
  const layers = [await pushBlob(source, 'app', gzipSync(tar), `${types.layer}+gzip`)];
  const pushed = await pushManifest(source, 'app', {schemaVersion: 2, mediaType: types.manifest, config, layers});
  return {...descriptorOf(pushed), ...{platform: {architecture, os: 'linux'}}};
}

/** As BuildKit attaches what it says of an image. */
async function pushAttestation(about: Described): Promise<Described> {
  const config = await pushBlob(source, 'app', `{"architecture":"unknown","about":"${about.digest}"}`, types.config);
  const layers = [await pushBlob(source, 'app', `{"subject":"${about.digest}"}`, 'application/vnd.in-toto+json')];
  const pushed = await pushManifest(source, 'app', {schemaVersion: 2, mediaType: types.manifest, config, layers});
  return {
    ...descriptorOf(pushed),
    ...{
      platform: {architecture: 'unknown', os: 'unknown'},
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': about.digest,
      },
    },
  };
}

const descriptorOf = ({mediaType, digest, size}: Described): Described => ({mediaType, digest, size});

const pushIndex = (manifests: readonly Described[]) =>
  pushManifest(source, 'app', {schemaVersion: 2, mediaType: types.index, manifests, also: 'kept'}, {reference: '1'});

const registryOf = (bed: RegistryBed) => `127.0.0.1:${bed.listener.port}`;

const pull = (options: {readonly platform?: string; readonly allPlatforms?: boolean} = {}) =>
  collect(client.engine.registry.pull({reference: `${registryOf(source)}/app:1`, auth: {}, ...options}));

/** Answers the digest that the other registry then has. */
async function pushOn(platform?: string): Promise<string | undefined> {
  const repository = `${registryOf(target)}/app`;
  await client.engine.images.tag(`${registryOf(source)}/app:1`, {repository, tag: '1'});
  await collect(client.engine.registry.push({repository, tag: '1', platform, auth: {}}));
  return (await target.send('HEAD', '/v2/app/manifests/1')).headers['docker-content-digest'];
}

test('an image with what is attested of it stays what it is when it is pulled and pushed elsewhere', async () => {
  const image = await pushPlatform(machine);
  const attestation = await pushAttestation(image);
  const index = await pushIndex([image, attestation]);
  await pull();
  expect(await pushOn()).toBe(index.digest);
  expect((await target.send('GET', `/v2/app/manifests/${attestation.digest}`)).status).toBe(200);
});

test('of several platforms one is brought, with its own attestation, and alone is pushed on; all, where all are asked for', async () => {
  const [own, foreign] = [await pushPlatform(machine), await pushPlatform(other)];
  const [of, ofForeign] = [await pushAttestation(own), await pushAttestation(foreign)];
  const index = await pushIndex([foreign, own, of, ofForeign]);
  await pull();
  const blobs = () => readdirSync(join(client.root, 'images/oci/blobs/sha256')).map((hex) => `sha256:${hex}`);
  expect(blobs()).toEqual(expect.arrayContaining([own.digest, of.digest]));
  for (const left of [foreign, ofForeign]) expect(blobs()).not.toContain(left.digest);
  expect(await pushOn()).toBe(own.digest);
  const lines = await pull({allPlatforms: true});
  expect(lines.at(-1)?.status).toContain('Image is up to date');
  expect(await pushOn()).toBe(index.digest);
  // What is whole is only asked for.
  await source.logged();
  const before = source.log.length;
  await pull({allPlatforms: true});
  await source.logged();
  expect(source.log.slice(before).map((line) => /"([A-Z]+)/.exec(line)?.[1])).toEqual(['HEAD']);
  // A platform that is here can be pushed alone, though it was never unpacked.
  expect(await pushOn(`linux/${other}`)).toBe(foreign.digest);
  await expect(pushOn('linux/mips')).rejects.toMatchObject({kind: 'notFound'});
});

test('the same name is here for two platforms, the one that was pulled last by itself', async () => {
  const [own, foreign] = [await pushPlatform(machine), await pushPlatform(other)];
  await pushIndex([own, foreign]);
  await pull();
  await pull({platform: `linux/${other}`});
  const name = `${registryOf(source)}/app:1`;
  const {images} = client.engine;
  expect((await images.inspect(name)).Architecture).toBe(other);
  expect((await images.inspect(name, `linux/${machine}`)).Architecture).toBe(machine);
  const rows = (await images.list()).filter(({RepoTags, RepoDigests}) => [...RepoTags, ...RepoDigests].includes(name));
  expect(rows).toHaveLength(1);
  expect((await images.prune({dangling: ['true']})).ImagesDeleted).toBeNull();
  expect((await images.inspect(name, `linux/${machine}`)).Architecture).toBe(machine);
});

test('an attestation that the registry has lost keeps nobody from the image', async () => {
  const image = await pushPlatform(machine);
  const attestation = await pushAttestation(image);
  await pushIndex([image, attestation]);
  await source.send('DELETE', `/v2/app/manifests/${attestation.digest}`);
  await pull();
  expect(await pushOn()).toBe(image.digest);
});
