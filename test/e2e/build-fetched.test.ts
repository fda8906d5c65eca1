import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {type GitServer, startGitServer} from '../support/git-server.ts';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

const stack = `services:
  base:
    image: base:1
    build: {context: "git://127.0.0.1/base.git"}
    command: ["sleep", "1000"]
  web:
    build:
      context: "git://127.0.0.1/app.git#main:web"
      dockerfile: Other
      additional_contexts: {ground: "service:base", more: "git://127.0.0.1/more.git#v1"}
    command: ["sh", "-c", "cat /ground /page /more.txt; exec sleep 1000"]
`;

let host: TestHost;
let server: GitServer;
let daemon: ChildProcess;
const run = (words: readonly string[]) => host.tscompose(words, {cwd: join(host.directory, 'stack')});

beforeAll(async () => {
  host = await makeHost();
  await loadImages(host, ['busybox']);
  server = await startGitServer();
  server.commit('base.git', {Dockerfile: 'FROM busybox\nRUN echo ground > /ground\n'});
  server.commit('app.git', {
    'web/Other': 'FROM ground\nCOPY page /\nCOPY --from=more more.txt /\n',
    'web/page': 'one\n',
  });
  server.git('more.git', 'tag', 'v1', server.commit('more.git', {'more.txt': 'more\n'}));
  const words = ['daemon', '--export-all', '--listen=127.0.0.1', `--base-path=${server.directory}`, '--reuseaddr'];
  daemon = spawn('nsenter', [`--net=/run/netns/${host.namespace}`, '--', 'git', ...words], {
    stdio: 'ignore',
    detached: true,
  });
  await eventually(async () => {
    const {code} = await host.command('git', ['ls-remote', 'git://127.0.0.1/base.git']);
    expect(code).toBe(0);
  });
  mkdirSync(join(host.directory, 'stack'));
  writeFileSync(join(host.directory, 'stack/compose.yaml'), stack);
});

afterAll(async () => {
  await run(['down', '-t', '0']);
  // With the programs that it started: nobody else is in its group.
  if (daemon.pid !== undefined) process.kill(-daemon.pid, 'SIGKILL');
  await server[Symbol.asyncDispose]();
  const left = host.leftovers();
  await host[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

test('a stack is built from repositories, and built again when a branch moves', async () => {
  const up = await run(['up', '-d']);
  expect({code: up.code, stderr: up.code === 0 ? '' : up.stderr}).toEqual({code: 0, stderr: ''});
  await eventually(async () =>
    expect((await run(['logs', '--no-log-prefix', 'web'])).stdout).toBe('ground\none\nmore\n'),
  );
  server.commit('app.git', {'web/page': 'two\n'});
  const built = await run(['build', '--explain', 'web']);
  expect(built.stderr).toMatch(/not from the cache: it was commit [0-9a-f]{40}, and is commit/);
  expect(built.stderr).toContain('not from the cache: file "page" changed');
  await run(['up', '-d']);
  await eventually(async () =>
    expect((await run(['logs', '--no-log-prefix', 'web'])).stdout).toBe('ground\ntwo\nmore\n'),
  );
});

test('engine build takes an archive on standard input, and a repository with a Dockerfile on it', async () => {
  const context = join(host.directory, 'context');
  mkdirSync(context);
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY file /made\n');
  writeFileSync(join(context, 'file'), 'from an archive\n');
  const archive = execFileSync('tar', ['-C', context, '-czf', '-', '.']);
  const piped = await host.tscompose(['engine', 'build', '-o', 'out', '-'], {cwd: context, input: archive});
  expect({code: piped.code, stderr: piped.code === 0 ? '' : piped.stderr}).toEqual({code: 0, stderr: ''});
  expect(readFileSync(join(context, 'out/made'), 'utf8')).toBe('from an archive\n');
  const words = ['engine', 'build', '-o', 'more', '-f', '-', 'git://127.0.0.1/more.git'];
  const fetched = await host.tscompose(words, {cwd: context, input: 'FROM scratch\nCOPY more.txt /\n'});
  expect(fetched.stderr).toMatch(/#1 .*git:\/\/127\.0\.0\.1\/more\.git: commit [0-9a-f]{40}/);
  expect(readFileSync(join(context, 'more/more.txt'), 'utf8')).toBe('more\n');
});
