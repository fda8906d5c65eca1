import {readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {dockerEnvironment, missingDocker} from '../support/docker-cli.ts';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {type RegistryOptions, skopeo, startRegistry} from '../support/registry.ts';
import {openTerminal} from '../support/terminal.ts';
import {imageArchive, loadImages} from '../support/test-images.ts';
import {startCommand} from '../support/watching.ts';

const within = (host: TestHost) => ['nsenter', `--net=/run/netns/${host.namespace}`];
const registryFor = (host: TestHost, options: RegistryOptions = {}) =>
  startRegistry({...options, within: within(host)});
const good = {code: 0, stderr: ''};

const push = (host: TestHost, name: string) => host.tscompose(['engine', 'push', name]);

test('what skopeo pushes is pulled, what is pushed skopeo reads', async () => {
  await using host = await makeHost();
  await using registry = await registryFor(host);
  const name = `${registry.host}/shop/busybox:1`;
  const copy = ['copy', '--dest-tls-verify=false', `docker-archive:${imageArchive('busybox')}`, `docker://${name}`];
  expect(await skopeo(copy, within(host))).toMatchObject({code: 0});

  const pulled = await host.tscompose(['engine', 'pull', name]);
  expect(pulled).toMatchObject(good);
  expect(pulled.stdout).toContain(`Status: Downloaded newer image for ${name}\n`);
  const again = await host.tscompose(['engine', 'pull', name]);
  expect(again.stdout).toContain(`Status: Image is up to date for ${name}\n`);
  const digest = /Digest: (sha256:[0-9a-f]{64})/.exec(pulled.stdout)?.[1];
  expect(await host.tscompose(['engine', 'pull', '-q', `${registry.host}/shop/busybox@${digest}`])).toMatchObject({
    ...good,
    stdout: `${registry.host}/shop/busybox@${digest}\n`,
  });
  expect(await host.tscompose(['engine', 'pull', '-q', '-a', `${registry.host}/shop/busybox`])).toMatchObject({
    ...good,
    stdout: `${registry.host}/shop/busybox\n`,
  });
  expect(await host.tscompose(['engine', 'pull', '-a', name])).toMatchObject({
    code: 64,
    stderr: expect.stringContaining(`"${name}" has a tag or digest: with --all-tags it must have none`),
  });

  // The same bytes go back.
  const pushed = await push(host, name);
  expect(pushed).toMatchObject(good);
  expect(pushed.stdout).toContain(`1: digest: ${digest} `);
  expect(pushed.stdout).toContain('Layer already exists');
});

test('an image that was made here is pushed, once compressed, and is the same everywhere', async () => {
  await using host = await makeHost();
  await using registry = await registryFor(host);
  const name = `${registry.host}/made:1`;
  const archive = join(host.directory, 'root.tar');
  writeFileSync(join(host.directory, 'hello'), 'hello');
  expect(await host.command('tar', ['-C', host.directory, '-cf', archive, 'hello'])).toMatchObject({code: 0});
  expect(await host.tscompose(['load', '--import', name, '-i', archive])).toMatchObject({code: 0});
  expect(await host.tscompose(['engine', 'tag', name, 'local:1'])).toMatchObject({code: 0});
  const first = await push(host, name);
  expect(first).toMatchObject(good);
  expect(first.stdout).toMatch(/: Pushed\n/);
  const digest = /digest: (sha256:[0-9a-f]{64})/.exec(first.stdout)?.[1] ?? '';
  const second = await push(host, name);
  expect(second.stdout).toContain(digest);
  expect(second.stdout).not.toMatch(/: Pushed\n/);

  const inspected = await skopeo(['inspect', '--tls-verify=false', `docker://${name}`], within(host));
  expect(JSON.parse(inspected.stdout)).toMatchObject({Digest: digest, RepoTags: ['1'], Os: 'linux'});
  const copied = await skopeo(
    ['copy', '--src-tls-verify=false', `docker://${name}`, `oci:${host.directory}/layout`],
    within(host),
  );
  expect(copied).toMatchObject({code: 0});

  const manifest = await host.tscompose(['engine', 'manifest', 'inspect', '--platforms', name]);
  expect(JSON.parse(manifest.stdout)).toMatchObject({Descriptor: {digest}, Platforms: [{os: 'linux'}]});
  const raw = await host.tscompose(['engine', 'manifest', 'inspect', '--raw', name]);
  const indented = await host.tscompose(['engine', 'manifest', 'inspect', name]);
  expect(indented.stdout).toBe(`${JSON.stringify(JSON.parse(raw.stdout), null, '\t')}\n`);
  const verbose = await host.tscompose(['engine', 'manifest', 'inspect', '-v', name]);
  expect(JSON.parse(verbose.stdout)).toMatchObject({
    ...{Ref: name, Descriptor: {digest, platform: {os: 'linux'}}},
    ...{Raw: Buffer.from(raw.stdout).toString('base64'), OCIManifest: JSON.parse(raw.stdout)},
  });
  // What is known of a push alone is enough for another repository to take the layers over.
  const [next, other] = [`${registry.host}/next:1`, `${registry.host}/other:1`];
  for (const words of [
    ['rmi', name],
    ['tag', 'local:1', next],
  ])
    expect(await host.tscompose(['engine', ...words])).toMatchObject({code: 0});
  expect(await push(host, next)).toMatchObject(good);
  expect(await host.tscompose(['engine', 'tag', 'local:1', other])).toMatchObject({code: 0});
  expect((await push(host, other)).stdout).toContain(': Mounted from next\n');
  const search = await host.tscompose(['engine', 'search', '--format', '{{.Name}}', `${registry.host}/ad`]);
  expect(search).toMatchObject({...good, stdout: 'made\n'});
});

test('a registry with TLS and passwords: login, push, pull, logout', async () => {
  await using host = await makeHost();
  await using registry = await registryFor(host, {tls: true, htpasswd: true});
  const settings = join(host.directory, 'registries.json');
  writeFileSync(settings, JSON.stringify({registries: {[registry.host]: {ca: registry.certificateFile}}}));
  const env = {TSCOMPOSE_REGISTRIES: settings};
  const configuration = join(host.env['HOME'] ?? '', '.docker/config.json');
  const run = (words: readonly string[], input = '') => host.tscompose(words, {env, input});
  await loadImages(host, ['busybox']);
  const name = `${registry.host}/box:1`;

  const refused = await run(['engine', 'pull', name]);
  expect(refused).toMatchObject({
    code: 1,
    stderr: `error: registry ${registry.host}: no basic auth credentials\nhint: log in: tscompose engine login ${registry.host}\n`,
  });
  const login = ['engine', 'login', '-u', 'ada', '--password-stdin', registry.host];
  expect(await run(login, 'wrong\n')).toMatchObject({
    code: 1,
    stderr: `error: registry ${registry.host}: unauthorized: incorrect username or password\n`,
  });
  expect(await run(login, 'lovelace\n')).toMatchObject({code: 0, stdout: 'Login Succeeded\n'});
  expect(JSON.parse(readFileSync(configuration, 'utf8'))).toEqual({
    auths: {[registry.host]: {auth: Buffer.from('ada:lovelace').toString('base64')}},
  });
  expect(statSync(configuration).mode & 0o777).toBe(0o600);
  expect(await run(['engine', 'login', registry.host])).toMatchObject({code: 0, stdout: 'Login Succeeded\n'});

  const copy = ['copy', '--dest-creds=ada:lovelace', '--dest-tls-verify=false'];
  const source = `docker-archive:${imageArchive('busybox')}`;
  expect(await skopeo([...copy, source, `docker://${name}`], within(host))).toMatchObject({code: 0});
  expect(await run(['engine', 'pull', name])).toMatchObject(good);
  expect(await run(['engine', 'push', name])).toMatchObject(good);

  // Without the authority's certificate nothing is sent.
  expect(
    await host.tscompose(['engine', 'pull', name], {env: {TSCOMPOSE_REGISTRIES: strict(host, registry.host)}}),
  ).toMatchObject({code: 1, stderr: expect.stringContaining('its certificate is not trusted')});
  expect(await run(['engine', 'logout', registry.host])).toMatchObject({
    ...good,
    stdout: `Removed the credentials for ${registry.host}\n`,
  });
  expect(await run(['engine', 'pull', name])).toMatchObject({code: 1});
});

/** Settings under which not even a registry on this machine is believed. */
function strict(host: TestHost, registry: string): string {
  const path = join(host.directory, 'strict.json');
  writeFileSync(path, JSON.stringify({registries: {[registry]: {insecure: false}}}));
  return path;
}

test('a mirror is asked first, and the registry itself where it has nothing', async () => {
  await using host = await makeHost();
  await using mirror = await registryFor(host);
  await using upstream = await registryFor(host);
  const settings = join(host.directory, 'registries.json');
  writeFileSync(
    settings,
    JSON.stringify({
      registries: {[upstream.host]: {mirrors: [mirror.url]}, 'docker.io': {mirrors: [mirror.url], mirrorsOnly: true}},
    }),
  );
  const source = `docker-archive:${imageArchive('busybox')}`;
  const copy = (name: string) => skopeo(['copy', '--dest-tls-verify=false', source, `docker://${name}`], within(host));
  expect(await copy(`${mirror.host}/library/busybox:latest`)).toMatchObject({code: 0});
  expect(await copy(`${upstream.host}/only/there:1`)).toMatchObject({code: 0});
  const env = {TSCOMPOSE_REGISTRIES: settings};
  expect(await host.tscompose(['engine', 'pull', '-q', 'busybox'], {env})).toMatchObject({
    ...good,
    stdout: 'docker.io/library/busybox:latest\n',
  });
  expect(await host.tscompose(['engine', 'pull', '-q', `${upstream.host}/only/there:1`], {env})).toMatchObject(good);
  expect(await host.tscompose(['engine', 'pull', 'nothing'], {env})).toMatchObject({code: 1});
});

const withoutDocker = missingDocker();
test.skipIf(withoutDocker !== undefined)(
  `the docker command line goes to registries through our engine${withoutDocker === undefined ? '' : ` (not run: ${withoutDocker})`}`,
  async () => {
    await using host = await makeHost();
    await using registry = await registryFor(host, {htpasswd: true});
    await using served = startCommand(host, ['engine', 'serve']);
    await eventually(() => expect(served.stdout()).toContain('listening at'));
    const env = {
      ...dockerEnvironment(join(host.run, 'engine.sock')),
      DOCKER_CONFIG: join(host.directory, 'docker'),
      R: registry.host,
      A: imageArchive('busybox'),
    };
    const sh = async (line: string) => {
      const {code, stdout, stderr} = await host.command('sh', ['-c', line], {env});
      return {code, text: `${stdout}${stderr}`};
    };
    expect(await sh('docker load -qi $A && docker tag busybox $R/box:1')).toMatchObject({code: 0});
    expect(await sh('docker push $R/box:1')).toMatchObject({code: 1, text: expect.stringContaining('no basic auth')});
    const login = 'docker login -u ada --password-stdin $R';
    expect(await sh(`echo wrong | ${login}`)).toMatchObject({code: 1, text: expect.stringContaining('unauthorized')});
    expect(await sh(`echo lovelace | ${login}`)).toMatchObject({code: 0});
    expect(await sh('docker push $R/box:1')).toMatchObject({
      code: 0,
      text: expect.stringContaining('1: digest: sha256:'),
    });
    expect(await sh('docker rmi $R/box:1 busybox')).toMatchObject({code: 0});
    // One that is missing is pulled by the command line itself.
    expect(await sh('docker run --rm --network none $R/box:1 echo it runs')).toMatchObject({
      code: 0,
      text: expect.stringMatching(/^it runs\n.*Unable to find image/s),
    });
    expect(await sh('docker pull -q $R/box:1')).toEqual({code: 0, text: `${registry.host}/box:1\n`});
    expect(await sh("docker search --format '{{.Name}}' $R/bo")).toEqual({code: 0, text: 'box\n'});
    expect(await sh('docker pull $R/none:1')).toMatchObject({
      code: 1,
      text: expect.stringContaining('manifest unknown'),
    });
    expect(await served.interrupt()).toBe(0);
  },
);

test('on a terminal a login asks, and shows nothing of the password; a pull changes its lines in place', async () => {
  await using host = await makeHost();
  await using registry = await registryFor(host, {htpasswd: true});
  await using terminal = openTerminal(host, {columns: 100, rows: 24});
  terminal.type(`clear; tscompose engine login ${registry.host}; echo ended with $?\r`);
  await terminal.shows(/^Username:$/m);
  terminal.type('\x03');
  await terminal.shows(/^ended with 130$/m);
  terminal.type(`clear; tscompose engine login ${registry.host}\r`);
  await terminal.shows(/^Username:$/m);
  terminal.type('ada\r');
  await terminal.shows(/^Password:$/m);
  terminal.type('lovelace\r');
  await terminal.shows(/^Login Succeeded$/m);
  expect(terminal.screen()).toMatch(/^Username: ada$/m);
  expect(terminal.screen()).not.toContain('lovelace');
  // What was typed afterwards is the shell's again.
  terminal.type('clear; echo $((40 + 2))\r');
  await terminal.shows(/^42$/m);

  const name = `${registry.host}/box:1`;
  const copy = ['copy', '--dest-creds=ada:lovelace', '--dest-tls-verify=false'];
  expect(
    await skopeo([...copy, `docker-archive:${imageArchive('busybox')}`, `docker://${name}`], within(host)),
  ).toMatchObject({
    code: 0,
  });
  terminal.type(`clear; tscompose engine pull ${name}; echo ended with $?\r`);
  await terminal.shows(/^ended with 0\n\$$/m);
  const lines = terminal.screen().split('\n').slice(0, -1);
  expect(lines).toEqual([
    expect.stringMatching(/^pull \S+ {2}\d+\.\ds {2}1\/1 layer {2}(\d+\.\d) of \1 MB/),
    ' ✔ 1 layer',
    '1: Pulling from box',
    expect.stringMatching(/^Digest: sha256:[0-9a-f]{64}$/),
    `Status: Downloaded newer image for ${name}`,
    name,
    'ended with 0',
  ]);
});
