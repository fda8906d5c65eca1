import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {type GitServer, startGitServer} from '../support/git-server.ts';
import {makeHost, type TestHost} from '../support/host.ts';
import {type ClientOptions, type SshServer, startSshServer} from '../support/ssh-server.ts';

let host: TestHost;
let server: SshServer;
let repositories: GitServer;
let first = '';

beforeAll(async () => {
  host = await makeHost();
  server = await startSshServer(host);
  repositories = await startGitServer();
  const part = repositories.commit('part.git', {'part.txt': 'of a part\n'});
  first = repositories.commit('app.git', {
    Dockerfile: 'FROM scratch\nCOPY . /\n',
    'sub/Dockerfile': 'FROM scratch\nCOPY . /sub\n',
    part: {commit: part},
    '.gitmodules': '[submodule "part"]\n\tpath = part\n\turl = ../part.git\n',
  });
  repositories.commit('app.git', {'later.txt': 'later\n'}, 'later');
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await repositories?.[Symbol.asyncDispose]();
  const left = host.leftovers();
  await host[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

let outputs = 0;
/** Builds, and answers which files came out. */
async function filesOf(words: readonly string[], options: ClientOptions): Promise<readonly string[]> {
  const out = join(host.directory, `out${outputs++}`);
  const {code, stderr} = await server.tscompose(['engine', 'build', '-o', out, ...words], options);
  expect({code, stderr: code === 0 ? '' : stderr}).toEqual({code: 0, stderr: ''});
  return readdirSync(out, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map(({parentPath, name}) => join(parentPath, name).slice(out.length + 1))
    .sort();
}

const scp = (place = '') => `git@127.0.0.1:${repositories.directory}/app.git${place}`;
const url = (place = '') => `ssh://git@127.0.0.1${repositories.directory}/app.git${place}`;
const agent = () => ({env: {SSH_AUTH_SOCK: server.agent}});
const whole = ['.gitmodules', 'Dockerfile', 'part/part.txt', 'sub/Dockerfile'];

test('a repository behind ssh is a context, with its submodules, by either address', async () => {
  for (const place of [scp(), url(), url('?ref=main')]) expect(await filesOf([place], agent())).toEqual(whole);
  expect(await filesOf([scp('#later')], agent())).toEqual([...whole, 'later.txt'].sort());
  expect(await filesOf([scp(`#${first}:sub`)], agent())).toEqual(['sub/Dockerfile']);
  expect(server.log()).toMatch(/Accepted publickey for git from 127\.0\.0\.1/);
});

test('the agent of the build is asked, and not that of the person, where one is given', async () => {
  const env = {SSH_AUTH_SOCK: server.emptyAgent};
  expect(await filesOf(['--ssh', `default=${server.agent}`, scp()], {env})).toEqual(whole);
  const {code, stderr} = await server.tscompose(
    ['engine', 'build', '--ssh', `default=${server.emptyAgent}`, scp()],
    agent(),
  );
  expect(code).not.toBe(0);
  expect(stderr).toContain('Permission denied');
});

test('a service may have such a context, and a Dockerfile may add one', async () => {
  const write = (name: string, text: string) =>
    host.command('sh', ['-c', 'cat > "$1"', 'sh', join(host.directory, name)], {input: text});
  await write('compose.yaml', JSON.stringify({name: 'ssh', services: {web: {build: scp(), image: 'of-ssh:1'}}}));
  const built = await server.tscompose(['build'], agent());
  expect({code: built.code, stderr: built.code === 0 ? '' : built.stderr}).toEqual({code: 0, stderr: ''});
  await write('Dockerfile', `FROM scratch\nADD ${scp('#later')} /got/\n`);
  expect(await filesOf(['.'], agent())).toEqual([...whole, 'later.txt'].sort().map((name) => `got/${name}`));
  expect(readFileSync(join(host.directory, `out${outputs - 1}`, 'got/later.txt'), 'utf8')).toBe('later\n');
});

test('a server that is not known is refused, and who has no key is told what to do', async () => {
  const unknown = await server.tscompose(['engine', 'build', scp()], {...agent(), knowsServer: false});
  expect(unknown.code).not.toBe(0);
  expect(unknown.stderr).toMatch(
    /cannot fetch git@127.*No ED25519 host key is known for 127\.0\.0\.1 .*Host key verification failed/,
  );
  expect(unknown.stderr).toContain('hint: make its key known first: ssh-keyscan 127.0.0.1 >> ~/.ssh/known_hosts\n');
  const ported = url().replace('127.0.0.1', '127.0.0.1:2222');
  const elsewhere = await server.tscompose(['engine', 'build', ported], {...agent(), knowsServer: false});
  expect(elsewhere.stderr).toContain(
    'hint: make its key known first: ssh-keyscan -p 2222 127.0.0.1 >> ~/.ssh/known_hosts\n',
  );
  const changed = await server.tscompose(['engine', 'build', scp()], {...agent(), knowsServer: 'other'});
  expect(changed.stderr).toMatch(/Host key for 127\.0\.0\.1 has changed .*Host key verification failed\.\n/);
  expect(changed.stderr).toContain(
    "hint: its key is another than the one that is known: find out why; then forget the old one: ssh-keygen -R '127.0.0.1'\n",
  );
  const nobody = await server.tscompose(['engine', 'build', url()], {env: {SSH_AUTH_SOCK: server.emptyAgent}});
  expect(nobody.code).not.toBe(0);
  expect(nobody.stderr).toMatch(/cannot fetch ssh:\/\/git@127\.0\.0\.1\/.*Permission denied \(publickey/);
  expect(nobody.stderr).toContain('hint: the server takes no key of the agent: ');
  const none = await server.tscompose(['engine', 'build', scp('#gone')], agent());
  expect(none.stderr).toContain('has no branch, tag or commit "gone"');
  const lost = await server.tscompose(['engine', 'build', `git@127.0.0.1:${repositories.directory}/lost.git`], agent());
  expect(lost.stderr).toContain('does not appear to be a git repository');
});
