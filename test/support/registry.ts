import {execFileSync, spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type CommandResult, eventually, execute} from './host.ts';
import {packageDirectory} from './user-packages.ts';

/** Debian's docker-registry, serving from a directory of its own. */
export interface TestRegistry extends AsyncDisposable {
  /** As references have it: `127.0.0.1:40123`. */
  readonly host: string;
  readonly url: string;
  /** Of its TLS, PEM. */
  readonly certificateFile: string | undefined;
}

export interface RegistryOptions {
  readonly tls?: boolean;
  /** Only `ada` with the password `lovelace` gets in. */
  readonly htpasswd?: boolean;
  /** A program that the registry is started in: `['nsenter', '--net=…']`. */
  readonly within?: readonly string[];
}

/** `htpasswd -nbB ada lovelace`. */
const adaLovelace = 'ada:$2y$05$dGlbQaDVvJOOzX1ygPUH7uTbhZnxeigNjJjAiUMSP8OZt3QPKh/8i';

/** Somebody else may take the port before the registry does: then it ends at once, and gets another one. */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  for (let left = 5; ; left -= 1) {
    const registry = await tryPort(await freePort(), options);
    if (registry !== undefined) return registry;
    if (left === 0) throw new Error('the registry does not stay up');
  }
}

/** Nothing where it ends before it answers. */
async function tryPort(port: number, options: RegistryOptions): Promise<TestRegistry | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'tscompose-registry-'));
  const host = `127.0.0.1:${port}`;
  const certificate = options.tls === true ? makeCertificate(directory) : undefined;
  const storage = join(directory, 'storage');
  const token = randomBytes(8).toString('hex');
  mkdirSync(storage);
  if (options.htpasswd === true) writeFileSync(join(directory, 'htpasswd'), `${adaLovelace}\n`);
  const configuration = {
    version: '0.1',
    log: {level: 'error'},
    storage: {filesystem: {rootdirectory: storage}, delete: {enabled: true}},
    http: {
      addr: host,
      headers: {'X-Test-Registry': [token]},
      ...(certificate ? {tls: {certificate: certificate.file, key: certificate.key}} : {}),
    },
    ...(options.htpasswd === true ? {auth: {htpasswd: {realm: 'test', path: join(directory, 'htpasswd')}}} : {}),
  };
  // JSON is YAML.
  writeFileSync(join(directory, 'config.yml'), JSON.stringify(configuration));
  const program = join(packageDirectory('registry'), 'usr/bin/docker-registry');
  const [first = '', ...rest] = [...(options.within ?? []), program, 'serve', join(directory, 'config.yml')];
  const child = spawn(first, rest, {stdio: 'ignore'});
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const registry: TestRegistry = {
    host,
    url: `${certificate ? 'https' : 'http'}://${host}`,
    certificateFile: certificate?.file,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      rmSync(directory, {recursive: true, force: true});
    },
  };
  const [look = '', ...words] = [...(options.within ?? []), 'curl', '-ski', '--max-time', '5', `${registry.url}/v2/`];
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  await eventually(() => {
    if (!hasEnded() && !execFileSync(look, words, {encoding: 'utf8'}).includes(token))
      throw new Error(`another server answers at ${host}`);
  });
  if (!hasEnded()) return registry;
  await registry[Symbol.asyncDispose]();
  return undefined;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

/** For 127.0.0.1, signed by itself. */
export function makeCertificate(directory: string): {readonly file: string; readonly key: string} {
  const [file, key] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
  const subject = ['-subj', '/CN=test registry', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  execFileSync('openssl', [...words, '-keyout', key, '-out', file, ...subject], {stdio: 'ignore'});
  return {file, key};
}

/** Runs skopeo; it checks no signatures. */
export function skopeo(args: readonly string[], within: readonly string[] = []): Promise<CommandResult> {
  const root = packageDirectory('skopeo');
  const libraries = ['usr/lib/x86_64-linux-gnu', 'usr/lib/aarch64-linux-gnu', 'lib/x86_64-linux-gnu']
    .map((path) => join(root, path))
    .filter((path) => existsSync(path));
  const [first = '', ...rest] = [...within, join(root, 'usr/bin/skopeo'), '--insecure-policy', ...args];
  return execute(first, rest, {
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: tmpdir(),
      LD_LIBRARY_PATH: libraries.join(':'),
    },
  });
}
