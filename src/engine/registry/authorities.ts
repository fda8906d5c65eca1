import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where distributions keep the authorities that the machine trusts (the list of Go's crypto/x509, which Docker uses). */
const bundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * Files of certificates in PEM to trust beside those that Node brings along, and directories of such files, with a slash at the
 * end: of each list the first that there is. NODE_EXTRA_CA_CERTS is Node's own variable; SSL_CERT_FILE, which stands for the
 * machine's file, and SSL_CERT_DIR are those of OpenSSL and Go.
 */
export function authorityFiles(env: Environment): readonly (readonly string[])[] {
  const extra = env['NODE_EXTRA_CA_CERTS'];
  const machine = env['SSL_CERT_FILE'];
  const directories = (env['SSL_CERT_DIR'] ?? '').split(':').filter((directory) => directory !== '');
  return [
    ...(extra ? [[extra]] : []),
    machine ? [machine] : bundles,
    ...directories.map((directory) => [`${directory.replace(/\/+$/, '')}/`]),
  ];
}

/** Their content. A file that cannot be read is as none: Node and Go go on without it, too. */
export async function readAuthorities(files: readonly (readonly string[])[]): Promise<readonly string[]> {
  return [...new Set((await Promise.all(files.map(readFirst))).flat())];
}

async function readFirst(paths: readonly string[]): Promise<readonly string[]> {
  for (const path of paths) {
    const texts = await (path.endsWith('/') ? readDirectory(path) : readOne(path));
    if (texts.length > 0) return texts;
  }
  return [];
}

async function readOne(path: string): Promise<readonly string[]> {
  return await readFile(path, 'utf8').then(
    (text) => [text],
    () => [],
  );
}

async function readDirectory(path: string): Promise<readonly string[]> {
  const names = await readdir(path).catch(() => []);
  return (await Promise.all(names.map((name) => readOne(join(path, name))))).flat();
}
