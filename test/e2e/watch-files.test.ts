import {chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {makeTar} from '../support/archive.ts';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {finish, read, startCommand, write} from '../support/watching.ts';

/** An image with one program and nothing else: no shell, no tar, no rm, no users. */
async function loadServer(host: TestHost): Promise<void> {
  const layer = makeTar([{name: 'httpd', mode: 0o755, data: readFileSync('/bin/busybox')}]);
  const {createHash} = await import('node:crypto');
  const digest = createHash('sha256').update(layer).digest('hex');
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: {Entrypoint: ['/httpd', '-f', '-p', '8000', '-h', '/www']},
    rootfs: {type: 'layers', diff_ids: [`sha256:${digest}`]},
  };
  const archive = join(host.directory, 'server.tar');
  writeFileSync(
    archive,
    makeTar([
      {name: 'layer.tar', data: layer},
      {name: 'config.json', data: JSON.stringify(config)},
      {
        name: 'manifest.json',
        data: JSON.stringify([{Config: 'config.json', RepoTags: ['server:latest'], Layers: ['layer.tar']}]),
      },
    ]),
  );
  const {code, stderr} = await host.tscompose(['load', '-q', '-i', archive]);
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  unlinkSync(archive);
}

test('an image without a shell, and a user without an entry: files come, go and are replaced while it serves', async () => {
  await using host = await makeHost();
  await loadServer(host);
  write(
    host,
    'compose.yaml',
    `name: bare
services:
  web:
    image: server
    user: "4242:4243"
    stop_grace_period: 0s
    ports: ["8000:8000"]
    develop: {watch: [{path: ./www, action: sync, target: /www, initial_sync: true}]}
`,
  );
  write(host, 'www/index.html', 'one');
  await using watch = startCommand(host, ['watch']);
  const get = async (path: string) =>
    (await host.command('curl', ['-sS', '--max-time', '5', '-w', ' %{http_code}', `http://localhost:8000/${path}`]))
      .stdout;
  await eventually(async () => expect(await get('')).toBe('one 200'));
  write(host, 'www/index.html', 'two');
  write(host, 'www/deep/page.txt', 'page');
  await eventually(async () => expect(await get('deep/page.txt')).toBe('page 200'));
  await eventually(async () => expect(await get('')).toBe('two 200'));
  rmSync(join(host.directory, 'www/deep'), {recursive: true});
  await eventually(async () => expect(await get('deep/page.txt')).toMatch(/ 404$/));
  await watch.interrupt();
  await finish(host);
});

test('links, kinds that change and directories that move arrive as they are', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  write(
    host,
    'compose.yaml',
    `name: links
services:
  api:
    image: busybox
    stop_grace_period: 0s
    command: sleep 600
    develop: {watch: [{path: ./current, action: sync, target: /code}, {path: ./one.txt, action: sync, target: /etc/one.txt}]}
`,
  );
  // The rule's path is a link, as deployments have it, and the file of the other rule is one too.
  write(host, 'v1/name', 'one');
  write(host, 'v2/name', 'two');
  write(host, 'v2/more/file', 'more');
  const at = (path: string) => join(host.directory, path);
  symlinkSync('v1', at('current'));
  write(host, 'settings/a.txt', 'a');
  symlinkSync('settings/a.txt', at('one.txt'));
  await using watch = startCommand(host, ['watch']);
  await watch.says(/container links-api-1 started/);
  const shows = (command: string, text: string) =>
    eventually(async () => expect(await read(host, 'api', command)).toBe(text));

  // Through the link, and inside the tree: to a file, to a directory, to nothing, to what lies outside.
  write(host, 'v1/name', 'one changed');
  await shows('cat /code/name', 'one changed');
  for (const [path, target] of [
    ['to-file', 'name'],
    ['to-directory', 'deep'],
    ['to-nothing', 'nowhere'],
    ['to-outside', '../../outside'],
  ] as const)
    symlinkSync(target, at(`v1/${path}`));
  write(host, 'v1/deep/file', 'deep');
  await shows(
    'cd /code; for name in *; do echo "$name $(readlink $name)"; done; cat to-directory/file',
    'deep \nname \nto-directory deep\nto-file name\nto-nothing nowhere\nto-outside ../../outside\ndeep',
  );
  // What is written through a link in the container goes nowhere: the link itself is replaced.
  unlinkSync(at('v1/to-outside'));
  write(host, 'v1/to-outside', 'a file now');
  await shows('cat /code/to-outside; ls /outside 2>/dev/null; true', 'a file now');

  // A directory becomes a file and back, a directory moves, a mode changes.
  rmSync(at('v1/deep'), {recursive: true});
  write(host, 'v1/deep', 'a file');
  await shows('cat /code/deep', 'a file');
  unlinkSync(at('v1/deep'));
  write(host, 'v1/deep/again', 'again');
  await shows('cat /code/deep/again', 'again');
  renameSync(at('v1/deep'), at('v1/moved'));
  await shows('ls /code/moved; ls -d /code/deep 2>/dev/null; true', 'again\n');
  chmodSync(at('v1/name'), 0o755);
  await shows('stat -c %a /code/name', '755\n');

  // The link is turned to another tree: what differs is brought, what is gone there is deleted.
  unlinkSync(at('current'));
  symlinkSync('v2', at('current'));
  await shows('cd /code; find . -type f -o -type l | sort | xargs; cat name', './more/file ./name\ntwo');
  // And what happens in the new one counts.
  write(host, 'v2/more/file', 'more changed');
  await shows('cat /code/more/file', 'more changed');

  // A file as path: replaced as editors do it, and through the link.
  write(host, 'settings/b.txt', 'b');
  renameSync(at('settings/b.txt'), at('settings/a.txt'));
  await shows('cat /etc/one.txt', 'b');
  await watch.interrupt();
  await finish(host);
});

test('what cannot be brought stays pending, is told once and tried again; all of a save comes or nothing of it', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  write(
    host,
    'compose.yaml',
    `name: pending
services:
  api:
    image: busybox
    stop_grace_period: 0s
    command: sleep 600
    volumes: ["data:/code/data"]
    develop: {watch: [{path: ./code, action: sync, target: /code}]}
volumes: {data: {}}
`,
  );
  mkdirSync(join(host.directory, 'code'));
  await using watch = startCommand(host, ['watch']);
  await watch.says(/container pending-api-1 started/);
  write(host, 'code/first', '1');
  await eventually(async () => expect(await read(host, 'api', 'cat /code/first')).toBe('1'));
  // A file in the place of a mount point.
  write(host, 'staged/data', 'in the way');
  write(host, 'staged/second', '2');
  renameSync(join(host.directory, 'staged'), join(host.directory, 'code/staged'));
  await eventually(async () => expect(await read(host, 'api', 'cat /code/staged/second')).toBe('2'));
  renameSync(join(host.directory, 'code/staged/data'), join(host.directory, 'code/data'));
  renameSync(join(host.directory, 'code/staged/second'), join(host.directory, 'code/second'));
  await watch.says(/^api failed ← code\/\S+ \(\+\d\): .*\/code\/data.*; pending \(\d files\), tried again in 200 ms$/m);
  expect(await read(host, 'api', 'ls -A /code | xargs; ls /code/staged')).toBe('data first staged\ndata\nsecond\n');
  // Nothing is in the way any more: what was pending comes by itself.
  unlinkSync(join(host.directory, 'code/data'));
  await eventually(async () => expect(await read(host, 'api', 'cat /code/second; ls -A /code/staged')).toBe('2'));
  expect(watch.stderr().match(/^api failed.*$/gm)).toHaveLength(1);
  await watch.interrupt();
  await finish(host);
});
