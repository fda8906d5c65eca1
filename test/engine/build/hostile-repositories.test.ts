import {execFileSync} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {BuildBody, BuildEvent} from '../../../src/api/types/build.ts';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {type GitServer, type RepositoryFiles, startGitServer} from '../../support/git-server.ts';
import {eventsOf, plainBody} from './plain-body.ts';

const directory = mkdtempSync(join(tmpdir(), 'tscompose-hostile-repositories-'));
const home = join(directory, 'home');
const mark = join(directory, 'it-ran');
const limits = {fetched: 512 * 1024, unpacked: 4 * 1024 * 1024, files: 200, submodules: 3};
const Dockerfile = 'FROM scratch\nCOPY . /\n';
let bed: TestEngine;
let server: GitServer;

beforeAll(async () => {
  server = await startGitServer();
  mkdirSync(join(home, 'bin'), {recursive: true});
  writeFileSync(join(directory, 'outside'), 'of the machine');
  const environment = {PATH: `${join(home, 'bin')}:${process.env['PATH']}`, HOME: home};
  bed = await openTestEngine({encode: false, engine: {environment, fetchLimits: limits}});
});

afterAll(async () => {
  await bed?.close();
  await server?.[Symbol.asyncDispose]();
  rmSync(directory, {recursive: true, force: true});
});

async function build(url: string, more: Partial<BuildBody> = {}): Promise<readonly BuildEvent[]> {
  const body = {...plainBody('', {source: {kind: 'git', url}, ...more}), dockerfile: {inContext: 'Dockerfile'}};
  return await eventsOf(bed.engine, body);
}

async function filesOf(url: string, more: Partial<BuildBody> = {}): Promise<string> {
  const path = mkdtempSync(join(directory, 'out-'));
  await build(url, {...more, outputs: [{kind: 'local', path}]});
  return path;
}

let repositories = 0;

function repository(files: RepositoryFiles): string {
  const name = `hostile-${repositories++}.git`;
  server.commit(name, {Dockerfile, ...files});
  return `${server.url}/${name}`;
}

/** A program that leaves a mark, and does nothing else. */
function trap(name: string): string {
  const path = join(home, 'bin', name);
  writeFileSync(path, `#!/bin/sh\ntouch ${mark}\nexit 1\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('nothing of a repository or a user runs', () => {
  test('filters, attributes, and a configuration that comes with the files', async () => {
    const program = trap('filter');
    writeFileSync(
      join(home, '.gitconfig'),
      [
        `[filter "evil"]\n\tsmudge = ${program}\n\tprocess = ${program}\n\trequired = true`,
        `[core]\n\thooksPath = ${join(home, 'bin')}\n\tfsmonitor = ${program}\n\tsshCommand = ${program}\n\tgitProxy = ${program}`,
        `[tar]\n\tumask = 0\n[uploadpack]\n\tpackObjectsHook = ${program}\n[core]\n\taskPass = ${program}`,
        `[include]\n\tpath = ${join(home, 'more')}`,
      ].join('\n'),
    );
    writeFileSync(join(home, 'more'), `[core]\n\talternateRefsCommand = ${program}\n`);
    for (const hook of ['post-checkout', 'reference-transaction', 'post-index-change']) trap(hook);
    const url = repository({
      '.gitattributes': '* filter=evil diff=evil\n',
      '.gitconfig': `[core]\n\tfsmonitor = ${program}\n`,
      '.lfsconfig': '[lfs]\n\turl = http://127.0.0.1:1\n',
      config: `[core]\n\tfsmonitor = ${program}\n`,
      'hooks/post-checkout': {program: `#!/bin/sh\ntouch ${mark}\n`},
    });
    const files = await filesOf(url);
    expect(readFileSync(join(files, 'Dockerfile'), 'utf8')).toBe(Dockerfile);
    await filesOf(`${url}?keep-git-dir=true`);
    await expect(build('ssh://git@127.0.0.1:1/x.git')).rejects.toMatchObject({kind: expect.any(String)});
    expect(existsSync(mark)).toBe(false);
    rmSync(join(home, '.gitconfig'));
  });

  test('a credential helper does, and nothing shows what it gave', async () => {
    const url = repository({});
    server.guard(new URL(url).pathname, `Basic ${Buffer.from('me:helped').toString('base64')}`);
    await expect(build(url)).rejects.toMatchObject({kind: 'unauthorized'});
    const helper = '!f() { test "$1" = get && printf "username=me\\\\npassword=helped\\\\n"; }; f';
    writeFileSync(join(home, '.gitconfig'), `[credential]\n\thelper = "${helper.replaceAll('"', '\\"')}"\n`);
    expect(JSON.stringify(await build(url))).not.toContain('helped');
    rmSync(join(home, '.gitconfig'));
  });
});

describe('addresses', () => {
  const submodule = (url: string, name = 'mod') =>
    repository({
      [name]: {commit: '0123456789012345678901234567890123456789'},
      '.gitmodules': `[submodule "m"]\n\tpath = ${name}\n\turl = ${url}\n`,
    });

  test.each(['file:///', '/', 'ext::sh -c "touch x"', 'fd::7', '--upload-pack=x', 'ssh://-oProxyCommand=x/y'])(
    'a submodule at %s is not fetched',
    async (url) => {
      await expect(build(submodule(url))).rejects.toThrow(
        /only https, http, ssh and git are fetched|is no host|no address/,
      );
    },
  );

  test('a rule that leads to a file is none', async () => {
    writeFileSync(join(home, '.gitconfig'), `[url "file://${server.directory}/"]\n\tinsteadOf = ${server.url}/\n`);
    await expect(build(repository({}))).rejects.toThrow("transport 'file' not allowed");
    rmSync(join(home, '.gitconfig'));
  });

  test.each([
    'file:///x.git',
    'ext::sh',
    '-x',
    'https://-x/y.git',
    'ssh://-oProxyCommand=x/y.git',
    'https://h/a.git#-x',
  ])('%s is not asked for', async (url) => {
    await expect(build(url)).rejects.toMatchObject({kind: 'invalid'});
  });

  test('a token goes to no other host than the one that was named', async () => {
    const seen: (string | undefined)[] = [];
    const other = createServer(({headers}, response) => {
      seen.push(headers.authorization);
      response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const secrets = [{id: 'GIT_AUTH_TOKEN', content: {base64: Buffer.from('s3cret\n').toString('base64')}}];
    const address = `http://localhost:${(other.address() as AddressInfo).port}/x.git`;
    await expect(build(submodule(address), {secrets})).rejects.toThrow('cannot fetch submodule "mod"');
    await new Promise((resolve) => other.close(resolve));
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every((authorization) => authorization === undefined)).toBe(true);
    const basic = `Basic ${Buffer.from('x-access-token:s3cret').toString('base64')}`;
    expect(server.requests.at(-1)?.authorization).toBe(basic);
  });
});

describe('a server that sends on to another', () => {
  const sendingOn = async (use: (address: string) => Promise<void>) => {
    const first = createServer(({url = '/'}, response) => {
      response.writeHead(301, {location: `${server.url}${url}`}).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => first.once('listening', resolve));
    try {
      await use(`http://127.0.0.1:${(first.address() as AddressInfo).port}`);
    } finally {
      first.closeAllConnections();
      await new Promise((resolve) => first.close(resolve));
    }
  };

  test('is followed where nobody logs in', async () => {
    const url = repository({});
    await sendingOn(async (address) => {
      await build(url.replace(server.url, address));
    });
  });

  test('does not get it a token', async () => {
    const url = repository({});
    const before = server.requests.length;
    const secrets = [{id: 'GIT_AUTH_TOKEN', content: {base64: Buffer.from('s3cret').toString('base64')}}];
    await sendingOn(async (address) => {
      await expect(build(url.replace(server.url, address), {secrets})).rejects.toMatchObject({
        kind: 'unavailable',
        hint: 'the server sends on to another address, where a login is not sent: name that address itself',
      });
    });
    expect(server.requests.slice(before)).toEqual([]);
  });
});

describe('passwords', () => {
  test('of an address are in no event, no history, no file and no arguments', async () => {
    const url = repository({});
    server.guard(new URL(url).pathname, `Basic ${Buffer.from('me:t0psecret').toString('base64')}`);
    const written = url.replace('http://', 'http://me:t0psecret@');
    const seen = join(directory, 'arguments');
    // In the place of git, one that writes down how it was called.
    const git = execFileSync('sh', ['-c', 'command -v git'], {encoding: 'utf8'}).trim();
    writeFileSync(join(home, 'bin/git'), `#!/bin/sh\necho "$*" >> ${seen}\nexec ${git} "$@"\n`);
    chmodSync(join(home, 'bin/git'), 0o755);
    const events = await build(`${written}?keep-git-dir=true`);
    const text = `FROM scratch\nADD --keep-git-dir=true ${written} /x/\n`;
    const added = await eventsOf(bed.engine, plainBody(text, {explain: true}));
    const failing = plainBody(`FROM scratch\nADD ${written}#nothing /x/\n`);
    const failure = await eventsOf(bed.engine, failing).catch((error: unknown) => error);
    rmSync(join(home, 'bin/git'));
    expect(readFileSync(seen, 'utf8')).toContain(url);
    const told = JSON.stringify([
      events,
      added,
      (failure as Error).message,
      (failure as {diagnostics: unknown}).diagnostics,
    ]);
    expect(told).toContain('xxxxx:xxxxx@');
    for (const place of [told, readFileSync(seen, 'utf8')]) expect(place).not.toContain('t0psecret');
    expect(grep('t0psecret', bed.host.root)).toBe('');
  });

  function grep(text: string, root: string): string {
    try {
      return execFileSync('grep', ['-rla', text, root], {encoding: 'utf8'});
    } catch {
      return '';
    }
  }
});

describe('trees', () => {
  test('links lead nowhere', async () => {
    const url = repository({
      away: {link: directory},
      file: {link: join(directory, 'outside')},
      Copy: 'FROM scratch\nCOPY file away/outside /x/\n',
      sub: {link: '../..'},
    });
    const files = await filesOf(url);
    expect(readdirSync(files).sort()).toEqual(['Copy', 'Dockerfile', 'away', 'file', 'sub']);
    const copying = {...plainBody('', {source: {kind: 'git', url}}), dockerfile: {inContext: 'Copy'}} as const;
    await expect(eventsOf(bed.engine, copying)).rejects.toThrow('"file" not found');
    await expect(build(`${url}#main:sub`)).rejects.toThrow('the repository has no directory "sub"');
    await expect(build(`${url}#main:away`)).rejects.toThrow('the repository has no directory "away"');
    const linked = repository({Dockerfile: {link: join(directory, 'outside')}});
    await expect(build(linked)).rejects.toThrow('has no "Dockerfile"');
  });

  test('a repository within a repository is none of git', async () => {
    const name = `inner-${repositories++}.git`;
    server.commit(name, {Dockerfile});
    // Git itself refuses to make it: so its tree is written by hand.
    const input = `100644 blob ${server.git(name, 'rev-parse', 'main:Dockerfile')}\tconfig\n`;
    const git = (words: readonly string[], given?: string) =>
      execFileSync('git', [`--git-dir=${join(server.directory, name)}`, ...words], {
        input: given,
        encoding: 'utf8',
      }).trim();
    const inner = git(['mktree'], input);
    const tree = git(
      ['mktree'],
      `040000 tree ${inner}\t.git\n100644 blob ${git(['rev-parse', 'main:Dockerfile'])}\tDockerfile\n`,
    );
    const commit = git(['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit-tree', '-m', 'x', tree]);
    git(['update-ref', 'refs/heads/main', commit]);
    for (const place of ['', '?keep-git-dir=true'])
      await expect(build(`${server.url}/${name}${place}`)).rejects.toMatchObject({
        kind: 'forbidden',
        message: 'the repository has a file ".git/config", which no repository may have',
      });
  });

  test('what is too much is not taken', async () => {
    const random = (bytes: number) => execFileSync('head', ['-c', String(bytes), '/dev/urandom']).toString('base64');
    await expect(build(repository({large: random(limits.fetched)}))).rejects.toMatchObject({
      kind: 'exhausted',
      message: expect.stringContaining('more than 524288 bytes'),
    });
    await expect(build(repository({zeros: '\0'.repeat(limits.unpacked)}))).rejects.toMatchObject({
      kind: 'exhausted',
      message: expect.stringContaining('more than 4194304 bytes'),
    });
    const many = Object.fromEntries(Array.from({length: limits.files}, (_, index) => [`f${index}`, 'x']));
    await expect(build(repository(many))).rejects.toThrow('has more than 200 files');
    const url = repository({});
    const commit = server.git(new URL(url).pathname.slice(1), 'rev-parse', 'main');
    const modules = Array.from({length: limits.submodules + 1}, (_, index) => `m${index}`);
    const crowd = repository({
      ...Object.fromEntries(modules.map((name) => [name, {commit}])),
      '.gitmodules': modules.map((name) => `[submodule "${name}"]\n\tpath = ${name}\n\turl = ${url}\n`).join(''),
    });
    await expect(build(crowd)).rejects.toThrow('has more than 3 submodules');
  });

  test('submodules that contain each other come to an end', async () => {
    const name = `circle-${repositories++}.git`;
    const start = server.commit(name, {Dockerfile});
    server.commit(name, {
      again: {commit: start},
      '.gitmodules': `[submodule "again"]\n\tpath = again\n\turl = ./../${name}\n`,
    });
    expect(readdirSync(join(await filesOf(`${server.url}/${name}`), 'again'))).toEqual(['Dockerfile']);
  });
});

test('without git it is said what to do', async () => {
  const environment = {PATH: join(directory, 'nothing'), HOME: home};
  const other = await openTestEngine({encode: false, engine: {environment}});
  try {
    const body = plainBody(`FROM scratch\nADD ${server.url}/x.git /\n`);
    await expect(eventsOf(other.engine, body)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('git is not installed on this machine'),
      hint: expect.stringContaining('apt-get install git'),
    });
  } finally {
    await other.close();
  }
});
