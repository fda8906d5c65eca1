import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {gzipSync} from 'node:zlib';
import {pack} from 'tar-stream';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {agentsFor} from '../../../src/cli/build/options.ts';
import {readPlaces} from '../../../src/cli/build/places.ts';
import type {CliContext} from '../../../src/cli/context.ts';

const cwd = mkdtempSync(join(tmpdir(), 'tscompose-places-'));

beforeAll(() => {
  mkdirSync(join(cwd, 'dir'));
  writeFileSync(join(cwd, 'dir/Dockerfile'), 'FROM dir\n');
  writeFileSync(join(cwd, 'Own'), 'FROM own\n');
});

afterAll(() => rmSync(cwd, {recursive: true, force: true}));

function contextWith(input: string | Buffer = '', isTTY = false): CliContext {
  // In small pieces, as pipes give them.
  const bytes = Buffer.from(input);
  const pieces = Array.from({length: Math.ceil(bytes.length / 100)}, (_, index) =>
    bytes.subarray(index * 100, index * 100 + 100),
  );
  const stdin = Object.assign(Readable.from(pieces, {objectMode: false}), {isTTY});
  return {cwd, env: {TMPDIR: cwd}, stdin} as unknown as CliContext;
}

async function archive(): Promise<Buffer> {
  const tar = pack();
  tar.entry({name: 'Dockerfile'}, 'FROM archive\n');
  tar.finalize();
  const pieces: Uint8Array[] = [];
  for await (const piece of tar as unknown as AsyncIterable<Uint8Array>) pieces.push(piece);
  return Buffer.concat(pieces);
}

const repository = 'https://host.example/a.git#main:sub';

test.each<readonly [string, string | undefined, object]>([
  ['dir', undefined, {context: join(cwd, 'dir'), dockerfile: {text: 'FROM dir\n', shown: 'dir/Dockerfile'}}],
  ['dir', '-', {context: join(cwd, 'dir'), dockerfile: {text: 'FROM input\n', shown: '-'}}],
  ['dir', 'https://h/D', {context: join(cwd, 'dir'), dockerfile: {url: 'https://h/D'}}],
  ['-', undefined, {dockerfile: {text: 'FROM input\n', shown: '-'}}],
  [repository, undefined, {source: {kind: 'git', url: repository}, dockerfile: {inContext: 'Dockerfile'}}],
  [repository, 'a/File', {source: {kind: 'git', url: repository}, dockerfile: {inContext: 'a/File'}}],
  [
    repository,
    join(cwd, 'Own'),
    {source: {kind: 'git', url: repository}, dockerfile: {text: 'FROM own\n', shown: 'Own'}},
  ],
  [repository, '-', {source: {kind: 'git', url: repository}, dockerfile: {text: 'FROM input\n', shown: '-'}}],
  ['http://h/a.tar', undefined, {source: {kind: 'http', url: 'http://h/a.tar'}, dockerfile: {inContext: 'Dockerfile'}}],
])('build %s -f %s', async (place, file, body) => {
  expect((await readPlaces(contextWith('FROM input\n'), place, file)).body).toEqual(body);
});

test.each(['plain', 'gzip'])('an archive on standard input, %s, is kept in a file without a name', async (how) => {
  const bytes = how === 'gzip' ? gzipSync(await archive()) : await archive();
  const places = await readPlaces(contextWith(bytes), '-', 'Other');
  const {source, dockerfile} = places.body;
  expect(dockerfile).toEqual({inContext: 'Other'});
  if (source?.kind !== 'archive') throw new Error('it is no archive');
  expect(readFileSync(source.path)).toEqual(bytes);
  places[Symbol.dispose]();
  expect(() => readFileSync(source.path)).toThrow();
});

test('what is neither an archive nor a Dockerfile is refused, as is too much of one and a terminal', async () => {
  await expect(readPlaces(contextWith('a\0b'), '-', undefined)).rejects.toThrow('neither a Dockerfile nor an archive');
  await expect(readPlaces(contextWith('#'.repeat(4 * 1024 * 1024 + 1)), '-', undefined)).rejects.toThrow(
    'more than 4194304 bytes',
  );
  await expect(readPlaces(contextWith('', true), '-', undefined)).rejects.toThrow('standard input is a terminal');
  await expect(readPlaces(contextWith(''), '-', '-')).rejects.toThrow('cannot be the context and the Dockerfile');
});

test('the agent that runs is given where something is fetched by ssh, unless another one is named', () => {
  const env = {SSH_AUTH_SOCK: '/run/agent'};
  const own = [{id: 'default', socket: '/own'}];
  const ssh = {kind: 'git', url: 'git@host.example:a'} as const;
  const agents = [{id: 'default', socket: '/run/agent'}];
  expect(agentsFor({source: ssh, contexts: {}, agents: []}, env)).toEqual(agents);
  expect(agentsFor({contexts: {a: ssh}, agents: []}, env)).toEqual(agents);
  expect(agentsFor({source: ssh, contexts: {}, agents: own}, env)).toEqual(own);
  expect(agentsFor({source: {kind: 'git', url: repository}, contexts: {}, agents: []}, env)).toEqual([]);
  expect(agentsFor({source: ssh, contexts: {}, agents: []}, {})).toEqual([]);
});
