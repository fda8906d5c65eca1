import {createHash} from 'node:crypto';
import {mkdtempSync, rmSync} from 'node:fs';
import {request as httpRequest} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'vitest';
import {createEngine} from '../../../src/engine/create-engine.ts';
import type {Engine} from '../../../src/engine/engine.ts';
import type {Hosting, HostingOptions} from '../../../src/engine/hosting/hosting.ts';
import {
  listenRegistry,
  type RegistryListener,
  type RegistryListenOptions,
} from '../../../src/server/registry/listen.ts';
import {createRegistry, type Registry, type RegistryOptions} from '../../../src/server/registry/registry.ts';
import {eventually} from '../../support/host.ts';

/** The name of the registry, in references. */
export const registryName = 'registry.test:5000';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  json(): unknown;
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** A registry over an engine of its own, reached by a socket. */
export interface RegistryBed extends AsyncDisposable {
  readonly directory: string;
  readonly root: string;
  readonly engine: Engine;
  readonly hosting: Hosting;
  readonly listener: RegistryListener;
  /** Lines of its log so far. */
  readonly log: readonly string[];
  /** Resolves once every request so far has its line: that comes a moment after the answer. */
  logged(): Promise<void>;
  send(method: string, path: string, options?: RequestOptions): Promise<Reply>;
}

const hour = 60 * 60 * 1000;

/** A mirror that asks as anybody, and keeps what comes. */
export const plainMirror = {
  offline: false,
  login: false,
  limits: {bytesMax: Number.POSITIVE_INFINITY, unusedMs: Number.POSITIVE_INFINITY, sureMs: hour},
} as const;

export type BedOptions = Partial<Omit<HostingOptions, 'hosts'>> &
  Partial<Omit<RegistryOptions, 'hosting' | 'hosts'>> &
  Partial<Pick<RegistryListenOptions, 'idleMs' | 'tls' | 'connectionsMax'>> & {
    readonly now?: () => number;
    /** The logins of whoever runs it. */
    readonly credentialOf?: (host: string) => Promise<{readonly username: string; readonly password: string}>;
    /** A file that says where registries are (`registries.json`). */
    readonly registriesFile?: string;
    /** Of an earlier bed: then the directory stays the caller's. */
    readonly directory?: string;
  };

export async function makeRegistry(options: BedOptions = {}): Promise<RegistryBed> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'tsc-registry-'));
  const root = join(directory, 'root');
  const engine = await createEngine({
    ...{root, run: join(directory, 'run'), cgroupParent: 'tsc-registry-test', version: '0'},
    ...{helperPath: process.env['TSCOMPOSE_HELPER'], nodePath: process.execPath, now: options.now ?? Date.now},
    registries: {
      settings: {
        paths: options.registriesFile === undefined ? [] : [options.registriesFile],
        isRequired: false,
      },
      ...{certificateDirectories: [], authorityFiles: [], proxy: {}},
      ...(options.credentialOf === undefined ? {} : {credentialOf: options.credentialOf}),
    },
  });
  const hosting = await engine.hosting.open({
    hosts: [registryName],
    local: options.local ?? true,
    unpack: options.unpack ?? true,
    limits: options.limits ?? {blobMax: 64 * 1024 * 1024, openMax: 100},
    keep: options.keep ?? {blobsKeptMs: hour, uploadsKeptMs: hour},
    mirror: options.mirror,
  });
  const registry = createRegistry({
    hosting,
    hosts: [registryName],
    blobMax: options.limits?.blobMax ?? 64 * 1024 * 1024,
    passwords: options.passwords,
    tokens: options.tokens,
    anonymousPull: options.anonymousPull ?? false,
    readOnly: options.readOnly ?? false,
  });
  const log: string[] = [];
  let begun = 0;
  const counted: Registry = {
    ...registry,
    handle(request) {
      begun += 1;
      return registry.handle(request);
    },
  };
  const listener = await listenRegistry(counted, {
    host: '127.0.0.1',
    port: 0,
    tls: options.tls,
    now: Date.now,
    log: (line) => void log.push(line),
    idleMs: options.idleMs ?? 30_000,
    connectionsMax: options.connectionsMax ?? 100,
  });
  return {
    ...{directory, root, engine, hosting, listener, log},
    logged: () => eventually(() => expect(log).toHaveLength(begun)),
    send: (method, path, request = {}) => send(listener.port, method, path, request),
    async [Symbol.asyncDispose]() {
      await listener.close(0);
      await hosting.close();
      await engine.close();
      if (options.directory === undefined) rmSync(directory, {recursive: true, force: true});
    },
  };
}

function send(port: number, method: string, path: string, {headers = {}, body}: RequestOptions): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const length =
      body === undefined || headers['transfer-encoding'] !== undefined
        ? {}
        : {'content-length': String(Buffer.byteLength(body))};
    const sent = httpRequest({host: '127.0.0.1', port, method, path, headers: {...length, ...headers}}, (message) => {
      const pieces: Buffer[] = [];
      message.on('data', (piece: Buffer) => pieces.push(piece));
      message.on('error', reject);
      message.on('end', () => {
        const bytes = Buffer.concat(pieces);
        resolve({
          status: message.statusCode ?? 0,
          headers: Object.fromEntries(
            Object.entries(message.headers).map(([name, value]) => [
              name,
              Array.isArray(value) ? value.join(', ') : (value ?? ''),
            ]),
          ),
          body: bytes,
          json: () => JSON.parse(bytes.toString('utf8')),
        });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function sha512(bytes: Uint8Array | string): string {
  return `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
}

/** The codes of the errors that a refusal tells. */
export function codesOf(reply: Reply): readonly string[] {
  return (reply.json() as {readonly errors: readonly {readonly code: string}[]}).errors.map(({code}) => code);
}

/** Status and code of a refusal. */
export function refusalOf(reply: Reply): readonly [number, ...string[]] {
  return [reply.status, ...codesOf(reply)];
}

export const types = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

export interface Described {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export function describeBytes(bytes: Uint8Array | string, mediaType: string): Described {
  return {mediaType, digest: sha256(bytes), size: Buffer.byteLength(bytes)};
}

/** Sends a blob in one request. */
export async function pushBlob(
  bed: Pick<RegistryBed, 'send'>,
  repository: string,
  bytes: Uint8Array | string,
  mediaType = 'application/octet-stream',
): Promise<Described> {
  const described = describeBytes(bytes, mediaType);
  const reply = await bed.send('POST', `/v2/${repository}/blobs/uploads/?digest=${described.digest}`, {body: bytes});
  expect([reply.status, reply.headers['location'], reply.headers['docker-content-digest']]).toEqual([
    201,
    `/v2/${repository}/blobs/${described.digest}`,
    described.digest,
  ]);
  return described;
}

/** Sends a manifest, and answers its descriptor. */
export async function pushManifest(
  bed: Pick<RegistryBed, 'send'>,
  repository: string,
  manifest: object | string,
  {reference, mediaType}: {readonly reference?: string; readonly mediaType?: string} = {},
): Promise<Described & {readonly bytes: string}> {
  const bytes = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
  const type = mediaType ?? (JSON.parse(bytes) as {readonly mediaType: string}).mediaType;
  const described = describeBytes(bytes, type);
  const path = `/v2/${repository}/manifests/${reference ?? described.digest}`;
  const reply = await bed.send('PUT', path, {headers: {'content-type': type}, body: bytes});
  expect([reply.status, reply.body.toString(), reply.headers['docker-content-digest']]).toEqual([
    201,
    '',
    described.digest,
  ]);
  return {...described, bytes};
}
