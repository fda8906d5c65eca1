import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {isLoopback} from './addresses.ts';
import type {RegistrySettings, SettingsOf} from './settings.ts';

/** What a connection is secured with. */
export interface TlsSettings {
  readonly verify: boolean;
  /** PEM, besides the machine's own. */
  readonly ca: readonly string[];
  /** PEM. */
  readonly cert?: string;
  readonly key?: string;
}

/** One place that serves a registry's content: the registry itself, or a mirror of it. */
export interface RegistryEndpoint {
  /** Its name in references (`docker.io`, `localhost:5000`); credentials are looked up by it. */
  readonly registry: string;
  /** The registry it stands for. */
  readonly mirrorOf?: string;
  /** Where `/v2/` is, without a slash at the end: to be tried in this order. */
  readonly bases: readonly string[];
  readonly tls: TlsSettings;
}

export interface EndpointOptions {
  readonly settingsOf: SettingsOf;
  /** Directories as `/etc/docker/certs.d`. */
  readonly certificateDirectories: readonly string[];
}

const hub = 'docker.io';
const hubHost = 'registry-1.docker.io';

/** Where a registry's content is, in the order in which to ask. Mirrors serve only those who pull. */
export async function endpointsOf(
  registry: string,
  use: 'pull' | 'push',
  options: EndpointOptions,
): Promise<readonly RegistryEndpoint[]> {
  const settings = options.settingsOf(registry);
  const mirrors = use === 'push' ? [] : (settings.mirrors ?? []);
  const found = await Promise.all(mirrors.map((address) => mirrorEndpoint(address, registry, options)));
  if (use === 'pull' && settings.mirrorsOnly === true) {
    if (found.length > 0) return found;
    throw new TscomposeError('forbidden', `registry ${registry} is to be reached by mirrors only, and it has none`);
  }
  return [...found, await ownEndpoint(registry, settings, options)];
}

async function ownEndpoint(
  registry: string,
  settings: RegistrySettings,
  options: EndpointOptions,
): Promise<RegistryEndpoint> {
  const host = registry === hub ? hubHost : registry;
  const tls = await tlsOf(registry, settings, options);
  return {registry, bases: [`https://${host}`, ...(tls.verify ? [] : [`http://${host}`])], tls};
}

async function mirrorEndpoint(address: string, mirrorOf: string, options: EndpointOptions): Promise<RegistryEndpoint> {
  const {host} = new URL(address);
  const tls = await tlsOf(host, options.settingsOf(host), options);
  return {registry: host, mirrorOf, bases: [address.replace(/\/+$/, '')], tls};
}

async function tlsOf(
  host: string,
  settings: RegistrySettings,
  {certificateDirectories}: EndpointOptions,
): Promise<TlsSettings> {
  const kept = await Promise.all(certificateDirectories.map((directory) => readCertificates(join(directory, host))));
  const pair = settings.cert === undefined ? kept.find(({cert}) => cert !== undefined) : await readPair(settings);
  const ca = [
    ...(settings.ca === undefined ? [] : [await readPem(settings.ca)]),
    ...kept.flatMap((certificates) => certificates.ca),
  ];
  // Whoever says what to trust on this machine wants it to be checked there too.
  const insecure = settings.insecure ?? (ca.length === 0 && (await isLoopback(host)));
  return {
    verify: !insecure,
    ca,
    ...(pair?.cert === undefined ? {} : {cert: pair.cert}),
    ...(pair?.key === undefined ? {} : {key: pair.key}),
  };
}

interface Certificates {
  readonly ca: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

async function readPair({cert = '', key = ''}: RegistrySettings): Promise<Omit<Certificates, 'ca'>> {
  return {cert: await readPem(cert), key: await readPem(key)};
}

/** As Docker reads them: `*.crt` to trust, `NAME.cert` with `NAME.key` to show. */
async function readCertificates(directory: string): Promise<Certificates> {
  const names = (await readdir(directory).catch(() => [])).sort();
  const ca = await Promise.all(
    names.filter((name) => name.endsWith('.crt')).map((name) => readPem(join(directory, name))),
  );
  const cert = names.find((name) => name.endsWith('.cert'));
  if (cert === undefined) return {ca};
  const key = cert.replace(/\.cert$/, '.key');
  if (!names.includes(key)) {
    throw new TscomposeError('invalid', `missing key ${key} for client certificate ${cert} in ${directory}`);
  }
  return {ca, cert: await readPem(join(directory, cert)), key: await readPem(join(directory, key))};
}

async function readPem(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT')
      throw new TscomposeError('notFound', `cannot read ${path}: no such file`, {cause: error});
    throw toTscomposeError(error, `cannot read ${path}`);
  });
}
