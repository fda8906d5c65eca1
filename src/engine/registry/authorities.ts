import {readFile} from 'node:fs/promises';

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
 * Files of certificates in PEM to trust beside those that Node brings along: of each list the first that there is.
 * NODE_EXTRA_CA_CERTS is Node's own variable, SSL_CERT_FILE that of OpenSSL and Go, which replaces the machine's.
 */
export function authorityFiles(env: Environment): readonly (readonly string[])[] {
  const extra = env['NODE_EXTRA_CA_CERTS'];
  const machine = env['SSL_CERT_FILE'];
  return [...(extra ? [[extra]] : []), machine ? [machine] : bundles];
}

/** Their content. A file that cannot be read is as none: Node and Go go on without it, too. */
export async function readAuthorities(files: readonly (readonly string[])[]): Promise<readonly string[]> {
  const texts = await Promise.all(files.map(readFirst));
  return [...new Set(texts.filter((text) => text !== undefined))];
}

async function readFirst(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  return undefined;
}
