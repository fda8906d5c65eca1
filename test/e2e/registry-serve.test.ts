import {createHash, randomBytes} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {hashSync} from 'bcryptjs';
import {expect, test} from 'vitest';
import {type CommandResult, eventually, makeHost, type TestHost} from '../support/host.ts';
import {endRegistry, serveRegistry} from '../support/own-registry.ts';
import {randomNumbers} from '../support/random.ts';
import {makeCertificate, skopeo} from '../support/registry.ts';
import {loadImages} from '../support/test-images.ts';
import {startCommand} from '../support/watching.ts';

const address = '127.0.0.1:5000';

/** A word on the host's network; standard output. */
async function curl(host: TestHost, path: string, args: readonly string[] = []): Promise<string> {
  const result = await host.command('curl', ['-sS', ...args, `http://${address}${path}`]);
  expect({code: result.code, stderr: result.stderr}).toEqual({code: 0, stderr: ''});
  return result.stdout;
}

const inNamespace = (host: TestHost) => ['/usr/bin/nsenter', `--net=/run/netns/${host.namespace}`, '--'];

async function copy(host: TestHost, from: string, to: string, args: readonly string[] = []): Promise<CommandResult> {
  const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  const result = await skopeo(['copy', ...insecure, ...args, from, to], inNamespace(host));
  expect({code: result.code, stderr: result.code === 0 ? '' : result.stderr}).toEqual({code: 0, stderr: ''});
  return result;
}

async function inspectRaw(host: TestHost, image: string): Promise<string> {
  const {code, stdout, stderr} = await skopeo(['inspect', '--raw', '--tls-verify=false', image], inNamespace(host));
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  return stdout;
}

test('an image goes through skopeo to the registry and back, as schema 2 and as OCI, and what came in runs', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const layout = join(host.directory, 'layout');
  {
    await using registry = await serveRegistry(host);
    expect(registry.stdout()).toBe(`listening at http://${address}\n`);
    await copy(host, `docker://${address}/busybox:latest`, `oci:${layout}:out`);
    for (const format of ['v2s2', 'oci']) {
      await copy(host, `oci:${layout}:out`, `docker://${address}/copies/${format}:1`, ['--format', format]);
      const manifest = JSON.parse(await inspectRaw(host, `docker://${address}/copies/${format}:1`));
      expect(manifest.mediaType).toBe(
        format === 'oci'
          ? 'application/vnd.oci.image.manifest.v1+json'
          : 'application/vnd.docker.distribution.manifest.v2+json',
      );
      writeFileSync(
        join(host.directory, 'compose.yaml'),
        `services: {one: {image: "${address}/copies/${format}:1", command: [echo, "from ${format}"], network_mode: none}}\n`,
      );
      const up = await host.tscompose(['up']);
      expect({code: up.code, text: up.stdout}).toMatchObject({
        code: 0,
        text: expect.stringContaining(`from ${format}`),
      });
      expect((await host.tscompose(['down'])).code).toBe(0);
    }
    expect(JSON.parse(await curl(host, '/v2/_catalog'))).toEqual({
      repositories: ['busybox', 'copies/oci', 'copies/v2s2'],
    });
    const removed = await skopeo(
      ['delete', '--tls-verify=false', `docker://${address}/copies/oci:1`],
      inNamespace(host),
    );
    expect({code: removed.code, stderr: removed.stderr}).toEqual({code: 0, stderr: ''});
    expect((await host.tscompose(['images', '--all', '--format', 'json'])).stdout).not.toContain('copies/oci');
    await eventually(() =>
      expect(registry.stdout()).toMatch(/ - "PUT \/v2\/copies\/oci\/manifests\/1" 201 0 B \d+ ms\n/),
    );
    await endRegistry(registry);
  }
  expect(host.leftovers()).toEqual([]);
});

test('an index goes with all its platforms from one repository to another, and back', async () => {
  await using host = await makeHost();
  await using registry = await serveRegistry(host);
  const base = `docker://${address}`;
  const platforms = ['amd64', 'arm64'].map((architecture) => pushImage(host, 'from/parts', architecture));
  const manifests = await Promise.all(platforms);
  const index = JSON.stringify({schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests});
  await put(host, '/v2/from/parts/manifests/all', index, 'application/vnd.oci.image.index.v1+json');
  await copy(host, `${base}/from/parts:all`, `${base}/to/parts:all`, ['--all']);
  expect(await inspectRaw(host, `${base}/to/parts:all`)).toBe(index);
  const layout = join(host.directory, 'all');
  await copy(host, `${base}/to/parts:all`, `oci:${layout}:all`, ['--all']);
  await copy(host, `oci:${layout}:all`, `${base}/back/parts:all`, ['--all', '--preserve-digests']);
  expect(await inspectRaw(host, `${base}/back/parts:all`)).toBe(index);
  await endRegistry(registry);
});

const digestOf = (bytes: string | Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function put(host: TestHost, path: string, body: string | Uint8Array, type: string): Promise<void> {
  const file = join(host.directory, `body-${randomBytes(4).toString('hex')}`);
  writeFileSync(file, body);
  await curl(host, path, ['-f', '-X', 'PUT', '-H', `content-type: ${type}`, '--data-binary', `@${file}`]);
}

/** An image without layers: enough for what only passes it on. */
async function pushImage(host: TestHost, repository: string, architecture: string) {
  const blob = async (content: string, mediaType: string) => {
    const digest = digestOf(content);
    await curl(host, `/v2/${repository}/blobs/uploads/?digest=${digest}`, [
      '-f',
      '-X',
      'POST',
      '--data-binary',
      content,
    ]);
    return {mediaType, digest, size: content.length};
  };
  const configuration = {architecture, os: 'linux', rootfs: {type: 'layers', diff_ids: []}, history: []};
  const config = await blob(JSON.stringify(configuration), 'application/vnd.oci.image.config.v1+json');
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = JSON.stringify({schemaVersion: 2, mediaType, config, layers: []});
  await put(host, `/v2/${repository}/manifests/${digestOf(manifest)}`, manifest, mediaType);
  return {mediaType, digest: digestOf(manifest), size: manifest.length, platform: {os: 'linux', architecture}};
}

test.each(['basic', 'token'])('with TLS and passwords, by %s', async (auth) => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const {file, key} = makeCertificate(host.directory);
  writeFileSync(join(host.directory, 'users'), `ada:${hashSync('lovelace', 5)}\n`);
  await using registry = await serveRegistry(host, [
    '--listen',
    '127.0.0.1:5443',
    '--tls-cert',
    file,
    '--tls-key',
    key,
    '--htpasswd',
    'users',
    '--auth',
    auth,
  ]);
  expect(registry.stdout()).toBe('listening at https://127.0.0.1:5443\n');
  const image = 'docker://localhost:5443/busybox:latest';
  const certificates = join(host.directory, 'certificates');
  await host.command('mkdir', [certificates]);
  await host.command('cp', [file, join(certificates, 'ca.crt')]);
  const inspect = (...args: readonly string[]) =>
    skopeo(['inspect', '--cert-dir', certificates, ...args, image], inNamespace(host));
  expect((await inspect('--no-creds')).stderr).toContain('authentication required');
  expect((await inspect('--creds', 'ada:wrong')).code).not.toBe(0);
  const right = await inspect('--creds', 'ada:lovelace');
  expect({code: right.code, stderr: right.stderr}).toEqual({code: 0, stderr: ''});
  const pushed = await skopeo(
    [
      'copy',
      '--src-cert-dir',
      certificates,
      '--dest-cert-dir',
      certificates,
      '--src-creds',
      'ada:lovelace',
      '--dest-creds',
      'ada:lovelace',
      image,
      'docker://localhost:5443/team/copy:1',
    ],
    inNamespace(host),
  );
  expect({code: pushed.code, stderr: pushed.stderr}).toEqual({code: 0, stderr: ''});
  await eventually(() => expect(registry.stdout()).toMatch(/ ada "PUT \/v2\/team\/copy\/manifests\/1" 201 /));
  await endRegistry(registry);
});

test('killed in the middle of a push, it goes on where it was, and the store has nothing that is broken', async () => {
  await using host = await makeHost();
  // So much, and so slowly, that each of three parts is cut off, however late it is looked at.
  const content = randomBytes(16 * 1024 * 1024);
  const file = join(host.directory, 'content');
  writeFileSync(file, content);
  let first = await serveRegistry(host);
  const kill = async () => {
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    await first[Symbol.asyncDispose]();
    first = await serveRegistry(host);
  };
  try {
    const head = await curl(host, '/v2/app/blobs/uploads/', ['-X', 'POST', '-D', '-']);
    const location = /^location: (\S+)/im.exec(head)?.[1] ?? '';
    const sizeNow = async () => {
      const range = /^range: 0-(\d+)/im.exec(await curl(host, location, ['-D', '-']))?.[1];
      return range === undefined ? undefined : Number(range) + 1;
    };
    for (const seed of [1, 2, 3]) {
      const from = (await sizeNow()) ?? 0;
      const start = from === 1 ? 0 : from;
      const rest = join(host.directory, 'rest');
      writeFileSync(rest, content.subarray(start));
      const sending = startCommandOf(host, [
        '-sS',
        '--limit-rate',
        '400K',
        '-X',
        'PATCH',
        '-T',
        rest,
        `http://${address}${location}`,
      ]);
      await eventually(async () => expect(await sizeNow()).toBeGreaterThan(start + seed * 100_000));
      await kill();
      await sending;
    }
    const start = (await sizeNow()) ?? 0;
    expect(start).toBeGreaterThan(600_000);
    writeFileSync(join(host.directory, 'rest'), content.subarray(start));
    const done = await curl(host, `${location}?digest=${digestOf(content)}`, [
      '-D',
      '-',
      '-X',
      'PUT',
      '-T',
      join(host.directory, 'rest'),
    ]);
    expect(done).toMatch(/^HTTP\/1\.1 201 /m);
    await kill();
    const got = join(host.directory, 'got');
    await curl(host, `/v2/app/blobs/${digestOf(content)}`, ['-f', '-o', got]);
    expect((await host.command('cmp', [file, got])).code).toBe(0);
    expect((await host.tscompose(['engine', 'fsck'])).code).toBe(0);
    await endRegistry(first);
  } finally {
    await first[Symbol.asyncDispose]();
  }
  // Helpers of those that were killed end by themselves.
  await eventually(() => expect(host.leftovers()).toEqual([]));
});

test('another engine has it as its mirror of Docker’s registry, and pulls what is here by its usual name', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  await using registry = await serveRegistry(host, ['--read-only']);
  const registries = join(host.directory, 'registries.json');
  const mirrors = {'docker.io': {mirrors: [`http://${address}`], mirrorsOnly: true}};
  writeFileSync(registries, JSON.stringify({registries: mirrors}));
  const other = join(host.directory, 'other');
  const env = {
    TSCOMPOSE_ROOT: join(other, 'root'),
    TSCOMPOSE_RUN: join(other, 'run'),
    TSCOMPOSE_REGISTRIES: registries,
  };
  const pull = await host.tscompose(['engine', 'pull', 'busybox'], {env});
  expect({code: pull.code, stderr: pull.code === 0 ? '' : pull.stderr}).toEqual({code: 0, stderr: ''});
  const idOf = async (more: Readonly<Record<string, string>>) =>
    (
      JSON.parse((await host.tscompose(['engine', 'image', 'inspect', 'busybox'], {env: more})).stdout) as {
        Id: string;
      }[]
    )[0]?.Id;
  expect(await idOf(env)).toBe(await idOf({}));
  await endRegistry(registry);
});

const seed = Number(process.env['TSCOMPOSE_TEST_SEED'] ?? Date.now() % 1_000_000);

test(`killed at random moments while images come in, the store stays whole, and the next push succeeds (TSCOMPOSE_TEST_SEED=${seed})`, {
  timeout: 240_000,
}, async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const layout = join(host.directory, 'layout');
  {
    await using registry = await serveRegistry(host);
    await copy(host, `docker://${address}/busybox:latest`, `oci:${layout}:out`);
    await endRegistry(registry);
  }
  expect((await host.tscompose(['engine', 'image', 'rm', 'busybox'])).code).toBe(0);
  const random = randomNumbers(seed);
  const target = `docker://${address}/kills:1`;
  for (let round = 0; round < 6; round += 1) {
    await using registry = await serveRegistry(host);
    const pushing = skopeo(
      ['copy', '--dest-tls-verify=false', '--retry-times', '0', `oci:${layout}:out`, target],
      inNamespace(host),
    );
    await eventually(() => expect(registry.stdout()).toContain('/v2/kills/'));
    await delay(random() * 400);
    process.kill(registry.pid, 'SIGKILL');
    await Promise.all([registry.exited, pushing]);
    const check = await host.tscompose(['engine', 'fsck']);
    expect({round, code: check.code, text: check.code === 0 ? '' : check.stdout + check.stderr}).toEqual({
      round,
      code: 0,
      text: '',
    });
  }
  await using registry = await serveRegistry(host);
  await copy(host, `oci:${layout}:out`, target);
  await copy(host, target, `oci:${join(host.directory, 'again')}:out`);
  expect((await host.tscompose(['engine', 'image', 'inspect', `${address}/kills:1`])).code).toBe(0);
  await endRegistry(registry);
  expect((await host.tscompose(['engine', 'fsck'])).code).toBe(0);
  await eventually(() => expect(host.leftovers()).toEqual([]));
});

/** Ends by itself when its registry is killed. */
async function startCommandOf(host: TestHost, args: readonly string[]): Promise<void> {
  await host.command('curl', args);
}

test('what it cannot do is said before it listens', async () => {
  await using host = await makeHost();
  const failing = async (...args: readonly string[]) => {
    const {code, stdout, stderr} = await host.tscompose(['registry', 'serve', ...args]);
    return {code, text: `${stdout}${stderr}`};
  };
  expect(await failing('--listen', 'nowhere')).toMatchObject({
    code: 64,
    text: expect.stringContaining('cannot listen at "nowhere"'),
  });
  expect(await failing('--listen', '127.0.0.1:0')).toMatchObject({code: 64});
  expect(await failing('--name', 'docker.io')).toMatchObject({
    code: 64,
    text: expect.stringContaining('"docker.io" cannot be the name of this registry'),
  });
  expect(await failing('--tls-cert', 'x')).toMatchObject({
    code: 64,
    text: expect.stringContaining('--tls-cert and --tls-key belong together'),
  });
  expect(await failing('--anonymous-pull')).toMatchObject({
    code: 64,
    text: expect.stringContaining('--anonymous-pull needs --htpasswd'),
  });
  expect(await failing('--htpasswd', 'absent')).toMatchObject({
    code: 1,
    text: expect.stringContaining('absent: no such file'),
  });
  expect(await failing('--max-blob-size', '-1')).toMatchObject({
    code: 64,
    text: expect.stringContaining('"-1" is no size'),
  });
  expect(await failing('--max-uploads', '0')).toMatchObject({code: 64});
  writeFileSync(join(host.directory, 'none.pem'), 'no certificate');
  expect(await failing('--tls-cert', 'none.pem', '--tls-key', 'none.pem')).toMatchObject({
    code: 65,
    text: expect.stringContaining('the certificate and its key cannot be used'),
  });
  await using registry = await serveRegistry(host, ['--listen', '0.0.0.0:5000']);
  expect(registry.stderr()).toBe(
    'warning: whoever reaches this registry may push to it, since there is no --htpasswd\n',
  );
  await using second = startCommand(host, ['registry', 'serve']);
  expect(await second.exited).toBe(1);
  expect(second.stderr()).toContain('cannot listen at 127.0.0.1:5000: something else listens there');
  await endRegistry(registry);
});
