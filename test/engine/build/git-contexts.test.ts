import {execFileSync} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {BuildBody, BuildEvent} from '../../../src/api/types/build.ts';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {type GitServer, startGitServer} from '../../support/git-server.ts';
import {eventsOf, plainBody} from './plain-body.ts';

const directory = mkdtempSync(join(tmpdir(), 'tscompose-contexts-'));
const all = 'FROM scratch\nCOPY . /\n';
let bed: TestEngine;
let server: GitServer;
let first = '';

beforeAll(async () => {
  server = await startGitServer();
  const environment = {PATH: process.env['PATH'], HOME: directory};
  bed = await openTestEngine({encode: false, engine: {environment}});
  const part = server.commit('part.git', {'part.txt': 'of a part\n'});
  first = server.commit('app.git', {
    Dockerfile: all,
    '.dockerignore': 'kept.txt\n',
    'kept.txt': 'one\n',
    'not-exported': '$Format:%H$\n',
    '.gitattributes': 'not-exported export-ignore export-subst\n',
    'bin/tool': {program: '#!/bin/sh\n'},
    link: {link: 'kept.txt'},
    'sub/Dockerfile': 'FROM scratch\nCOPY . /sub\n',
    'sub/Other': 'FROM scratch\nCOPY Other /other\n',
    part: {commit: part},
    '.gitmodules': '[submodule "part"]\n\tpath = part\n\turl = ../part.git\n',
  });
  server.git('app.git', 'tag', '-a', '-m', 'noted', 'v1', first);
  server.commit('app.git', {'new.txt': 'new\n'}, 'later');
  server.git('app.git', 'update-ref', 'refs/pull/7/head', server.commit('app.git', {'pull.txt': 'seven\n'}, 'topic'));
});

afterAll(async () => {
  await bed?.close();
  await server?.[Symbol.asyncDispose]();
  rmSync(directory, {recursive: true, force: true});
});

const inContext = (file = 'Dockerfile') => ({dockerfile: {inContext: file}});
const git = (place: string) => ({source: {kind: 'git', url: `${server.url}/app.git${place}`}}) as const;

/** Builds, and answers where the files of the result are. */
async function filesOf(more: Partial<BuildBody>, text = ''): Promise<string> {
  const path = mkdtempSync(join(directory, 'out-'));
  await eventsOf(bed.engine, {...plainBody(text, more), outputs: [{kind: 'local', path}]});
  return path;
}

function namesIn(path: string): readonly string[] {
  return readdirSync(path, {recursive: true, withFileTypes: true})
    .filter((entry) => !entry.isDirectory())
    .map(({parentPath, name}) => join(parentPath, name).slice(path.length + 1))
    .filter((name) => !name.includes('.git/'))
    .sort();
}

const app = [
  ...['.dockerignore', '.gitattributes', '.gitmodules', 'Dockerfile', 'bin/tool', 'kept.txt', 'link', 'not-exported'],
  ...['part/part.txt', 'sub/Dockerfile', 'sub/Other'],
];

describe('a repository as context', () => {
  test('has what the commit has, with its submodules, at the time of the commit', async () => {
    const files = await filesOf({...git(''), ...inContext()});
    expect(namesIn(files)).toEqual(app);
    expect(readFileSync(join(files, 'not-exported'), 'utf8')).toBe('$Format:%H$\n');
    expect(statSync(join(files, 'bin/tool')).mode & 0o7777).toBe(0o755);
    expect(statSync(join(files, 'kept.txt'))).toMatchObject({mtime: new Date('2020-01-02T03:04:05Z'), uid: 0});
  });

  test.each([
    ['#later', [...app, 'new.txt']],
    ['#v1', app],
    ['?branch=later&submodules=false', [...app, 'new.txt'].filter((name) => !name.startsWith('part/'))],
    ['#refs/pull/7/head', [...app, 'pull.txt']],
    ['#pull/7/head', [...app, 'pull.txt']],
    ['#:sub', ['sub/Dockerfile', 'sub/Other']],
    ['?tag=v1&subdir=sub', ['sub/Dockerfile', 'sub/Other']],
  ])('%s', async (place, names) => {
    expect(namesIn(await filesOf({...git(place), ...inContext()}))).toEqual([...names].sort());
  });

  test('another Dockerfile of it, or one from elsewhere', async () => {
    expect(namesIn(await filesOf({...git('#:sub'), ...inContext('Other')}))).toEqual(['other']);
    expect(namesIn(await filesOf(git('#:sub'), 'FROM scratch\nCOPY Dockerfile /mine\n'))).toEqual(['mine']);
  });

  test('a commit is taken by its name, and compared with the checksum', async () => {
    expect(namesIn(await filesOf({...git(`#${first}`), ...inContext()}))).toEqual(app);
    expect(namesIn(await filesOf({...git(`?ref=v1&checksum=${first.slice(0, 12)}`), ...inContext()}))).toEqual(app);
    await expect(filesOf({...git('?ref=main&checksum=1234567'), ...inContext()})).rejects.toThrow(
      `${server.url}/app.git#main is commit ${first}, not 1234567`,
    );
  });

  test('a server that gives only what has a name is asked for that', async () => {
    server.git('app.git', 'config', 'protocol.version', '0');
    server.commit('old.git', {Dockerfile: all});
    const source = {kind: 'git', url: `${server.url}/old.git`} as const;
    expect(namesIn(await filesOf({source, ...inContext()}))).toEqual(['Dockerfile']);
  });

  test.each([
    ['#nothing', 'has no branch, tag or commit "nothing"'],
    ['#main:away', 'the repository has no directory "away"'],
    ['#main:link', 'the repository has no directory "link"'],
    ['#main:sub/../..', 'directory "sub/../.." leads out of it'],
    ['#--upload-pack=touch', '"--upload-pack=touch" is no name of a branch, tag or commit'],
    ['?ref=a:b', '"a:b" is no name of a branch, tag or commit'],
    ['?other=1', '"other" is not known'],
  ])('%s is refused', async (place, message) => {
    await expect(filesOf({...git(place), ...inContext()})).rejects.toThrow(message);
  });

  test('a commit that was fetched is not fetched again; a branch that moved is', async () => {
    server.commit('moving.git', {Dockerfile: all, 'a.txt': 'one\n'});
    const source = {kind: 'git', url: `${server.url}/moving.git#main`} as const;
    const body = {...plainBody('', {source, explain: true}), ...inContext()};
    const verdicts = (events: readonly BuildEvent[]) =>
      events.flatMap((event) => (event.kind === 'step' && event.status !== 'start' ? [event.status] : []));
    expect(verdicts(await eventsOf(bed.engine, body))).toEqual(['done', 'done']);
    const asked = server.requests.length;
    expect(verdicts(await eventsOf(bed.engine, body))).toEqual(['cached', 'cached']);
    const packs = server.requests.slice(asked).filter(({path}) => path.endsWith('git-upload-pack'));
    expect(packs.length).toBeLessThanOrEqual(1);
    server.commit('moving.git', {'b.txt': 'two\n'});
    const events = await eventsOf(bed.engine, body);
    expect(verdicts(events)).toEqual(['done', 'done']);
    const reasons = events.flatMap((event) =>
      event.kind === 'explained' && event.explained.verdict === 'built' ? event.explained.reasons : [],
    );
    expect(reasons).toContainEqual(expect.stringMatching(/^it was commit [0-9a-f]{40}, and is commit [0-9a-f]{40}$/));
    expect(reasons).toContain('file "b.txt" is new');
  });
});

describe('ADD of a repository', () => {
  const add = (words: string) => filesOf({}, `FROM scratch\nADD ${words} /x/\n`);

  test('brings its files, without those left out', async () => {
    expect(namesIn(await add(`${server.url}/app.git`))).toEqual(app.map((name) => `x/${name}`));
    expect(namesIn(await add(`--exclude=sub --exclude=part ${server.url}/app.git#later`))).toContain('x/new.txt');
    expect(namesIn(await add(`--exclude=sub ${server.url}/app.git`))).not.toContain('x/sub/Other');
  });

  test('with its repository where that is asked for', async () => {
    const files = await add(`--keep-git-dir=true ${server.url}/app.git#v1`);
    const inside = (...words: readonly string[]) =>
      execFileSync('git', ['-c', 'safe.directory=*', '-C', join(files, 'x'), ...words], {encoding: 'utf8'}).trim();
    expect(inside('rev-parse', 'HEAD')).toBe(first);
    expect(inside('describe', '--tags')).toBe('v1');
    expect(inside('remote', 'get-url', 'origin')).toBe(`${server.url}/app.git`);
    expect(inside('status', '--porcelain')).toBe('');
    expect(readdirSync(join(files, 'x/.git')).sort()).toEqual(
      ['HEAD', 'config', 'index', 'info', 'objects', 'refs', 'shallow'].sort(),
    );
  });

  test('and compared with a checksum', async () => {
    expect(namesIn(await add(`--checksum=${first} ${server.url}/app.git#v1`))).toEqual(app.map((name) => `x/${name}`));
    await expect(add(`--checksum=abcdef0 ${server.url}/app.git`)).rejects.toThrow(`is commit ${first}, not abcdef0`);
    await expect(add(`--checksum=sha256:00 ${server.url}/app.git`)).rejects.toThrow('is no name of a commit');
  });
});

describe('a named context', () => {
  test.each([
    ['COPY', 'FROM scratch\nCOPY --from=more kept.txt /\n'],
    ['FROM', 'FROM more\n'],
  ])('that is a repository: %s', async (_name, text) => {
    const contexts = {more: {kind: 'git', url: `${server.url}/app.git`}} as const;
    expect(namesIn(await filesOf({contexts}, text))).toContain('kept.txt');
  });
});
