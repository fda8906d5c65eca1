import {randomBytes} from 'node:crypto';
import {readdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {expect, test} from 'vitest';
import {collect, dockerArchive, makeImage, stream} from '../../engine/image/bed.ts';
import {makeTar} from '../../support/archive.ts';
import {eventually} from '../../support/host.ts';
import {makeRegistry, pushBlob, pushManifest, type RegistryBed, refusalOf, registryName, sha256, types} from './bed.ts';

/** Pushes an image that a machine can run. */
async function pushImage(bed: RegistryBed, repository: string, tag: string, text: string, architecture = 'amd64') {
  const tar = makeTar([{name: 'file', data: Buffer.from(text)}]);
  const configuration = {
    architecture,
    os: 'linux',
    config: {Cmd: [text]},
    rootfs: {type: 'layers', diff_ids: [sha256(tar)]},
  };
  const config = await pushBlob(bed, repository, JSON.stringify(configuration), types.config);
  const layer = await pushBlob(bed, repository, gzipSync(tar), `${types.layer}+gzip`);
  const manifest = {schemaVersion: 2, mediaType: types.manifest, config, layers: [layer]};
  const pushed = await pushManifest(bed, repository, manifest, {reference: tag});
  return {...pushed, config, layer};
}

async function load(bed: RegistryBed, tag: string, text: string) {
  const image = makeImage({layers: [[{name: 'file', data: Buffer.from(text)}]], config: {Cmd: [text]}});
  await collect(bed.engine.images.load(stream(dockerArchive([{image, tags: [tag]}]))));
  return image;
}

const namesOf = async (bed: RegistryBed) =>
  (await bed.engine.images.list())
    .flatMap(({RepoTags}) => RepoTags)
    .filter((name) => name !== 'tscompose/host:latest')
    .sort();

const blobsOf = (bed: RegistryBed) => readdirSync(join(bed.root, 'images/oci/blobs/sha256'));

test('what is pushed is an image of this machine at once, under the registry’s name and whatever the client calls it', async () => {
  await using bed = await makeRegistry();
  const {config, digest} = await pushImage(bed, 'team/app', 'v1', 'hello');
  const name = `${registryName}/team/app:v1`;
  const image = await bed.engine.images.inspect(name);
  expect([image.Id, image.Config.Cmd, image.RepoDigests]).toEqual([
    config.digest,
    ['hello'],
    [`${registryName}/team/app@${digest}`],
  ]);
  const layer = readdirSync(join(bed.root, 'layers')).find((directory) => !directory.startsWith('host-')) ?? '';
  expect(readdirSync(join(bed.root, 'layers', layer))).toEqual(['file']);
  const bytes = (await bed.send('GET', '/v2/team/app/manifests/v1')).body;
  const put = await bed.send('PUT', '/v2/library/redis/manifests/latest', {
    headers: {host: 'docker.io', 'content-type': types.manifest},
    body: bytes,
  });
  expect(put.status).toBe(404);
  for (const {digest: blob} of [
    config,
    (JSON.parse(bytes.toString()) as {layers: {digest: string}[]}).layers[0] ?? config,
  ])
    await bed.send('POST', `/v2/library/redis/blobs/uploads/?mount=${blob}&from=team/app`);
  const again = await bed.send('PUT', '/v2/library/redis/manifests/latest', {
    headers: {host: 'docker.io', 'content-type': types.manifest},
    body: bytes,
  });
  expect(again.status).toBe(201);
  expect(await namesOf(bed)).toEqual([`${registryName}/library/redis:latest`, name]);
});

test('of an index the image for this machine is taken, and the index stays what its name stands for', async () => {
  await using bed = await makeRegistry();
  const amd64 = await pushImage(bed, 'multi', 'one', 'for amd64');
  const arm64 = await pushImage(bed, 'multi', 'two', 'for arm64', 'arm64');
  const manifests = [arm64, amd64].map(({mediaType, digest, size}, index) => ({
    ...{mediaType, digest, size},
    platform: {os: 'linux', architecture: index === 0 ? 'arm64' : 'amd64'},
  }));
  const index = await pushManifest(
    bed,
    'multi',
    {schemaVersion: 2, mediaType: types.index, manifests},
    {reference: 'all'},
  );
  const own = process.arch === 'arm64' ? arm64 : amd64;
  expect((await bed.engine.images.inspect(`${registryName}/multi:all`)).Id).toBe(own.config.digest);
  await bed.engine.images.tag(`${registryName}/multi:all`, {repository: 'copy', tag: '1'});
  const copy = await bed.send('GET', '/v2/copy/manifests/1');
  expect([copy.headers['docker-content-digest'], copy.headers['content-type']]).toEqual([index.digest, types.index]);
  for (const {digest, layer} of [amd64, arm64]) {
    expect((await bed.send('GET', `/v2/copy/manifests/${digest}`)).status).toBe(200);
    expect((await bed.send('GET', `/v2/copy/blobs/${layer.digest}`)).status).toBe(200);
  }
});

test('what is an image here can be pulled at once: by the names that Docker has for it, without a copy', async () => {
  await using bed = await makeRegistry();
  const image = await load(bed, 'redis:7', 'from an archive');
  await load(bed, 'quay.io/team/tool:1', 'of another registry');
  await load(bed, `${registryName}/own/thing:1`, 'of this one');
  const before = blobsOf(bed);
  for (const name of ['redis', 'library/redis']) {
    const manifest = await bed.send('GET', `/v2/${name}/manifests/7`);
    expect([name, manifest.status, manifest.headers['content-type']]).toEqual([name, 200, types.manifest]);
    const {config, layers} = manifest.json() as {
      config: {digest: string};
      layers: {digest: string; size: number; mediaType: string}[];
    };
    expect(config.digest).toBe(image.id);
    expect(layers.map(({mediaType}) => mediaType)).toEqual([types.layer]);
    expect(
      (await bed.send('GET', `/v2/${name}/manifests/${manifest.headers['docker-content-digest']}`)).body.equals(
        manifest.body,
      ),
    ).toBe(true);
    for (const {digest, size} of layers) {
      const blob = await bed.send('GET', `/v2/${name}/blobs/${digest}`);
      expect([blob.status, sha256(blob.body), blob.body.length]).toEqual([200, digest, size]);
    }
    expect((await bed.send('GET', `/v2/${name}/tags/list`)).json()).toEqual({name, tags: ['7']});
  }
  expect((await bed.send('HEAD', '/v2/quay.io/team/tool/manifests/1')).status).toBe(200);
  expect((await bed.send('HEAD', '/v2/own/thing/manifests/1')).status).toBe(200);
  expect((await bed.send('GET', `/v2/own/thing/blobs/${image.id}`)).status).toBe(404);
  expect((await bed.send('GET', '/v2/_catalog')).json()).toEqual({
    repositories: ['own/thing', 'quay.io/team/tool', 'redis'],
  });
  expect(blobsOf(bed)).toEqual(before);
  for (const reference of ['7', image.id])
    expect((await bed.send('DELETE', `/v2/redis/manifests/${reference}`)).status).toBe(reference === '7' ? 403 : 404);
  await using closed = await makeRegistry({local: false});
  await load(closed, 'redis:7', 'hidden');
  expect((await closed.send('GET', '/v2/redis/manifests/7')).status).toBe(404);
  expect((await closed.send('GET', '/v2/_catalog')).json()).toEqual({repositories: []});
});

test('a client that leaves out what is here already can push on top of it', async () => {
  await using bed = await makeRegistry();
  const image = await load(bed, 'base:1', 'the base');
  const local = await bed.send('GET', '/v2/base/manifests/1');
  const {layers} = local.json() as {layers: object[]};
  const config = await pushBlob(
    bed,
    'base',
    '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}',
    types.config,
  );
  expect((await bed.send('HEAD', `/v2/base/blobs/${image.diffIds[0]}`)).status).toBe(200);
  await pushManifest(bed, 'base', {schemaVersion: 2, mediaType: types.manifest, config, layers}, {reference: '2'});
  await bed.engine.images.remove('base:1');
  await bed.hosting.sweep();
  expect((await bed.send('GET', `/v2/base/blobs/${image.diffIds[0]}`)).status).toBe(200);
});

test('a tag that moves, is given anew here, or becomes something else stands for the last one', async () => {
  await using bed = await makeRegistry();
  const name = `${registryName}/app:v`;
  const tagged = async () => (await bed.send('HEAD', '/v2/app/manifests/v')).headers['docker-content-digest'];
  const first = await pushImage(bed, 'app', 'v', 'first');
  const second = await pushImage(bed, 'app', 'v', 'second');
  expect([await tagged(), (await bed.engine.images.inspect(name)).Id]).toEqual([second.digest, second.config.digest]);
  expect((await bed.send('GET', `/v2/app/manifests/${first.digest}`)).status).toBe(200);
  const local = await load(bed, name, 'made here');
  const {config} = (await bed.send('GET', '/v2/app/manifests/v')).json() as {config: {digest: string}};
  expect(config.digest).toBe(local.id);
  const third = await pushImage(bed, 'app', 'v', 'third');
  expect(await tagged()).toBe(third.digest);
  // Removed here, it is still what was pushed.
  await bed.engine.images.remove(name);
  expect(await tagged()).toBe(third.digest);
  await pushImage(bed, 'app', 'v', 'fourth');
  const artifact = await pushManifest(
    bed,
    'app',
    {schemaVersion: 2, mediaType: types.index, manifests: []},
    {reference: 'v'},
  );
  expect(await tagged()).toBe(artifact.digest);
  await expect(bed.engine.images.inspect(name)).rejects.toMatchObject({kind: 'notFound'});
});

test('of many who push to a tag at once one has it, here and in the registry; deleted meanwhile, it is gone', async () => {
  await using bed = await makeRegistry();
  const pushes = await Promise.all(Array.from({length: 6}, (_, index) => pushImage(bed, 'race', 'v', `push ${index}`)));
  const digest = (await bed.send('HEAD', '/v2/race/manifests/v')).headers['docker-content-digest'];
  const winner = pushes.find((push) => push.digest === digest);
  expect((await bed.engine.images.inspect(`${registryName}/race:v`)).Id).toBe(winner?.config.digest);
  const {bytes} = pushes[0] as {bytes: string};
  const [put, removed] = await Promise.all([
    bed.send('PUT', '/v2/race/manifests/v', {headers: {'content-type': types.manifest}, body: bytes}),
    bed.send('DELETE', '/v2/race/manifests/v'),
  ]);
  expect([put.status, removed.status]).toEqual([201, 202]);
  const {status, headers} = await bed.send('HEAD', '/v2/race/manifests/v');
  const image = await bed.engine.images.inspect(`${registryName}/race:v`).catch(() => undefined);
  // Whichever came last: both agree.
  expect(status === 404 ? image : headers['docker-content-digest']).toBe(
    status === 404 ? undefined : pushes[0]?.digest,
  );
  expect(image?.Id).toBe(status === 404 ? undefined : pushes[0]?.config.digest);
});

test('deleting a tag takes the image of this machine with it, and no other', async () => {
  await using bed = await makeRegistry();
  await pushImage(bed, 'app', 'v1', 'same');
  const {digest} = await pushImage(bed, 'app', 'v2', 'same');
  await bed.engine.images.tag(`${registryName}/app:v1`, {repository: 'mine', tag: '1'});
  expect((await bed.send('DELETE', '/v2/app/manifests/v1')).status).toBe(202);
  expect((await bed.send('GET', '/v2/app/manifests/v1')).status).toBe(404);
  expect(await namesOf(bed)).toEqual(['mine:1', `${registryName}/app:v2`]);
  expect((await bed.send('DELETE', `/v2/app/manifests/${digest}`)).status).toBe(202);
  expect(refusalOf(await bed.send('GET', '/v2/app/manifests/v2'))).toEqual([404, 'MANIFEST_UNKNOWN']);
  expect(await namesOf(bed)).toEqual(['mine:1']);
});

test('content that is lost is told by a check, and after a repair it is pushed again', async () => {
  await using bed = await makeRegistry({unpack: false});
  const {layer, digest} = await pushImage(bed, 'app', 'v1', 'soon lost');
  const lost = [layer.digest, digest].sort();
  for (const one of lost) rmSync(join(bed.root, 'images/oci/blobs/sha256', one.slice(7)));
  const found = await bed.engine.images.check({repair: false});
  expect(found.faults.map(({kind, subject}) => [kind, subject]).sort()).toEqual(lost.map((one) => ['hosted', one]));
  expect((await bed.engine.images.check({repair: true})).repaired?.left).toEqual([]);
  expect((await bed.send('HEAD', `/v2/app/blobs/${layer.digest}`)).status).toBe(404);
  expect(refusalOf(await bed.send('GET', '/v2/app/manifests/v1'))).toEqual([404, 'MANIFEST_UNKNOWN']);
  await pushImage(bed, 'app', 'v1', 'soon lost');
  expect((await bed.send('GET', `/v2/app/blobs/${layer.digest}`)).status).toBe(200);
  expect((await bed.engine.images.check({repair: false})).faults).toEqual([]);
});

test('nothing is unpacked where that is not wanted', async () => {
  await using bed = await makeRegistry({unpack: false});
  const {digest} = await pushImage(bed, 'app', 'v1', 'only kept');
  expect(await namesOf(bed)).toEqual([]);
  expect(readdirSync(join(bed.root, 'layers'))).toEqual([]);
  expect((await bed.send('HEAD', '/v2/app/manifests/v1')).headers['docker-content-digest']).toBe(digest);
});

test('what is deleted gives its room back, while others push and pull', async () => {
  await using bed = await makeRegistry({unpack: false, keep: {blobsKeptMs: 0, uploadsKeptMs: 1000_000}});
  const stays = await pushImage(bed, 'stays', 'v1', 'stays');
  const goes = await pushImage(bed, 'goes', 'v1', 'goes');
  const waiting = await pushBlob(bed, 'waits', 'its manifest has not come yet');
  const upload = (await bed.send('POST', '/v2/waits/blobs/uploads/')).headers['location'] ?? '';
  expect(blobsOf(bed)).toHaveLength(7);
  await bed.hosting.sweep();
  expect(blobsOf(bed)).toHaveLength(7);
  await bed.send('DELETE', `/v2/goes/manifests/${goes.digest}`);
  // Links are as old as the clock can tell.
  await eventually(async () => {
    await bed.hosting.sweep();
    expect(blobsOf(bed).sort()).toEqual(
      [stays.digest, stays.config.digest, stays.layer.digest, waiting.digest].map((digest) => digest.slice(7)).sort(),
    );
  });
  await bed.send('DELETE', upload);
  await eventually(async () => {
    await bed.hosting.sweep();
    expect(blobsOf(bed)).toHaveLength(3);
  });
  expect((await bed.send('GET', `/v2/stays/blobs/${stays.layer.digest}`)).status).toBe(200);
});

test('pushes, deletions and clearing away at once: what a push was told is there is there', async () => {
  await using bed = await makeRegistry({unpack: false});
  const shared = randomBytes(10_000);
  const push = async (index: number) => {
    const repository = `many/r${index % 3}`;
    const layer = await pushBlob(bed, repository, shared, types.layer);
    const config = await pushBlob(bed, repository, `{"index":${index}}`, types.config);
    await pushManifest(
      bed,
      repository,
      {schemaVersion: 2, mediaType: types.manifest, config, layers: [layer]},
      {reference: `t${index}`},
    );
    if (index % 2 === 0) expect((await bed.send('DELETE', `/v2/${repository}/manifests/t${index}`)).status).toBe(202);
    if (index % 5 === 0) await bed.hosting.sweep();
  };
  await Promise.all(Array.from({length: 30}, (_, index) => push(index)));
  for (let index = 1; index < 30; index += 2) {
    const manifest = await bed.send('GET', `/v2/many/r${index % 3}/manifests/t${index}`);
    const {config} = manifest.json() as {config: {digest: string}};
    expect((await bed.send('GET', `/v2/many/r${index % 3}/blobs/${config.digest}`)).body.toString()).toBe(
      `{"index":${index}}`,
    );
  }
});
