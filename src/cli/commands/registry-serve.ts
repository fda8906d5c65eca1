import {readFile} from 'node:fs/promises';
import {isIP} from 'node:net';
import {resolve} from 'node:path';
import {parseBytes} from '../../base/bytes.ts';
import {exitCodes, TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {createEngine} from '../../engine/create-engine.ts';
import type {Hosting} from '../../engine/hosting/hosting.ts';
import type {MirrorOptions} from '../../engine/hosting/mirror.ts';
import {parseReference} from '../../engine/image/reference.ts';
import {type Certificate, listenRegistry, type RegistryListener} from '../../server/registry/listen.ts';
import {openPasswordFile} from '../../server/registry/password-file.ts';
import {createRegistry, type Registry} from '../../server/registry/registry.ts';
import {createTokenSigner} from '../../server/registry/tokens.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {engineOptions} from '../open-engine.ts';

type RegistryFlags = Input<'registry serve'>['flags'];

/** A client that neither sends nor takes anything for so long is given up. */
const idleMs = 60_000;
/** Requests under way when it is told to end get so long. */
const endMs = 10_000;
/** Of unfinished uploads, and of connections. */
const usualMax = 1000;
const sweepEveryMs = 60 * 60 * 1000;
const keep = {blobsKeptMs: 60 * 60 * 1000, uploadsKeptMs: 24 * 60 * 60 * 1000};

export async function runRegistryServe(context: CliContext, {flags}: Input<'registry serve'>): Promise<number> {
  if (context.global.host !== undefined) {
    throw wrongUse('"registry serve" offers the images of the built-in engine: it takes no --host');
  }
  const settings = await readSettings(context, flags);
  const engine = await createEngine(engineOptions(context));
  try {
    const {hosts, blobMax, uploadsMax} = settings;
    const hosting = await engine.hosting.open({
      hosts,
      local: !flags['no-local'],
      unpack: !flags['no-unpack'],
      limits: {blobMax, openMax: uploadsMax},
      keep,
      mirror: settings.mirror,
    });
    const registry = createRegistry({
      ...{hosting, hosts, blobMax},
      passwords: settings.passwords,
      tokens: flags.auth === 'token' ? createTokenSigner({now: context.now, host: hosts[0]}) : undefined,
      anonymousPull: flags['anonymous-pull'],
      readOnly: flags['read-only'],
    });
    return await serve(context, {registry, hosting, settings});
  } finally {
    await engine.close();
  }
}

interface Settings {
  readonly listen: {readonly host: string; readonly port: number};
  readonly hosts: readonly [string, ...string[]];
  readonly mirror: MirrorOptions | undefined;
  /** Reads the certificate and its key, as they are now. */
  readonly readCertificate: (() => Promise<Certificate>) | undefined;
  readonly passwords: Awaited<ReturnType<typeof openPasswordFile>> | undefined;
  readonly blobMax: number;
  readonly uploadsMax: number;
  readonly connectionsMax: number;
}

async function readSettings({cwd}: CliContext, flags: RegistryFlags): Promise<Settings> {
  const {'tls-cert': cert, 'tls-key': key, htpasswd, auth} = flags;
  if ((cert === undefined) !== (key === undefined)) throw wrongUse('--tls-cert and --tls-key belong together');
  if (htpasswd === undefined && (auth !== undefined || flags['anonymous-pull'])) {
    throw wrongUse(
      `${auth === undefined ? '--anonymous-pull' : '--auth'} needs --htpasswd: without it nobody is asked`,
    );
  }
  const listen = readListen(flags.listen ?? '127.0.0.1:5000');
  const [first, ...rest] = [...flags.name.map(readName), ...usualNames(listen)];
  return {
    listen,
    mirror: readMirror(flags),
    hosts: [first ?? '', ...rest],
    readCertificate:
      cert === undefined || key === undefined
        ? undefined
        : async () => ({cert: await readText(resolve(cwd, cert)), key: await readText(resolve(cwd, key))}),
    passwords: htpasswd === undefined ? undefined : await openPasswordFile(resolve(cwd, htpasswd)),
    blobMax: readSize(flags['max-blob-size'], '--max-blob-size'),
    uploadsMax: readCount(flags['max-uploads'], '--max-uploads'),
    connectionsMax: readCount(flags['max-connections'], '--max-connections'),
  };
}

function readListen(text: string): Settings['listen'] {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3] ?? 0);
  const isAddress = host === '' || host === 'localhost' || isIP(host) !== 0;
  if (match === null || port < 1 || port > 65_535 || !isAddress) {
    throw wrongUse(
      `cannot listen at "${text}"`,
      'write an address and a port: 127.0.0.1:5000, 0.0.0.0:5000, [::]:5000',
    );
  }
  return {host: host === '' ? '0.0.0.0' : host, port};
}

/** By which clients on this machine reach it. */
function usualNames({host, port}: Settings['listen']): readonly string[] {
  const address = isIP(host) === 6 ? `[${host}]` : host;
  const isAnywhere = host === '0.0.0.0' || host === '::';
  const isLoopback = host === 'localhost' || host === '::1' || host.startsWith('127.');
  const names = [...(isAnywhere || isLoopback ? ['localhost'] : []), ...(isAnywhere ? ['127.0.0.1'] : [address])];
  return [...new Set(names)].map((name) => `${name}:${port}`);
}

/** Names of other registries are theirs: what is pushed here must not become an image from there. */
function readName(text: string): string {
  const {registry} = orUndefined(() => parseReference(`${text}/x:x`)) ?? {};
  if (registry === text && registry !== 'docker.io') return text;
  throw wrongUse(
    `"${text}" cannot be the name of this registry`,
    'write it as in the name of an image: registry.example:5000',
  );
}

function readMirror(flags: RegistryFlags): MirrorOptions | undefined {
  const {offline, 'mirror-login': login, 'mirror-max-size': size, 'mirror-max-age': age} = flags;
  if (flags.mirror.length === 0) {
    const given = {'--offline': offline, '--mirror-login': login, '--mirror-max-size': size, '--mirror-max-age': age};
    const [alone] = Object.entries(given).filter(([, value]) => value !== undefined && value !== false);
    if (alone !== undefined) throw wrongUse(`${alone[0]} needs --mirror: nothing is asked for without it`);
    return undefined;
  }
  if (offline && login) throw wrongUse('--offline and --mirror-login cannot go together: nobody is asked');
  if (age !== undefined && age <= 0) throw wrongUse('--mirror-max-age has to be more than nothing');
  const limits = {
    bytesMax: readSize(size, '--mirror-max-size'),
    unusedMs: age === undefined ? Number.POSITIVE_INFINITY : age * 1000,
    sureMs: keep.blobsKeptMs,
  };
  return {registries: flags.mirror.map(readMirrored), offline, login, limits};
}

function readMirrored(text: string): string {
  const {registry} = orUndefined(() => parseReference(`${text}/x/x:x`)) ?? {};
  if (registry === text) return text;
  throw wrongUse(`"${text}" is not the name of a registry`, 'write it as in the name of an image: docker.io, quay.io');
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function readSize(text: string | undefined, flag: string): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const size = parseBytes(text);
  if (size !== undefined && size > 0) return size;
  throw wrongUse(`${flag}: "${text}" is no size`, 'write it as 500m or 20g');
}

function readCount(count: number | undefined, flag: string): number {
  if (count === undefined) return usualMax;
  if (count > 0) return count;
  throw wrongUse(`${flag} has to be 1 at least`);
}

async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT')
      throw new TscomposeError('notFound', `cannot read ${path}: no such file`, {cause: error});
    throw toTscomposeError(error, `cannot read ${path}`);
  });
}

interface Serving {
  readonly registry: Registry;
  readonly hosting: Hosting;
  readonly settings: Settings;
}

/** Until the first signal to end. */
async function serve(context: CliContext, {registry, hosting, settings}: Serving): Promise<number> {
  let end: () => void = () => {};
  const ended = new Promise<void>((resolvePromise) => {
    end = resolvePromise;
  });
  using _interrupt = context.onInterrupt(() => end());
  const {listen, readCertificate, connectionsMax, passwords} = settings;
  const tls = await readCertificate?.();
  const log = (line: string) => void context.stdout.write(`${line}\n`);
  const listener: RegistryListener = await listenRegistry(registry, {
    ...listen,
    ...{tls, log, idleMs, connectionsMax, now: context.now},
  });
  const warn = (text: string) => context.stderr.write(`warning: ${text}\n`);
  if (!isLoopback(listen.host) && passwords === undefined)
    warn('whoever reaches this registry may push to it, since there is no --htpasswd');
  if (!isLoopback(listen.host) && passwords && tls === undefined)
    warn('passwords travel in the clear, since there is no --tls-cert');
  if (settings.mirror?.login)
    warn(
      `whoever may pull here gets what your logins give at ${settings.mirror.registries.join(', ')} (--mirror-login)`,
    );
  log(
    `listening at ${tls ? 'https' : 'http'}://${isIP(listen.host) === 6 ? `[${listen.host}]` : listen.host}:${listen.port}`,
  );
  using _hangup = context.onSignals(['SIGHUP'], () => {
    if (readCertificate === undefined) return log('nothing to read again: there is no certificate');
    readCertificate()
      .then((certificate) => listener.renew(certificate))
      .then(() => log('the certificate was read again'))
      .catch((error: unknown) => warn(`the certificate stays as it was: ${toTscomposeError(error).message}`));
  });
  let sweeping = Promise.resolve();
  const sweep = () => {
    sweeping = sweeping
      .then(() => hosting.sweep())
      .catch((error: unknown) => void warn(`cannot clear away what is not needed: ${toTscomposeError(error).message}`));
  };
  sweep();
  const timer = setInterval(sweep, sweepEveryMs);
  try {
    await ended;
    return 0;
  } finally {
    clearInterval(timer);
    await Promise.all([listener.close(endMs), sweeping]);
    await hosting.close();
  }
}

function isLoopback(host: string): boolean {
  return host === '::1' || host === 'localhost' || host.startsWith('127.');
}

function wrongUse(message: string, hint?: string): TscomposeError {
  return new TscomposeError('invalid', message, {exitCode: exitCodes.usage, hint});
}
