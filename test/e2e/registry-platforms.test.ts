import {mkdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect, test} from 'vitest';
import {archiveOf, type Descriptor, digestOf, makeImage, makeLayout} from '../engine/image/bed.ts';
import {makeHost, type TestHost} from '../support/host.ts';
import {endRegistry, serveRegistry} from '../support/own-registry.ts';
import {skopeo, startRegistry} from '../support/registry.ts';

const within = (host: TestHost) => ['/usr/bin/nsenter', `--net=/run/netns/${host.namespace}`, '--'];

/** Two platforms, and in another index what is attested of the first, as BuildKit does it. */
function writeLayout(host: TestHost): string {
  const layout = makeLayout();
  const image = (architecture: string) =>
    layout.image(
      makeImage({layers: [[{name: 'who', data: Buffer.from(architecture)}]], platform: {architecture, os: 'linux'}}),
      {platform: {os: 'linux', architecture}},
    );
  const platforms = [image('amd64'), image('arm64')] as const;
  const attestation = layout.image(makeImage({layers: [[{name: 'statement', data: Buffer.from('{}')}]]}), {
    platform: {os: 'unknown', architecture: 'unknown'},
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': platforms[0].digest,
    },
  });
  const named = (manifests: readonly Descriptor[], name: string) =>
    layout.index(manifests, {annotations: {'org.opencontainers.image.ref.name': name}});
  const directory = join(host.directory, 'layout');
  const indexes = [named([...platforms, attestation], 'attested'), named(platforms, 'plain')];
  for (const [name, bytes] of layout.finish(indexes)) {
    mkdirSync(dirname(join(directory, name)), {recursive: true});
    writeFileSync(join(directory, name), bytes);
  }
  return directory;
}

/** Debian's docker-registry, or ours: by the name that references have. */
async function openRegistry(host: TestHost, kind: string): Promise<{readonly host: string} & AsyncDisposable> {
  if (kind === 'docker-registry') return await startRegistry({within: within(host)});
  const command = await serveRegistry(host);
  return {host: '127.0.0.1:5000', [Symbol.asyncDispose]: () => endRegistry(command)};
}

/** By its digest, or a tag. */
async function putManifest(host: TestHost, repository: string, text: string, tag: string | undefined) {
  const {mediaType} = JSON.parse(text) as {readonly mediaType: string};
  const digest = digestOf(text);
  const [registry, ...path] = repository.split('/');
  const url = `http://${registry}/v2/${path.join('/')}/manifests/${tag ?? digest}`;
  const words = ['-sfS', '-X', 'PUT', '-H', `content-type: ${mediaType}`, '--data-binary', text, url];
  expect(await host.command('curl', words)).toMatchObject({code: 0, stderr: ''});
  return {mediaType, digest, size: text.length};
}

test.each(['docker-registry', 'our registry'])('images of several platforms and %s', async (kind) => {
  await using host = await makeHost();
  const layout = writeLayout(host);
  await using registry = await openRegistry(host, kind);
  const other = join(host.directory, 'other');
  const env = {TSCOMPOSE_ROOT: join(other, 'root'), TSCOMPOSE_RUN: join(other, 'run')};
  const engine = async (...words: string[]) => {
    const {code, stdout, stderr} = await host.tscompose(['engine', ...words], {env});
    expect({words, code, stderr}).toEqual({words, code: 0, stderr: ''});
    return stdout;
  };
  const fails = async (...words: string[]) => {
    const {code, stderr} = await host.tscompose(['engine', ...words], {env});
    expect({words, code}).toEqual({words, code: 1});
    return stderr;
  };
  const look = async (...words: string[]) => {
    const {code, stdout, stderr} = await skopeo(words, within(host));
    expect({words, code, stderr: code === 0 ? '' : stderr}).toEqual({words, code: 0, stderr: ''});
    return stdout;
  };
  const raw = (path: string) => look('inspect', '--raw', '--tls-verify=false', `docker://${registry.host}/${path}`);
  const put = (name: string, path: string, ...more: string[]) =>
    look(
      ...['copy', '--all', '--dest-tls-verify=false', ...more],
      ...[`oci:${layout}:${name}`, `docker://${registry.host}/${path}`],
    );
  const at = (path: string) => `${registry.host}/${path}`;

  // An index with attestations, and a list of schema 2: the same bytes go on, under all tags.
  await put('attested', 'from/oci:1', '--preserve-digests');
  await put('plain', 'from/list:1', '--format', 'v2s2');
  expect(JSON.parse(await raw('from/list:1')).mediaType).toBe(
    'application/vnd.docker.distribution.manifest.list.v2+json',
  );
  for (const name of ['oci', 'list']) {
    await engine('pull', '-q', '--all-platforms', at(`from/${name}:1`));
    for (const tag of ['1', '2']) await engine('tag', at(`from/${name}:1`), at(`to/${name}:${tag}`));
    await engine('push', '-q', '-a', at(`to/${name}`));
    for (const tag of ['1', '2']) expect(await raw(`to/${name}:${tag}`)).toBe(await raw(`from/${name}:1`));
    // And from there through skopeo, with everything.
    const all = ['copy', '--all', '--src-tls-verify=false', '--dest-tls-verify=false'];
    await look(...all, `docker://${at(`to/${name}:1`)}`, `docker://${at(`third/${name}:1`)}`);
    expect(await raw(`third/${name}:1`)).toBe(await raw(`from/${name}:1`));
  }

  // What the registry has, and who says something about it: by its list, or by a tag where it has none.
  expect(await engine('manifest', 'inspect', '--raw', at('from/oci:1'))).toBe(await raw('from/oci:1'));
  const verbose = JSON.parse(await engine('manifest', 'inspect', '-v', at('from/oci:1'))) as {
    readonly Descriptor: {readonly digest: string; readonly platform?: {readonly architecture: string}};
    readonly OCIManifest: {readonly config?: object};
  }[];
  expect(verbose.map(({Descriptor}) => Descriptor.platform?.architecture)).toEqual(['amd64', 'arm64', 'unknown']);
  expect(JSON.parse(await engine('manifest', 'inspect', at('from/oci:1')))).toEqual(
    JSON.parse(await raw('from/oci:1')),
  );
  expect(JSON.parse(await engine('manifest', 'inspect', '--referrers', at('from/oci:1')))).toEqual([]);
  const {Descriptor: index} = JSON.parse(await engine('manifest', 'inspect', '--platforms', at('from/oci:1')));
  const {digest} = index as {readonly digest: string};
  const report = {
    ...{schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json'},
    ...{artifactType: 'application/vnd.example.report', layers: []},
    config: verbose[0]?.OCIManifest.config,
    subject: {mediaType: 'application/vnd.oci.image.index.v1+json', digest, size: (await raw('from/oci:1')).length},
  };
  const reported = await putManifest(host, at('from/oci'), JSON.stringify(report), undefined);
  if (kind === 'docker-registry') {
    const entry = {...reported, artifactType: report.artifactType};
    const list = {schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [entry]};
    await putManifest(host, at('from/oci'), JSON.stringify(list), digest.replace(':', '-'));
  }
  expect(JSON.parse(await engine('manifest', 'inspect', '--referrers', at('from/oci:1')))).toEqual([
    {...reported, artifactType: report.artifactType},
  ]);

  // Which of it is here, and what becomes of one platform alone.
  const tree = await engine('images', '--tree', at('to/oci:1'));
  expect(tree).toMatch(/^IMAGE +ID +DISK USAGE +CONTENT SIZE +IN USE\n/);
  expect(tree).toMatch(/├─ linux\/amd64 +[0-9a-f]{12} +\d.*\n└─ linux\/arm64 +[0-9a-f]{12} +\d/);
  const [first, second] = JSON.parse(await raw('from/oci:1')).manifests as readonly Descriptor[];
  await engine('push', '-q', '--platform', 'linux/arm64', at('to/oci:2'));
  expect(await raw('to/oci:2')).toBe(await raw(`from/oci@${second?.digest}`));
  const architecture = ['image', 'inspect', '-f', '{{.Architecture}}'];
  expect(await engine(...architecture, '--platform', 'linux/arm64', at('from/oci:1'))).toBe('arm64\n');
  expect(await engine('history', '-q', '--platform', 'linux/amd64', at('from/oci:1'))).toBe('');
  expect(await fails(...architecture, '--platform', 'linux/s390x', at('from/oci:1'))).toContain(
    'does not match the specified platform (linux/s390x)',
  );

  // Deleted there, it cannot be pulled, and is still here.
  await look('delete', '--tls-verify=false', `docker://${at('third/oci:1')}`);
  expect(await fails('pull', at('third/oci:1'))).toMatch(/manifest unknown|is not known|not found/);

  // One name for two platforms that were pulled one after the other.
  await engine('image', 'prune', '-a', '-f');
  for (const platform of ['linux/amd64', 'linux/arm64'])
    await engine('pull', '-q', '--platform', platform, at('from/oci:1'));
  for (const wanted of ['amd64', 'arm64'])
    expect(await engine(...architecture, '--platform', `linux/${wanted}`, at('from/oci:1'))).toBe(`${wanted}\n`);
  expect(await engine('rmi', '--platform', 'linux/amd64', at('from/oci:1'))).toMatch(/^Deleted: sha256:/);
  expect(await engine('images', '--tree', at('from/oci:1'))).toMatch(/├─ linux\/amd64 +[0-9a-f]{12} +not here\n/);
  expect(first?.digest).toMatch(/^sha256:/);
  expect(await engine('rmi', at('from/oci:1'))).toContain(`Untagged: ${at('from/oci:1')}\n`);
  expect(await engine('fsck')).toContain('all whole');
});

test.each(['docker-registry', 'our registry'])(
  'what is about an image is listed once it is pushed, by %s',
  async (kind) => {
    await using host = await makeHost();
    await using registry = await openRegistry(host, kind);
    const engine = async (...words: string[]) => {
      const {code, stdout, stderr} = await host.tscompose(['engine', ...words]);
      expect({words, code, stderr}).toEqual({words, code: 0, stderr: ''});
      return stdout;
    };
    const layout = makeLayout();
    const name = (tag: string) => `${registry.host}/shop/app:${tag}`;
    const named = (tag: string) => ({annotations: {'io.containerd.image.name': name(tag)}});
    const subject = layout.image(makeImage({layers: [[{name: 'app', data: Buffer.from('app')}]]}), named('1'));
    const {annotations: _, ...about} = subject;
    const reports = ['first', 'second'].map((text) => {
      const {id, configuration, layers} = makeImage({layers: [[{name: 'report', data: Buffer.from(text)}]]});
      expect(id).toMatch(/^sha256:/);
      const type = 'application/vnd.oci.image.manifest.v1+json';
      const value = {
        ...{schemaVersion: 2, mediaType: type, artifactType: `application/vnd.example.${text}`, subject: about},
        config: layout.add(configuration, 'application/vnd.oci.image.config.v1+json'),
        layers: layers.map((layer) => layout.add(layer, 'application/vnd.oci.image.layer.v1.tar')),
        annotations: {'org.example.of': text},
      };
      return layout.json(value, type, named(text));
    });
    const files = layout.finish([subject, ...reports]);
    const archive = join(host.directory, 'images.tar');
    writeFileSync(archive, archiveOf(files));
    await engine('load', '-q', '-i', archive);
    for (const tag of ['1', 'first', 'second', 'first']) await engine('push', '-q', name(tag));
    const listed = JSON.parse(await engine('manifest', 'inspect', '--referrers', name('1')));
    expect(listed).toHaveLength(2);
    for (const [index, text] of ['first', 'second'].entries()) {
      const {mediaType, digest, size} = reports[index] ?? subject;
      const artifactType = `application/vnd.example.${text}`;
      expect(listed).toContainEqual({mediaType, digest, size, artifactType, annotations: {'org.example.of': text}});
    }
    const tags = await host.command('curl', ['-sfS', `http://${registry.host}/v2/shop/app/tags/list`]);
    const fallback = subject.digest.replace(':', '-');
    expect(JSON.parse(tags.stdout).tags.includes(fallback)).toBe(kind === 'docker-registry');
    // Another client reads the list.
    if (kind !== 'docker-registry') return;
    const words = ['inspect', '--raw', '--tls-verify=false', `docker://${registry.host}/shop/app:${fallback}`];
    const list = await skopeo(words, within(host));
    expect(JSON.parse(list.stdout).manifests).toHaveLength(2);
  },
);
