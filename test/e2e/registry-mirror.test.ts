import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {endRegistry, serveRegistry} from '../support/own-registry.ts';
import {makeCertificate, skopeo, startRegistry} from '../support/registry.ts';
import {imageArchive} from '../support/test-images.ts';
import {makeUserHost} from '../support/user-host.ts';

const address = '127.0.0.1:5000';
const within = (host: TestHost) => ['/usr/bin/nsenter', `--net=/run/netns/${host.namespace}`, '--'];
const good = {code: 0, stderr: ''};

test('once the other registry is gone, its mirror serves what it has, to new machines and after a restart too', async () => {
  await using host = await makeHost();
  const upstream = await startRegistry({within: within(host)});
  const name = `${upstream.host}/shop/busybox:1`;
  let pulled = '';
  const pull = async (machine: string, what = name) => {
    const place = join(host.directory, machine);
    const settings = join(host.directory, 'registries.json');
    const mirrors = {[upstream.host]: {mirrors: [`http://${address}`], mirrorsOnly: true}};
    writeFileSync(settings, JSON.stringify({registries: mirrors}));
    const env = {
      TSCOMPOSE_ROOT: join(place, 'root'),
      TSCOMPOSE_RUN: join(place, 'run'),
      TSCOMPOSE_REGISTRIES: settings,
    };
    return await host.tscompose(['engine', 'pull', what], {env});
  };
  const words = ['--mirror', upstream.host, '--no-local'];
  {
    await using source = upstream;
    const copy = ['copy', '--dest-tls-verify=false', `docker-archive:${imageArchive('busybox')}`, `docker://${name}`];
    expect(await skopeo(copy, within(host))).toMatchObject({code: 0});
    await using mirror = await serveRegistry(host, words);
    const first = await pull('first');
    expect(first).toMatchObject(good);
    pulled = /Digest: (sha256:\w+)/.exec(first.stdout)?.[1] ?? '';
    await source[Symbol.asyncDispose]();
    // Nobody answers any more: what was asked for a moment ago, and what has to be looked up again.
    expect((await pull('second')).stdout).toContain(`Digest: ${pulled}`);
    const missing = await pull('second', `${upstream.host}/shop/other:1`);
    expect(missing).toMatchObject({code: 69});
    await endRegistry(mirror);
  }
  for (const more of [[], ['--offline']]) {
    await using mirror = await serveRegistry(host, [...words, ...more]);
    const later = await pull(`later${more.length}`);
    expect(later).toMatchObject(good);
    expect(later.stdout).toContain(`Digest: ${pulled}`);
    await endRegistry(mirror);
  }
  expect(host.leftovers()).toEqual([]);
});

test('what mirrors are told is told apart', async () => {
  await using host = await makeHost();
  const words = async (...args: string[]) => {
    const {code, stderr} = await host.tscompose(['registry', 'serve', ...args]);
    return {code, message: stderr.split('\n')[0]};
  };
  for (const alone of [['--mirror-login'], ['--mirror-max-size', '1g'], ['--mirror-max-age', '1h'], ['--offline']]) {
    expect(await words(...alone)).toEqual({
      code: 64,
      message: expect.stringContaining(`${alone[0]} needs --mirror: nothing is asked for without it`),
    });
  }
  expect((await words('--mirror', 'docker.io', '--mirror-max-size', 'much')).message).toContain(
    '--mirror-max-size: "much" is no size',
  );
  await using registry = await serveRegistry(host, ['--mirror', 'quay.io', '--mirror-login']);
  expect(registry.stderr()).toContain('warning: whoever may pull here gets what your logins give at quay.io');
  await endRegistry(registry);
});

test('a certificate that was renewed is served after SIGHUP; one that is none changes nothing', async () => {
  await using host = await makeHost();
  const [first, second] = ['first', 'second'].map((name) => {
    mkdirSync(join(host.directory, name));
    return makeCertificate(join(host.directory, name));
  });
  const [cert, key] = [join(host.directory, 'cert.pem'), join(host.directory, 'key.pem')];
  const install = async (from: typeof first) => {
    for (const [source, target] of [
      [from?.file ?? '', cert],
      [from?.key ?? '', key],
    ] as const)
      expect(await host.command('cp', [source, target])).toMatchObject(good);
  };
  await install(first);
  await using registry = await serveRegistry(host, [
    ...['--listen', '127.0.0.1:5443', '--tls-cert', cert, '--tls-key', key],
  ]);
  const isTrusted = async (by: typeof first) =>
    (await host.command('curl', ['-sf', '--cacert', by?.file ?? '', 'https://localhost:5443/v2/'])).code === 0;
  expect([await isTrusted(first), await isTrusted(second)]).toEqual([true, false]);
  await install(second);
  process.kill(registry.pid, 'SIGHUP');
  await eventually(() => expect(registry.stdout()).toContain('the certificate was read again'));
  expect([await isTrusted(first), await isTrusted(second)]).toEqual([false, true]);
  writeFileSync(cert, 'nothing');
  process.kill(registry.pid, 'SIGHUP');
  await registry.says('warning: the certificate stays as it was: the certificate and its key cannot be used');
  expect(await isTrusted(second)).toBe(true);
  await endRegistry(registry);
});

test('a user without any right serves a registry: what is pushed is an image of theirs, and all of it is theirs', async () => {
  await using host = await makeUserHost();
  await host.loadImages(['busybox']);
  let end = () => {};
  const served = host.tscompose(['registry', 'serve'], {
    onSpawn: (child) => {
      end = () => void child.kill('SIGTERM');
    },
  });
  try {
    await eventually(async () =>
      expect(await host.command('curl', ['-sf', `http://${address}/v2/`])).toMatchObject(good),
    );
    const elsewhere = {
      TSCOMPOSE_ROOT: join(host.directory, 'other/root'),
      TSCOMPOSE_RUN: join(host.directory, 'other/run'),
    };
    const engine = async (env: Readonly<Record<string, string>>, ...words: string[]) => {
      const {code, stdout, stderr} = await host.tscompose(['engine', ...words], {env});
      expect({words, code, stderr}).toEqual({words, code: 0, stderr: ''});
      return stdout;
    };
    await engine(elsewhere, 'pull', '-q', `${address}/busybox:latest`);
    await engine(elsewhere, 'tag', `${address}/busybox:latest`, `${address}/team/mine:1`);
    await engine(elsewhere, 'push', '-q', `${address}/team/mine:1`);
    const id = ['image', 'inspect', '-f', '{{.Id}}'];
    expect(await engine({}, ...id, `${address}/team/mine:1`)).toBe(await engine({}, ...id, 'busybox'));
    writeFileSync(
      join(host.directory, 'compose.yaml'),
      'services: {one: {image: "127.0.0.1:5000/team/mine:1", command: [echo, pushed], network_mode: none}}\n',
    );
    expect((await host.tscompose(['up'])).stdout).toContain('pushed');
    expect((await host.tscompose(['down'])).code).toBe(0);
    const wanted = ['-ignore_readdir_race', '!', '-user', String(host.userId)];
    const owners = await host.asRoot('find', [host.root, ...wanted]);
    expect(owners).toMatchObject({code: 0, stdout: ''});
  } finally {
    end();
  }
  expect((await served).code).toBe(0);
  await eventually(() => expect(host.leftovers()).toEqual([]));
});
