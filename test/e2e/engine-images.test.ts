import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, lstatSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {usedSize} from '../../src/cli/size.ts';
import {dockerArchive, makeImage} from '../engine/image/bed.ts';
import {makeTar} from '../support/archive.ts';
import {makeHost, projectDirectory, type TestHost} from '../support/host.ts';
import {readTar} from '../support/read-tar.ts';
import {makeCertificate} from '../support/registry.ts';

let host: TestHost;
beforeEach(async () => {
  host = await makeHost();
});
afterEach(async () => {
  const left = host.leftovers();
  await host[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

const history = [
  {created: '2025-01-01T00:00:00Z', created_by: 'ADD below'},
  {created: '2025-01-02T00:00:00Z', created_by: `/bin/sh -c #(nop) ENV ${'x'.repeat(60)}`, empty_layer: true},
  {created: '2025-01-03T00:00:00Z', created_by: 'COPY file', comment: 'top'},
];
const image = makeImage({
  layers: [[{name: 'below', data: 'below'}], [{name: 'file', data: 'content'}]],
  config: {Cmd: ['run'], Labels: {kind: 'test'}},
  created: '2025-01-03T00:00:00Z',
  extra: {history},
});
const short = image.id.slice(7, 19);
const here = (path: string) => join(host.directory, path);
const engine = (...args: readonly string[]) => host.tscompose(['engine', ...args]);
const printed = async (...args: readonly string[]) => {
  const {code, stdout, stderr} = await engine(...args);
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  return stdout;
};
async function load(...tags: readonly string[]): Promise<void> {
  writeFileSync(here('image.tar'), dockerArchive([{image, tags}]));
  expect(await printed('load', '-i', 'image.tar')).toBe(tags.map((tag) => `Loaded image: ${tag}\n`).join(''));
}

/** As `du --apparent-size` counts files. */
function bytesUnder(directory: string): number {
  return readdirSync(directory, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

test('images are listed as Docker lists them', async () => {
  await load('web:1', 'localhost:5000/web:2');
  const lines = (await printed('images', '--filter', 'label=kind=test')).split('\n');
  expect(lines[0]).toMatch(/^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$/);
  expect(lines.slice(1, 3).map((line) => line.split(/ {2,}/).slice(0, 3))).toEqual([
    ['localhost:5000/web', '2', short],
    ['web', '1', short],
  ]);
  expect(await printed('image', 'ls', '-q', 'web')).toBe(`${short}\n`);
  expect(await printed('images', '--no-trunc', '--format', '{{.ID}} {{.Size}}', 'web:1')).toBe(`${image.id} 12B\n`);
  expect(JSON.parse(await printed('images', '--format', 'json', 'web:1'))).toMatchObject({
    ...{
      Repository: 'web',
      Tag: '1',
      ID: short,
      Digest: '<none>',
      Size: '12B',
      CreatedAt: '2025-01-03 00:00:00 +0000 UTC',
    },
  });
  expect(await printed('images', '-q', '-f', 'reference=nothing')).toBe('');
  expect(await engine('images', 'one', 'two')).toMatchObject({code: 64, stderr: expect.stringContaining('too many')});
});

test('they are inspected, with their history', async () => {
  await load('web:1');
  expect(JSON.parse(await printed('image', 'inspect', 'web:1'))).toMatchObject([{Id: image.id, RepoTags: ['web:1']}]);
  expect(await printed('image', 'inspect', '-f', '{{.Id}} {{json .Config.Cmd}}', 'web:1', short)).toBe(
    `${image.id} ["run"]\n`.repeat(2),
  );
  expect(await engine('image', 'inspect', '-f', '{{.Nope}}', 'web:1')).toMatchObject({code: 64});
  // What is there is printed, whatever is missing.
  expect(
    await engine('image', 'inspect', '-f', '{{range .RootFS.Layers}}{{len .}}{{end}}', 'no:1', 'web:1', 'no:2'),
  ).toEqual(
    expect.objectContaining({
      ...{code: 1, stdout: '7171\n'},
      stderr: 'error: No such image: no:1\nerror: No such image: no:2\n',
    }),
  );
  expect(await engine('image', 'inspect', '--platform', 'linux/arm64', 'web:1')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('its platform (linux/amd64) does not match the specified platform (linux/arm64)'),
  });
  const lines = (await printed('history', 'web:1')).split('\n').map((line) => line.split(/ {2,}/));
  expect(lines[0]).toEqual(['IMAGE', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT']);
  expect(lines[1]).toEqual([short, expect.stringMatching(/ago$/), 'COPY file', '7B', 'top']);
  expect(lines[2]?.[2]).toBe(`ENV ${'x'.repeat(40)}…`);
  expect(
    await printed(
      'image',
      'history',
      '--no-trunc',
      '--human=false',
      '--format',
      '{{.ID}} {{.CreatedAt}} {{.Size}}',
      'web:1',
    ),
  ).toBe(`${image.id} 2025-01-03T00:00:00Z 7\n<missing> 2025-01-02T00:00:00Z 0\n<missing> 2025-01-01T00:00:00Z 5\n`);
});

test('they are saved, removed and loaded again', async () => {
  await load('web:1');
  await printed('tag', 'web:1', 'localhost:5000/other');
  await printed('save', '-o', 'saved.tar', 'web', 'localhost:5000/other');
  expect(readdirSync(host.directory).filter((name) => name.includes('saved'))).toEqual(['saved.tar']);
  const files = await readTar(readFileSync(here('saved.tar')));

  // A link stays one, and what is no file is written to.
  symlinkSync('saved.tar', here('link.tar'));
  await printed('save', '-o', 'link.tar', 'web', 'localhost:5000/other');
  expect(lstatSync(here('link.tar')).isSymbolicLink()).toBe(true);
  execFileSync('mkfifo', [here('pipe')]);
  const [piped] = await Promise.all([
    readFile(here('pipe')),
    printed('save', '-o', 'pipe', 'web', 'localhost:5000/other'),
  ]);
  expect(piped.equals(readFileSync(here('saved.tar')))).toBe(true);
  expect(lstatSync(here('pipe')).isFIFO()).toBe(true);
  expect(JSON.parse(files['manifest.json']?.text ?? '')).toMatchObject([
    {RepoTags: ['web:1', 'localhost:5000/other:latest']},
  ]);
  expect(await engine('save', 'nope')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: 'error: No such image: nope:latest\n',
  });
  expect(await engine('save', '-o', 'missing/saved.tar', 'web')).toMatchObject({
    code: 1,
    stderr: `error: cannot write ${here('missing/saved.tar')}: its directory does not exist\n`,
  });
  const removed = await engine('rmi', '--no-prune', 'nope', 'web:1', 'localhost:5000/other');
  expect(removed).toMatchObject({code: 1, stderr: 'error: No such image: nope:latest\n'});
  expect(removed.stdout).toBe(
    `Untagged: web:1\nUntagged: localhost:5000/other:latest\nDeleted: ${image.id}\n${[...image.diffIds]
      .reverse()
      .map((id) => `Deleted: ${id}\n`)
      .join('')}`,
  );
  expect(await printed('load', '-i', 'saved.tar', '-q')).toMatch(/^Loaded image: \S+\n/);
  expect(await printed('images', '-q', '--no-trunc', '-f', 'label=kind')).toBe(`${image.id}\n`.repeat(2));
  rmSync(here('saved.tar'));
});

test('a root file system becomes an image', async () => {
  writeFileSync(here('rootfs.tar'), makeTar([{name: 'file', data: 'root'}]));
  const id = await printed('import', '-c', 'CMD ["go"]', '-m', 'by hand', 'rootfs.tar', 'imported:1');
  expect(id).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  expect(await printed('image', 'inspect', '-f', '{{json .Config.Cmd}} {{.Size}}', 'imported:1')).toBe('["go"] 4\n');
  expect(await printed('history', '--format', '{{.Comment}}', 'imported:1')).toBe('by hand\n');
  expect(await engine('import', 'nothing.tar')).toMatchObject({
    code: 1,
    stderr: 'error: cannot import nothing.tar: no such file or directory\n',
  });
});

test('so does one of a web server, which the engine fetches, as a step of a build does: authorities as for registries', async () => {
  writeFileSync(here('rootfs.tar'), makeTar([{name: 'file', data: 'root'}]));
  const {key, file} = makeCertificate(host.directory);
  await using server = await serveFiles({file, key});
  const env = {NODE_EXTRA_CA_CERTS: file};
  // As a person starts it: the variable goes past Node, which would read it, too.
  const run = (words: readonly string[], options = {}) =>
    host.command(join(projectDirectory, 'dist/cli.cjs'), ['engine', ...words], options);
  const imported = await run(['import', `${server.url}/rootfs.tar`, 'imported:2'], {env});
  expect(imported).toMatchObject({code: 0, stderr: ''});
  expect(imported.stdout).toMatch(new RegExp(`^Downloading from ${server.url}/rootfs.tar\nsha256:[0-9a-f]{64}\n$`));
  writeFileSync(here('Dockerfile'), `FROM scratch\nADD ${server.url}/rootfs.tar /\n`);
  expect(await run(['build', '-q', '.'], {env})).toMatchObject({code: 0, stderr: ''});
  expect(await run(['build', '-q', '.'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`cannot fetch ${server.url}/rootfs.tar: its certificate is not trusted`),
  });
});

/** Serves what is in the directory of the test. */
async function serveFiles({file, key}: {readonly file: string; readonly key: string}) {
  const words = ['s_server', '-WWW', '-quiet', '-accept', '127.0.0.1:8443', '-cert', file, '-key', key];
  const server = spawn('nsenter', [`--net=/run/netns/${host.namespace}`, '--', 'openssl', ...words], {
    cwd: host.directory,
    stdio: 'ignore',
  });
  const ended = once(server, 'exit');
  await expect
    .poll(async () => (await host.command('curl', ['-sk', 'https://127.0.0.1:8443/rootfs.tar'])).code, {
      timeout: 30_000,
    })
    .toBe(0);
  return {
    url: 'https://localhost:8443',
    async [Symbol.asyncDispose]() {
      server.kill();
      await ended;
    },
  };
}

test('what nobody uses is pruned, and the store verified', async () => {
  await load('web:1');
  expect(await printed('fsck')).toBe('3 blobs, 2 layers, 1 images, 1 names: all whole\n');
  rmSync(join(host.root, 'layers', image.diffIds[1]?.slice(7) ?? ''), {recursive: true});
  const broken = await engine('fsck', '--format', 'json');
  expect(broken.code).toBe(1);
  expect(JSON.parse(broken.stdout)).toMatchObject({faults: [{kind: 'layer'}, {kind: 'image'}]});
  expect(await printed('fsck', '--repair')).toContain(`made image ${image.id} whole again\n`);
  expect(existsSync(join(host.root, 'layers', image.diffIds[1]?.slice(7) ?? '', 'file'))).toBe(true);

  expect(await engine('image', 'prune')).toMatchObject({code: 64, stderr: expect.stringContaining('add --force')});
  expect(await printed('image', 'prune', '-f')).toBe('Total reclaimed space: 0B\n');
  expect(await printed('image', 'prune', '-af', '--filter', 'label!=kind=test')).toBe('Total reclaimed space: 0B\n');
  const used = bytesUnder(join(host.root, 'images/oci/blobs')) + bytesUnder(join(host.root, 'layers'));
  const pruned = await printed('image', 'prune', '-af');
  expect(pruned).toMatch(/^Deleted Images:\nuntagged: web:1\ndeleted: sha256:[\s\S]+\n\nTotal reclaimed space: \S+\n$/);
  expect(pruned.slice(pruned.lastIndexOf(' ') + 1)).toBe(`${usedSize(used)}\n`);
  expect(bytesUnder(join(host.root, 'images/oci/blobs')) + bytesUnder(join(host.root, 'layers'))).toBe(0);
  expect(await printed('fsck')).toBe('0 blobs, 0 layers, 0 images, 0 names: all whole\n');
});

test('what takes up space is told as the disk has it, and given back at once', async () => {
  await load('web:1');
  const used = bytesUnder(join(host.root, 'images/oci/blobs')) + bytesUnder(join(host.root, 'layers'));
  const usage = async () => (await printed('system', 'df', '--format', '{{.Type}}: {{.Size}}')).split('\n');
  expect(await usage()).toEqual([
    `Images: ${usedSize(used)}`,
    ...['Containers: 0B', 'Local Volumes: 0B', 'Build Cache: 0B', ''],
  ]);
  expect(await printed('system', 'df', '-v', '--format', '{{range .Images}}{{.Repository}};{{end}}')).toContain('web;');
  expect(await engine('system', 'prune')).toMatchObject({code: 64, stderr: expect.stringContaining('add --force')});
  expect(await printed('system', 'prune', '-f')).toBe('Total reclaimed space: 0B\n');
  expect(await printed('system', 'prune', '-af', '--filter', 'label=kind=other')).toBe('Total reclaimed space: 0B\n');
  const pruned = await printed('system', 'prune', '-af');
  expect(pruned).toMatch(/^Deleted Images:\nuntagged: web:1\ndeleted: sha256:/);
  expect(pruned.slice(pruned.lastIndexOf(' ') + 1)).toBe(`${usedSize(used)}\n`);
  expect((await usage())[0]).toBe('Images: 0B');
});
