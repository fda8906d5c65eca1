import {execFile} from 'node:child_process';
import {createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {readContextSource, readFetchedSource} from '../../../src/api/build-source.ts';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {type GitServer, startGitServer} from '../../support/git-server.ts';
import {archiveEntries} from './archive-entries.mjs';
import {eventsOf, plainBody} from './plain-body.ts';

/**
 * What BuildKit makes of what it fetches, recorded: with TSCOMPOSE_RECORD=fetched, a docker in PATH, and its engine on the
 * network of this process, `npx vitest run test/engine/build/fetched-answers.test.ts` asks it anew.
 */
const file = new URL('../../recorded/fetched-builds.json', import.meta.url);
const isRecording = process.env['TSCOMPOSE_RECORD'] === 'fetched';

interface Case {
  readonly name: string;
  /** Below the server; absent: an empty directory with `dockerfile`. */
  readonly context?: string;
  readonly dockerfile?: string;
  /** Of a context that is fetched. */
  readonly file?: string;
  readonly named?: string;
}

const cases: readonly Case[] = [
  {name: 'a repository', context: 'app.git'},
  {name: 'a branch', context: 'app.git#later'},
  {name: 'an annotated tag and a directory', context: 'app.git#v1:sub'},
  {name: 'fields of a query', context: 'app.git?branch=later&submodules=false'},
  {name: 'another Dockerfile', context: 'app.git#main:sub', file: 'Other'},
  {name: 'a ref of its own', context: 'app.git#refs/pull/7/head'},
  {name: 'an archive', context: 'context.tar'},
  {name: 'a compressed archive', context: 'context.tar.gz', file: 'sub/Dockerfile'},
  {name: 'a Dockerfile', context: 'Alone'},
  {name: 'ADD', dockerfile: 'FROM scratch\nADD URL/app.git#v1 /x/\n'},
  {name: 'ADD without files', dockerfile: 'FROM scratch\nADD --exclude=*.txt --exclude=sub URL/app.git /x/\n'},
  {name: 'ADD with owner and mode', dockerfile: 'FROM scratch\nADD --chown=7:8 --chmod=700 URL/app.git#:sub /x/\n'},
  {name: 'ADD with a checksum', dockerfile: 'FROM scratch\nADD --checksum=COMMIT URL/app.git#v1 /x/\n'},
  {name: 'ADD of a file', dockerfile: 'FROM scratch\nADD URL/Alone /x/\nADD URL/Alone /y\n'},
  {
    name: 'ADD of an archive',
    dockerfile: 'FROM scratch\nADD URL/context.tar /x/\nADD --unpack=true URL/context.tar /y/\n',
  },
  {name: 'a named repository', dockerfile: 'FROM scratch\nCOPY --from=more kept.txt sub /x/\n', named: 'app.git#later'},
  {name: 'upon a repository', dockerfile: 'FROM more\n', named: 'app.git'},
];

const directory = mkdtempSync(join(tmpdir(), 'tscompose-fetched-answers-'));
let bed: TestEngine;
let server: GitServer;
let commit = '';
let recorded: Readonly<Record<string, unknown>> = {};

beforeAll(async () => {
  server = await startGitServer();
  bed = await openTestEngine({encode: false, engine: {environment: {PATH: process.env['PATH'], HOME: directory}}});
  const part = server.commit('part.git', {'part.txt': 'of a part\n'});
  commit = server.commit('app.git', {
    Dockerfile: 'FROM scratch\nCOPY . /\n',
    '.dockerignore': 'kept.txt\n',
    '.gitattributes': 'no export-ignore\nlines.txt text eol=crlf\n',
    'kept.txt': 'one\n',
    'lines.txt': 'one\ntwo\n',
    no: 'not exported\n',
    'bin/tool': {program: '#!/bin/sh\n'},
    link: {link: 'kept.txt'},
    'sub/Dockerfile': 'FROM scratch\nCOPY . /sub\n',
    'sub/Other': 'FROM scratch\nCOPY Other /other\n',
    part: {commit: part},
    '.gitmodules': '[submodule "part"]\n\tpath = part\n\turl = ../part.git\n',
  });
  server.git(
    'app.git',
    '-c',
    'user.name=a',
    '-c',
    'user.email=a@example.org',
    'tag',
    '-a',
    '-m',
    'noted',
    'v1',
    commit,
  );
  server.commit('app.git', {'new.txt': 'new\n'}, 'later');
  server.git('app.git', 'update-ref', 'refs/pull/7/head', server.commit('app.git', {'pull.txt': 'seven\n'}, 'topic'));
  const pack = (name: string, ...paths: readonly string[]) =>
    server.git('app.git', 'archive', '--output', join(server.directory, name), 'main', ...paths);
  pack('context.tar', 'Dockerfile', '.dockerignore', 'kept.txt', 'link');
  pack('context.tar.gz', 'sub/Dockerfile', 'kept.txt');
  server.file('Alone', 'FROM scratch\nCOPY . /\n');
  if (isRecording) await record();
  recorded = JSON.parse(readFileSync(file, 'utf8')).answers;
}, 240_000);

afterAll(async () => {
  await bed?.close();
  await server?.[Symbol.asyncDispose]();
  rmSync(directory, {recursive: true, force: true});
});

function written(text: string): string {
  return text.replaceAll('URL', server.url).replaceAll('COMMIT', commit);
}

/** Not waited for by standing still: it asks the server of this process. */
const docker = async (...words: readonly string[]) =>
  (await promisify(execFile)('docker', words, {timeout: 60_000})).stdout;

async function record(): Promise<void> {
  const answers: Record<string, unknown> = {};
  for (const {name, context, dockerfile, file: path, named} of cases) {
    const place = mkdtempSync(join(directory, 'case-'));
    if (dockerfile !== undefined) writeFileSync(join(place, 'Dockerfile'), written(dockerfile));
    const archive = join(directory, 'recorded.tar');
    const more = named === undefined ? [] : ['--build-context', `more=${server.url}/${named}`];
    const words = ['build', '-q', '--output', `type=tar,dest=${archive}`, ...more, ...(path ? ['-f', path] : [])];
    await docker(...words, context === undefined ? place : `${server.url}/${context}`);
    answers[name] = await archiveEntries(createReadStream(archive));
  }
  const version = (await docker('version', '--format', '{{.Server.Version}}')).trim();
  writeFileSync(file, `${JSON.stringify({docker: version, answers}, null, 1)}\n`);
}

test.each(cases)('$name', async ({name, context, dockerfile, file: path, named}) => {
  const output = {kind: 'tar', path: join(directory, 'ours.tar')} as const;
  const source = context === undefined ? undefined : readFetchedSource(`${server.url}/${context}`);
  const contexts = named === undefined ? {} : {more: readContextSource(`${server.url}/${named}`, (text) => text)};
  const body = plainBody(written(dockerfile ?? ''), {outputs: [output], contexts, ...(source && {source})});
  await eventsOf(bed.engine, source ? {...body, dockerfile: {inContext: path ?? 'Dockerfile'}} : body);
  const found = await archiveEntries(createReadStream(output.path));
  // A file that says where the repository of a submodule was while BuildKit fetched it: we leave none.
  const answer = Object.entries(recorded[name] as object).filter(([entry]) => !/(?:^|\/)part\/\.git$/.test(entry));
  expect(found).toEqual(Object.fromEntries(answer));
});
