import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {makeHost, type TestHost} from '../support/host.ts';
import {skopeo, startRegistry} from '../support/registry.ts';
import {imageArchive} from '../support/test-images.ts';

const within = (host: TestHost) => ['nsenter', `--net=/run/netns/${host.namespace}`];

async function put(host: TestHost, name: string, archive = imageArchive('busybox')): Promise<void> {
  const copy = ['copy', '--dest-tls-verify=false', `docker-archive:${archive}`, `docker://${name}`];
  expect(await skopeo(copy, within(host))).toMatchObject({code: 0});
}

function write(host: TestHost, services: object): void {
  writeFileSync(join(host.directory, 'compose.yaml'), JSON.stringify({name: 'shop', services}));
}

/** An image that was made here, pushed. */
async function putMade(host: TestHost, name: string): Promise<void> {
  const archive = join(host.directory, 'root.tar');
  writeFileSync(join(host.directory, 'new'), 'new');
  expect(await host.command('tar', ['-C', host.directory, '-cf', archive, 'new'])).toMatchObject({code: 0});
  expect(await host.tscompose(['load', '--import', name, '-i', archive, '-c', 'CMD ["/new"]'])).toMatchObject({
    code: 0,
  });
  expect(await host.tscompose(['engine', 'push', '-q', name])).toMatchObject({code: 0});
}

test('a stack pulls what is missing, and goes up with it', async () => {
  await using host = await makeHost();
  await using registry = await startRegistry({within: within(host)});
  const image = `${registry.host}/shop/box:1`;
  await put(host, image);
  const service = {image, command: ['sleep', '1000'], stop_signal: 'SIGKILL'};
  write(host, {web: service, worker: service});

  const plan = await host.tscompose(['plan']);
  expect(plan.stdout).toContain(`↓ ${image}  pull image: not on this machine`);
  const refused = await host.tscompose(['up', '-d', '--pull', 'never']);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(
    `services "web", "worker": image "${image}" is not on this machine, and is never pulled`,
  );

  const up = await host.tscompose(['up', '-d']);
  expect(up).toMatchObject({code: 0});
  expect(up.stderr.match(/^image \S+ pulled/gm)).toEqual([`image ${image} pulled`]);
  const ids = await host.tscompose(['ps', '-q']);
  expect(ids.stdout.split('\n').filter(Boolean)).toHaveLength(2);

  // What is up to date stays as it is.
  const again = await host.tscompose(['up', '-d', '--pull', 'always']);
  expect(again).toMatchObject({code: 0});
  expect(await host.tscompose(['ps', '-q'])).toEqual(ids);

  const pulled = await host.tscompose(['pull']);
  expect(pulled).toMatchObject({code: 0, stdout: ''});
  expect(pulled.stderr).toMatch(new RegExp(`^image ${image} pulled`));
  expect(await host.tscompose(['pull', '--policy', 'missing'])).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('nothing is pulled: its image is here'),
  });
  expect(await host.tscompose(['down'])).toMatchObject({code: 0});
  await registry[Symbol.asyncDispose]();
  expect(host.leftovers()).toEqual([]);
});

test('an image that cannot be pulled fails its service only, with what the registry says', async () => {
  await using host = await makeHost();
  await using registry = await startRegistry({within: within(host)});
  const image = `${registry.host}/box:1`;
  await put(host, image);
  write(host, {
    good: {image, command: ['sleep', '1000'], stop_signal: 'SIGKILL'},
    bad: {image: `${registry.host}/none:1`},
  });
  const up = await host.tscompose(['up', '-d']);
  expect(up.code).toBe(1);
  expect(up.stderr).toContain(`registry ${registry.host}: manifest none:1: manifest unknown`);
  expect((await host.tscompose(['ps', '--format', '{{.Name}} {{.State}}'])).stdout).toBe('shop-good-1 running\n');

  expect((await host.tscompose(['pull'])).code).toBe(1);
  expect((await host.tscompose(['pull', '--ignore-pull-failures'])).code).toBe(0);
  expect(await host.tscompose(['down'])).toMatchObject({code: 0});
});

test('a newer image replaces the containers of the older one where the policy asks for it', async () => {
  await using host = await makeHost();
  await using registry = await startRegistry({within: within(host)});
  const image = `${registry.host}/box:1`;
  await put(host, image);
  const service = {image, command: ['sleep', '1000'], stop_signal: 'SIGKILL', pull_policy: 'always'};
  write(host, {web: service});
  expect(await host.tscompose(['up', '-d'])).toMatchObject({code: 0});
  const before = (await host.tscompose(['ps', '-q'])).stdout;

  await put(host, image, imageArchive('quick'));
  const up = await host.tscompose(['up', '-d']);
  expect(up).toMatchObject({code: 0});
  expect(up.stderr).toContain('container shop-web-1 recreated');
  const after = (await host.tscompose(['ps', '-q'])).stdout;
  expect(after).not.toBe(before);
  expect(await host.tscompose(['down'])).toMatchObject({code: 0});
});

test('what a stack builds is pushed', async () => {
  await using host = await makeHost();
  await using registry = await startRegistry({within: within(host)});
  const image = `${registry.host}/made:1`;
  await putMade(host, image);
  write(host, {web: {image, build: {context: '.', tags: []}}, db: {image: 'postgres'}});
  const pushed = await host.tscompose(['push']);
  expect(pushed).toMatchObject({code: 0, stderr: 'service "db": nothing is pushed: it is not built\n'});
  expect(pushed.stdout).toContain('1: digest: sha256:');
});

test('services that want one image for different platforms each get theirs, and nothing is done again', async () => {
  await using host = await makeHost();
  await using registry = await startRegistry({within: within(host)});
  const image = `${registry.host}/shop/many:1`;
  const dockerfile = 'FROM scratch\nARG TARGETARCH\nENV FOR=$TARGETARCH\nCMD ["/none"]\n';
  const platforms = ['--platform', 'linux/amd64,linux/arm64'];
  const built = await host.tscompose(['engine', 'build', ...platforms, '--push', '-t', image, '-'], {
    input: dockerfile,
  });
  expect(built).toMatchObject({code: 0});
  expect(await host.tscompose(['engine', 'rmi', image])).toMatchObject({code: 0});

  const [own, other] = process.arch === 'arm64' ? ['arm64', 'amd64'] : ['amd64', 'arm64'];
  write(host, {any: {image}, own: {image, platform: `linux/${own}`}, other: {image, platform: `linux/${other}`}});
  const up = await host.tscompose(['up', '--no-start']);
  expect(up).toMatchObject({code: 0});
  // Which of them is there first is not said.
  expect(up.stderr.match(/^image \S+(?: for \S+)? pulled/gm)?.sort()).toEqual(
    [
      `image ${image} for linux/${other} pulled`,
      `image ${image} for linux/${own} pulled`,
      `image ${image} pulled`,
    ].sort(),
  );
  const made = () => {
    const records = readdirSync(join(host.root, 'containers')).map((id) =>
      JSON.parse(readFileSync(join(host.root, 'containers', id, 'config.json'), 'utf8')),
    );
    return records.map(({id, name, image: {architecture}}) => [name, architecture, id]).sort();
  };
  const before = made();
  expect(before.map(([name, architecture]) => [name, architecture])).toEqual([
    ['shop-any-1', own],
    ['shop-other-1', other],
    ['shop-own-1', own],
  ]);
  expect(await host.tscompose(['up', '--no-start'])).toMatchObject({code: 0});
  expect(made()).toEqual(before);
  expect(await host.tscompose(['down', '--rmi', 'all'])).toMatchObject({code: 0});
  expect((await host.tscompose(['engine', 'images', '-q', image])).stdout).toBe('');
});
