import {execFileSync} from 'node:child_process';
import {
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {BuildBody} from '../../../src/api/types/build.ts';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {type GitServer, startGitServer} from '../../support/git-server.ts';
import {imageArchive} from '../../support/test-images.ts';
import {makeImage, makeLayout} from '../image/bed.ts';
import {eventsOf, plainBody} from './plain-body.ts';

const directory = mkdtempSync(join(tmpdir(), 'tscompose-fetched-'));
const limits = {fetched: 8 * 1024 * 1024, unpacked: 16 * 1024 * 1024, files: 1000, submodules: 8};
let bed: TestEngine;
let server: GitServer;

beforeAll(async () => {
  server = await startGitServer();
  const environment = {PATH: process.env['PATH'], HOME: directory};
  bed = await openTestEngine({encode: false, engine: {environment, fetchLimits: limits}});
  const context = join(directory, 'context');
  mkdirSync(join(context, 'sub'), {recursive: true});
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY . /\n');
  writeFileSync(join(context, '.dockerignore'), 'kept\n');
  writeFileSync(join(context, 'kept'), 'kept\n');
  writeFileSync(join(context, 'sub/Other'), 'FROM scratch\nCOPY sub /\n');
  symlinkSync('/etc/hostname', join(context, 'away'));
  execFileSync('tar', ['-C', context, '-cf', join(server.directory, 'context.tar'), '.']);
  server.file('Dockerfile', 'FROM scratch\nCOPY context /\n');
  server.file('Alone', 'FROM scratch\nCOPY . /\n');
});

afterAll(async () => {
  await bed?.close();
  await server?.[Symbol.asyncDispose]();
  rmSync(directory, {recursive: true, force: true});
});

async function filesOf(body: BuildBody): Promise<string> {
  const path = mkdtempSync(join(directory, 'out-'));
  await eventsOf(bed.engine, {...body, outputs: [{kind: 'local', path}]});
  return path;
}

const from = (source: BuildBody['source'], file = 'Dockerfile') =>
  ({...plainBody('', source && {source}), dockerfile: {inContext: file}}) as const;
const http = (name: string) => ({kind: 'http', url: `${server.url}/${name}`}) as const;
const whole = ['.dockerignore', 'Dockerfile', 'away', 'kept', 'sub'];

describe('an archive', () => {
  test.each([
    ['plain', [], ''],
    ['gzip', ['gzip', '-kf'], '.gz'],
    ['xz', ['xz', '-kf'], '.xz'],
    ['bzip2', ['bzip2', '-kf'], '.bz2'],
    ['zstd', ['zstd', '-qkf'], '.zst'],
  ] as const)('%s, at an address and in a file', async (_name, [program, ...words], end) => {
    const path = join(server.directory, 'context.tar');
    if (program !== undefined) execFileSync(program, [...words, path]);
    expect(readdirSync(await filesOf(from(http(`context.tar${end}`)))).sort()).toEqual(whole);
    const file = from({kind: 'archive', path: `${path}${end}`}, 'sub/Other');
    expect(readdirSync(await filesOf(file))).toEqual(['Other']);
  });

  test('as a named context: copied from, and built upon', async () => {
    const contexts = {more: http('context.tar')};
    expect(readdirSync(await filesOf(plainBody('FROM scratch\nCOPY --from=more kept /\n', {contexts})))).toEqual([
      'kept',
    ]);
    expect(readdirSync(await filesOf(plainBody('FROM more\n', {contexts}))).sort()).toEqual(whole);
  });

  test('a file that is none, and a Dockerfile that is not there, are told', async () => {
    const path = join(directory, 'context/kept');
    await expect(filesOf(from({kind: 'archive', path}))).rejects.toThrow(`"${path}" is no archive`);
    const missing = filesOf(from(http('context.tar'), 'Missing'));
    await expect(missing).rejects.toThrow(`${server.url}/context.tar has no "Missing"`);
  });

  test('that is too large is not taken', async () => {
    server.file('long', Buffer.alloc(limits.fetched + 1));
    await expect(filesOf(from(http('long')))).rejects.toMatchObject({
      kind: 'exhausted',
      message: `${server.url}/long has more than ${limits.fetched} bytes, which is more than builds take`,
    });
    writeFileSync(join(directory, 'zeros'), Buffer.alloc(limits.unpacked));
    const pack = `tar -C ${directory} -czf ${join(server.directory, 'wide.tar.gz')} zeros`;
    execFileSync('sh', ['-c', pack]);
    await expect(filesOf(from(http('wide.tar.gz')))).rejects.toThrow(`more than ${limits.unpacked} bytes`);
  });
});

describe('a Dockerfile at an address', () => {
  test('as context is the only file of that', async () => {
    expect(readdirSync(await filesOf(from(http('Alone'), 'ignored')))).toEqual(['context']);
    expect(readdirSync(await filesOf(from(http('Dockerfile'))))).toEqual(['context']);
  });

  test('beside a directory', async () => {
    const body = {...plainBody('', {context: join(directory, 'context')}), dockerfile: {url: `${server.url}/Alone`}};
    expect(readdirSync(await filesOf(body)).sort()).toEqual(whole);
  });
});

describe('credentials for files', () => {
  const basic = `Basic ${Buffer.from('me:p4ssword').toString('base64')}`;
  const secret = (id: string, text: string) => [{id, content: {base64: Buffer.from(text).toString('base64')}}];

  test('of an address are used, and shown nowhere', async () => {
    server.file('private/x', 'x');
    server.guard('/private/', basic);
    const written = `${server.url.replace('://', '://me:p4ssword@')}/private/x`;
    const text = `FROM scratch\nADD ${written} /\n`;
    expect(readdirSync(await filesOf(plainBody(text)))).toEqual(['x']);
    const events = await eventsOf(bed.engine, plainBody(text));
    const built = events.find((event) => event.kind === 'built');
    const image = built?.kind === 'built' ? built.image.slice('sha256:'.length) : '';
    const configuration = readFileSync(join(bed.host.root, 'images/oci/blobs/sha256', image), 'utf8');
    expect(configuration).toContain('ADD http://xxxxx:xxxxx@');
    for (const place of [JSON.stringify(events), configuration]) expect(place).not.toContain('p4ssword');
    const refused = filesOf(plainBody(`FROM scratch\nADD ${server.url}/private/x /\n`));
    await expect(refused).rejects.toMatchObject({kind: 'unauthorized'});
  });

  test('come from secrets, too', async () => {
    server.file('token/x', 'x');
    server.guard('/token/', 'Bearer t0ken');
    const text = `FROM scratch\nADD ${server.url}/token/x /\n`;
    const secrets = secret(`HTTP_AUTH_TOKEN_${server.host}`, 't0ken\n');
    expect(readdirSync(await filesOf(plainBody(text, {secrets})))).toEqual(['x']);
    const header = secret(`HTTP_AUTH_HEADER_${server.host}`, 'Bearer t0ken');
    expect(readdirSync(await filesOf(plainBody(text, {secrets: header})))).toEqual(['x']);
  });
});

describe('an OCI layout as a named context', () => {
  const layout = join(directory, 'layout');
  let digest = '';

  beforeAll(async () => {
    for await (const _ of bed.engine.images.load(createReadStream(imageArchive('busybox'))));
    const archive = join(directory, 'busybox.tar');
    await writeFile(archive, await bed.docker.getImages(['busybox']));
    await bed.docker.getImage('busybox').remove({force: true});
    mkdirSync(layout);
    execFileSync('tar', ['-C', layout, '-xf', archive]);
    rmSync(join(layout, 'manifest.json'), {force: true});
    const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
    digest = index.manifests[0].digest;
    index.manifests[0].annotations = {'org.opencontainers.image.ref.name': 'small'};
    writeFileSync(join(layout, 'index.json'), JSON.stringify(index));
  });

  test.each(['tag', 'digest', 'neither'])('by %s', async (by) => {
    const named = by === 'tag' ? {tag: 'small'} : by === 'digest' ? {digest} : {};
    const contexts = {base: {kind: 'layout', path: layout, ...named}} as const;
    const files = await filesOf(plainBody('FROM base AS b\nFROM scratch\nCOPY --from=b /bin/busybox /\n', {contexts}));
    expect(statSync(join(files, 'busybox')).isFile()).toBe(true);
    const events = await eventsOf(bed.engine, plainBody('FROM base\nRUN true\n', {contexts}));
    expect(events).toContainEqual(expect.objectContaining({kind: 'built'}));
  });

  test('of several platforms each stage gets its own, by any platform that it names', async () => {
    const built = mkdtempSync(join(directory, 'several-'));
    const names = ['amd64', 'arm64'];
    const files = makeLayout();
    const images = names.map((architecture) => {
      const layers = [[{name: 'who', data: Buffer.from(architecture)}]];
      return files.image(makeImage({layers, platform: {architecture, os: 'linux'}}), {
        platform: {architecture, os: 'linux'},
      });
    });
    for (const [name, bytes] of files.finish([files.index(images)])) {
      mkdirSync(join(built, dirname(name)), {recursive: true});
      writeFileSync(join(built, name), bytes);
    }
    const contexts = {base: {kind: 'layout', path: built}} as const;
    const text = `FROM base AS own
FROM --platform=linux/arm64 base AS fixed
FROM scratch
COPY --from=own /who /own
COPY --from=fixed /who /fixed
COPY --from=base /who /copied
`;
    const out = await filesOf(plainBody(text, {contexts, platforms: names.map((name) => `linux/${name}`)}));
    const read = (platform: string, name: string) => readFileSync(join(out, `linux_${platform}`, name), 'utf8');
    for (const name of names)
      expect([read(name, 'own'), read(name, 'fixed'), read(name, 'copied')]).toEqual([name, 'arm64', name]);
    const missing = plainBody('FROM base\n', {contexts, platforms: ['linux/amd64', 'linux/s390x']});
    await expect(eventsOf(bed.engine, missing)).rejects.toThrow(
      'no image for linux/s390x in the archive: it has linux/amd64, linux/arm64',
    );
  });

  test('what it does not have is told, with what it has', async () => {
    const contexts = {base: {kind: 'layout', path: layout, tag: 'other'}} as const;
    await expect(eventsOf(bed.engine, plainBody('FROM base\n', {contexts}))).rejects.toMatchObject({
      kind: 'notFound',
      message: `"${layout}" has no image "other"`,
      hint: 'it has small',
    });
    const nothing = {base: {kind: 'layout', path: directory}} as const;
    await expect(eventsOf(bed.engine, plainBody('FROM base\n', {contexts: nothing}))).rejects.toThrow(
      `"${directory}" is no OCI layout: it has no index.json`,
    );
  });
});

describe('POST /build with remote', () => {
  async function* nothing(): AsyncGenerator<Uint8Array> {}

  async function post(remote: string, dockerfile?: string): Promise<string> {
    const lines = await bed.docker.buildImage(nothing(), {remote, t: ['remote:1'], ...(dockerfile && {dockerfile})});
    let told = '';
    await bed.docker.followProgress(lines, ({stream = ''}) => {
      told += stream;
    });
    return told;
  }

  test('takes a repository, an archive and a Dockerfile', async () => {
    server.commit('remote.git', {Dockerfile: 'FROM scratch\nCOPY . /\n', Other: 'FROM scratch\nCOPY Other /\n'});
    expect(await post(`${server.url}/remote.git#main`, 'Other')).toContain('Successfully tagged remote:1');
    expect(await post(`${server.url}/context.tar`, 'sub/Other')).toContain('Successfully tagged remote:1');
    expect(await post(`${server.url}/Alone`)).toContain('Successfully tagged remote:1');
    await expect(post(`${server.url}/absent`)).rejects.toMatchObject({kind: 'notFound'});
    await expect(post('/etc')).rejects.toThrow('cannot build from "/etc": it is no address of a repository or a file');
  });
});

test('COPY fetches nothing, and says so', async () => {
  const body = plainBody(`FROM scratch\nCOPY ${server.url}/x /\n`);
  await expect(eventsOf(bed.engine, body)).rejects.toMatchObject({
    diagnostics: [
      {code: 'copy-remote', message: `COPY: "${server.url}/x" is no path: COPY fetches nothing`, hint: 'write ADD'},
    ],
  });
});
