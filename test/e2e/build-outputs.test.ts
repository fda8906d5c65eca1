import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {makeHost, projectDirectory, type TestHost} from '../support/host.ts';
import {skopeo, startRegistry, type TestRegistry} from '../support/registry.ts';
import {loadImages} from '../support/test-images.ts';

let host: TestHost;
let registry: TestRegistry;
const within = () => ['nsenter', `--net=/run/netns/${host.namespace}`];
const place = (...names: readonly string[]) => join(host.directory, 'context', ...names);
const run = (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  host.tscompose(words, {cwd: place(), env});
const build = (words: readonly string[], env?: Readonly<Record<string, string>>) =>
  run(['engine', 'build', ...words, '.'], env);

/** The document that skopeo gets of a place. */
async function inspected(words: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const {code, stdout, stderr} = await skopeo(['inspect', ...words], within());
  expect({code, stderr: code === 0 ? '' : stderr}).toEqual({code: 0, stderr: ''});
  return JSON.parse(stdout);
}

const own = process.arch === 'arm64' ? 'arm64' : 'amd64';
const other = own === 'arm64' ? 'amd64' : 'arm64';

beforeAll(async () => {
  host = await makeHost();
  registry = await startRegistry({within: within()});
  await loadImages(host, ['busybox']);
  mkdirSync(place());
  writeFileSync(
    place('Dockerfile'),
    `FROM --platform=$BUILDPLATFORM busybox AS tools
ARG TARGETARCH
RUN --network=none echo $TARGETARCH > /for
FROM scratch
COPY --from=tools /for /for
`,
  );
});

afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  const left = host.leftovers();
  await host[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

test('what is pushed for several platforms, with provenance, other tools read', async () => {
  const name = `${registry.host}/shop/many:1`;
  const words = ['--platform', `linux/${own},linux/${other}`, '--provenance=mode=max', '--annotation', 'index:a=b'];
  const built = await build([...words, '--push', '-t', name, '--metadata-file', 'metadata.json', '--iidfile', 'id']);
  expect({code: built.code, stderr: built.code === 0 ? '' : built.stderr}).toEqual({code: 0, stderr: ''});
  const metadata = JSON.parse(readFileSync(place('metadata.json'), 'utf8'));
  expect(metadata['image.name']).toBe(name);
  expect(readFileSync(place('id'), 'utf8')).toBe(metadata['containerimage.digest']);
  expect(Object.keys(metadata)).toEqual([
    'buildx.build.provenance/linux/amd64',
    'buildx.build.provenance/linux/arm64',
    'buildx.build.ref',
    'containerimage.descriptor',
    'containerimage.digest',
    'image.name',
  ]);

  const index = await inspected(['--raw', '--tls-verify=false', `docker://${name}`]);
  expect(index).toMatchObject({
    mediaType: 'application/vnd.oci.image.index.v1+json',
    annotations: {a: 'b'},
    manifests: [
      {platform: {architecture: own}},
      {platform: {architecture: other}},
      {annotations: {'vnd.docker.reference.type': 'attestation-manifest'}},
      {annotations: {'vnd.docker.reference.type': 'attestation-manifest'}},
    ],
  });
  for (const architecture of [own, other]) {
    const found = ['--override-arch', architecture, '--tls-verify=false', `docker://${name}`];
    expect(await inspected(found)).toMatchObject({Architecture: architecture, Os: 'linux'});
  }
  const copied = await skopeo(
    ['copy', '--all', '--src-tls-verify=false', `docker://${name}`, `oci:${place('copied')}:1`],
    within(),
  );
  expect(copied).toMatchObject({code: 0});
  // Here the name stands for all of it, too: it has one line in lists, and is gone with one removal.
  const images = (await run(['engine', 'images', '--format', '{{.Repository}}'])).stdout.trim().split('\n').sort();
  expect(images).toEqual([`${registry.host}/shop/many`, 'busybox', 'tscompose/host']);
  expect(await run(['engine', 'rmi', name])).toMatchObject({code: 0});
  expect(await run(['engine', 'fsck'])).toMatchObject({code: 0});
});

test('an image below is pulled for the platform that is asked for, and the name stays as it is', async () => {
  const name = `${registry.host}/shop/base:1`;
  const platforms = `linux/${own},linux/${other}`;
  expect(await build(['--platform', platforms, '--push', '-t', name])).toMatchObject({code: 0});
  expect(await run(['engine', 'rmi', name])).toMatchObject({code: 0});
  expect(await run(['engine', 'pull', '-q', name])).toMatchObject({code: 0});
  writeFileSync(place('Upon'), `FROM ${name}\nARG TARGETPLATFORM\nLABEL for=$TARGETPLATFORM\n`);
  const upon = ['-f', 'Upon', '--platform', platforms, '-o', 'type=oci,dest=upon,tar=false', '-t', 'upon:1'];
  const built = await build(upon);
  expect({code: built.code, stderr: built.code === 0 ? '' : built.stderr}).toEqual({code: 0, stderr: ''});
  for (const architecture of [own, other]) {
    const config = await inspected(['--config', '--override-arch', architecture, `oci:${place('upon')}:1`]);
    expect(config).toMatchObject({architecture, config: {Labels: {for: `linux/${architecture}`}}});
  }
  const {stdout} = await run(['engine', 'image', 'inspect', name]);
  expect(JSON.parse(stdout)).toMatchObject([{Architecture: own}]);
});

test('archives come to standard output, and are loaded again', async () => {
  const line = '"$0" "$1" engine build -t piped:1 -o type=docker,dest=- . > piped.tar';
  const words = ['-c', line, process.execPath, join(projectDirectory, 'dist/cli.cjs')];
  const {code, stderr} = await host.command('sh', words, {cwd: place(), env: host.env});
  expect({code, stderr: code === 0 ? '' : stderr}).toEqual({code: 0, stderr: ''});
  // Where it was on the way is nobody's business.
  expect(stderr).not.toContain('wrote');
  expect((await run(['engine', 'load', '-i', 'piped.tar'])).stdout).toContain('piped:1');
  expect((await inspected(['--config', `docker-archive:${place('piped.tar')}`]))['architecture']).toBe(own);
});

test('SOURCE_DATE_EPOCH of the environment is that of the build', async () => {
  const words = ['-q', '--no-cache', '-o', 'type=oci,dest=dated.tar,rewrite-timestamp=true', '-t', 'dated:1'];
  const dated = async () => {
    expect(await build(words, {SOURCE_DATE_EPOCH: '1000000000'})).toMatchObject({code: 0});
    return readFileSync(place('dated.tar'));
  };
  expect((await dated()).equals(await dated())).toBe(true);
  const config = await inspected(['--config', `oci-archive:${place('dated.tar')}`]);
  expect(config).toMatchObject({created: '2001-09-09T01:46:40Z'});
});

test('outputs and attestations that cannot be made are wrong use', async () => {
  const refused = async (words: readonly string[]) => {
    const {code, stderr} = await build(words);
    return [code, stderr.split('\n')[0]];
  };
  expect(await refused(['-o', 'type=image,unpack=false'])).toEqual([
    65,
    expect.stringContaining('"unpack" is not supported: an image is unpacked as it is made'),
  ]);
  expect(await refused(['--sbom=true'])).toEqual([65, expect.stringContaining('(sbom) cannot be attested')]);
  expect(await refused(['-o', 'type=tar', '-o', 'type=oci'])).toEqual([64, expect.stringContaining('where to')]);
  expect(await refused(['-o', '-', '-o', 'type=oci'])).toEqual([64, expect.stringContaining('two outputs')]);
  expect(readdirSync(place())).not.toContain('-');
});

test('a stack builds for its platforms and pushes them', async () => {
  writeFileSync(
    place('compose.yaml'),
    `name: outputs
services:
  app:
    image: ${registry.host}/shop/stack:1
    build:
      context: .
      platforms: [linux/${own}, linux/${other}]
      provenance: mode=min
      tags: ["${registry.host}/shop/stack:2"]
      labels: {word: said}
`,
  );
  const built = await run(['build']);
  expect({code: built.code, stderr: built.code === 0 ? '' : built.stderr}).toEqual({code: 0, stderr: ''});
  expect(await run(['push'])).toMatchObject({code: 0});
  const index = await inspected(['--raw', '--tls-verify=false', `docker://${registry.host}/shop/stack:1`]);
  expect(index['manifests']).toHaveLength(4);
  const config = ['--config', '--override-arch', other, '--tls-verify=false'];
  expect(await inspected([...config, `docker://${registry.host}/shop/stack:1`])).toMatchObject({
    config: {Labels: {word: 'said'}},
  });

  expect(await run(['build'], {SOURCE_DATE_EPOCH: '1000000000'})).toMatchObject({code: 0});
  const {stdout} = await run(['engine', 'image', 'inspect', `${registry.host}/shop/stack:2`]);
  expect(JSON.parse(stdout)).toMatchObject([{Created: '2001-09-09T01:46:40Z', Architecture: own}]);
});
