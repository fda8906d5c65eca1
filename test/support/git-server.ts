import {execFileSync, spawn} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';

/** A server of repositories and files on this machine: git's own `http-backend` behind Node. */
export interface GitServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly directory: string;
  /** What was asked for: method, path, and who said they were. */
  readonly requests: {readonly path: string; readonly authorization: string | undefined}[];
  /** Paths that begin so need this header `Authorization`. */
  guard(prefix: string, authorization: string): void;
  /** A file that it offers. */
  file(name: string, content: string | Uint8Array): void;
  /** Makes a repository of these files, or a further commit in it. Answers the commit. */
  commit(repository: string, files: RepositoryFiles, branch?: string): string;
  git(repository: string, ...words: readonly string[]): string;
}

/** Text, a link or, by its commit, a submodule; null takes away. */
export type RepositoryFiles = Readonly<
  Record<string, string | null | {readonly link: string} | {readonly commit: string} | {readonly program: string}>
>;

const environment = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'author',
  GIT_AUTHOR_EMAIL: 'author@example.org',
  GIT_COMMITTER_NAME: 'author',
  GIT_COMMITTER_EMAIL: 'author@example.org',
  GIT_AUTHOR_DATE: '2020-01-02T03:04:05Z',
  GIT_COMMITTER_DATE: '2020-01-02T03:04:05Z',
};

export async function startGitServer(): Promise<GitServer> {
  const directory = mkdtempSync(join(tmpdir(), 'tscompose-git-'));
  const requests: GitServer['requests'] = [];
  const guards = new Map<string, string>();
  const server = createServer((request, response) => {
    const {pathname} = new URL(request.url ?? '/', 'http://server');
    const {authorization} = request.headers;
    requests.push({path: pathname, authorization});
    const needed = [...guards].find(([prefix]) => pathname.startsWith(prefix))?.[1];
    if (needed !== undefined && authorization !== needed) {
      response.writeHead(401, {'www-authenticate': 'Basic realm="test"'}).end();
    } else if (/\.git\//.test(pathname)) serveRepository(directory, request, response);
    else serveFile(join(directory, pathname), response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const git = (repository: string, ...words: readonly string[]): string =>
    execFileSync('git', [`--git-dir=${join(directory, repository)}`, ...words], {
      encoding: 'utf8',
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  return {
    ...{url: `http://${host}`, host, directory, requests, git},
    guard: (prefix, authorization) => void guards.set(prefix, authorization),
    file(name, content) {
      mkdirSync(dirname(join(directory, name)), {recursive: true});
      writeFileSync(join(directory, name), content);
    },
    commit: (repository, files, branch = 'main') => commitFiles(git, {directory, repository, files, branch}),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, {recursive: true, force: true});
    },
  };
}

function serveFile(path: string, response: ServerResponse): void {
  if (!existsSync(path) || !statSync(path).isFile()) return void response.writeHead(404).end();
  response.writeHead(200).end(readFileSync(path));
}

function serveRepository(directory: string, request: IncomingMessage, response: ServerResponse): void {
  const {pathname, search} = new URL(request.url ?? '/', 'http://server');
  const {headers, method = 'GET'} = request;
  const child = spawn('git', ['http-backend'], {
    env: {
      ...environment,
      ...{GIT_PROJECT_ROOT: directory, GIT_HTTP_EXPORT_ALL: '1', PATH_INFO: pathname, QUERY_STRING: search.slice(1)},
      ...{REQUEST_METHOD: method, CONTENT_TYPE: headers['content-type'] ?? ''},
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
      ...{GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*'},
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  const pieces: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => void pieces.push(piece));
  child.on('close', () => {
    const whole = Buffer.concat(pieces);
    const end = whole.indexOf('\r\n\r\n');
    const lines = whole.subarray(0, end).toString('latin1').split('\r\n');
    const fields = new Map(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
    const status = Number(fields.get('Status')?.slice(0, 3) ?? 200);
    fields.delete('Status');
    response.writeHead(status, Object.fromEntries(fields)).end(whole.subarray(end + 4));
  });
}

interface Committing {
  readonly directory: string;
  readonly repository: string;
  readonly files: RepositoryFiles;
  readonly branch: string;
}

/** Writes objects and an index, and never a file: so a commit may have whatever a tree can. */
function commitFiles(git: GitServer['git'], {directory, repository, files, branch}: Committing): string {
  const path = join(directory, repository);
  if (!existsSync(path)) git(repository, 'init', '--quiet', '--bare', '--initial-branch=main', path);
  const known = [branch, 'main'].find((name) => git(repository, 'for-each-ref', `refs/heads/${name}`) !== '');
  git(repository, 'read-tree', known ?? '--empty');
  for (const [name, file] of Object.entries(files)) {
    if (file === null) git(repository, 'update-index', '--force-remove', name);
    else git(repository, 'update-index', '--add', '--cacheinfo', cacheInfo(path, name, file));
  }
  const tree = git(repository, 'write-tree');
  const parent = known === undefined ? [] : ['-p', known];
  const commit = git(repository, 'commit-tree', '-m', 'a commit', ...parent, tree);
  git(repository, 'update-ref', `refs/heads/${branch}`, commit);
  return commit;
}

function cacheInfo(path: string, name: string, file: NonNullable<RepositoryFiles[string]>): string {
  if (typeof file === 'object' && 'commit' in file) return `160000,${file.commit},${name}`;
  const [mode, content] =
    typeof file === 'string' ? ['100644', file] : 'link' in file ? ['120000', file.link] : ['100755', file.program];
  const words = [`--git-dir=${path}`, 'hash-object', '-w', '--stdin'];
  const object = execFileSync('git', words, {input: content, encoding: 'utf8', env: environment}).trim();
  return `${mode},${object},${name}`;
}
