import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {makeHost, type TestHost} from '../support/host.ts';
import {endRegistry, serveRegistry} from '../support/own-registry.ts';
import {loadImages} from '../support/test-images.ts';

const address = '127.0.0.1:5000';
const cache = `${address}/shop/cache`;

let host: TestHost;
const stack = () => join(host.directory, 'shop');
const run = (...words: readonly string[]) => host.tscompose(words, {cwd: stack()});
const printed = async (...words: readonly string[]) => {
  const {code, stdout, stderr} = await run(...words);
  expect({code, stderr: code === 0 ? '' : stderr}).toEqual({code: 0, stderr: ''});
  return {stdout, stderr};
};

beforeAll(async () => {
  host = await makeHost();
  await loadImages(host, ['busybox']);
  mkdirSync(stack());
  writeFileSync(
    join(stack(), 'Dockerfile'),
    'FROM busybox AS work\nRUN date && cat /proc/sys/kernel/random/uuid >/when\nFROM busybox\nCOPY --from=work /when /when\nRUN wc -c /when >/size\n',
  );
  writeFileSync(
    join(stack(), 'compose.yaml'),
    `services:
  web:
    build:
      context: .
      cache_from: ["type=registry,ref=${cache}"]
      cache_to: ["type=registry,ref=${cache},mode=max", "type=local,dest=kept"]
`,
  );
});

afterAll(async () => {
  const left = host.leftovers();
  await host[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

/** All but the image that is built upon, as on another machine. */
async function forget(): Promise<void> {
  await run('engine', 'rmi', '-f', 'shop-web');
  await printed('engine', 'image', 'prune', '-f');
  await printed('engine', 'builder', 'prune', '-a', '-f');
}

const idOf = async (name: string) => (await printed('engine', 'image', 'inspect', '-f', '{{.Id}}', name)).stdout;

describe('caches of builds', () => {
  test('what a stack was built with is found in our own registry, and makes the same image', async () => {
    const other = join(host.directory, 'other');
    const own = {TSCOMPOSE_ROOT: join(other, 'root'), TSCOMPOSE_RUN: join(other, 'run')};
    await using registry = await serveRegistry(host, [], own);
    const first = await printed('build');
    // The first finds no cache, and says so.
    expect(first.stderr).toContain(`cache ${cache} is not used: `);
    // The image below, once for each stage.
    expect(first.stderr.match(/CACHED/g)).toHaveLength(2);
    const id = await idOf('shop-web');
    await forget();
    const second = await printed('build', '--explain');
    expect(second.stderr).toContain(`importing cache from ${cache}\n`);
    expect(second.stderr.match(/CACHED/g)).toHaveLength(5);
    expect(second.stderr).toContain(`from the cache ${cache}: nothing that it is made of changed`);
    expect(await idOf('shop-web')).toBe(id);
    // An index of the older kind, which names layers where others name images.
    await printed('engine', 'build', '--cache-to', `type=registry,ref=${cache}:old,image-manifest=false`, '.');
    await endRegistry(registry);
  });

  test('the copy in a directory is as good', async () => {
    const index = JSON.parse(readFileSync(join(stack(), 'kept/index.json'), 'utf8'));
    expect(index.manifests[0].annotations).toEqual({'org.opencontainers.image.ref.name': 'latest'});
    await forget();
    const {stderr} = await printed('engine', 'build', '--cache-from', 'type=local,src=kept', '.');
    // By `min` the other stage is not in it, so its step runs, and all after it.
    expect(stderr.match(/CACHED/g)).toHaveLength(2);
    await printed('engine', 'build', '--cache-to', 'type=local,dest=kept,mode=max,tag=whole', '.');
    await forget();
    const again = await printed('engine', 'build', '--cache-from', 'type=local,src=kept,tag=whole', '.');
    expect(again.stderr.match(/CACHED/g)).toHaveLength(5);
  });

  test('what is written wrong is said before anything is built', async () => {
    const {code, stderr} = await run('engine', 'build', '--cache-to', 'type=gha', '.');
    expect(code).not.toBe(0);
    expect(stderr).toContain('cache "type=gha": caches of the type "gha" are not supported');
    expect(stderr).not.toContain('FROM');
  });

  test('what is kept is shown and removed', async () => {
    await printed('engine', 'build', '.');
    const {stdout} = await printed('engine', 'builder', 'du');
    expect(stdout).toMatch(/^ID +RECLAIMABLE +SIZE +LAST USED +DESCRIPTION *\n/);
    expect(stdout).toMatch(
      /^[0-9a-f]{25} +true\*? +\d+B +.* ago +\[work 2\/2\] RUN date && cat \/proc\/sys\/kernel\/random\/uuid >\/when/m,
    );
    expect(stdout).toMatch(/^Total: +\d+B$/m);
    const json = (await printed('engine', 'builder', 'du', '--format', 'json')).stdout.trim().split('\n');
    expect(json.map((line) => JSON.parse(line).Type)).toEqual(['regular', 'regular', 'regular']);
    const {ID} = JSON.parse(json[0] ?? '');
    const verbose = (await printed('engine', 'builder', 'du', '--verbose', '--filter', `id=${ID}`)).stdout;
    expect(verbose).toContain(`ID:             ${ID}\n`);
    expect(verbose.match(/^ID:/gm)).toHaveLength(1);
    const pruned = (await printed('engine', 'builder', 'prune', '-a', '-f', '--filter', `id=${ID}`)).stdout;
    expect(pruned).toMatch(new RegExp(`^Deleted build cache objects:\\n${ID}\\n\\nTotal reclaimed space: `));
    const unasked = await run('engine', 'builder', 'prune');
    expect({code: unasked.code, stderr: unasked.stderr}).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('--force'),
    });
  });
});
