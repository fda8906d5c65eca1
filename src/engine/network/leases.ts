import {mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {validateNetworkEndpoint} from '../generated/record-validators.js';
import type {Layout} from '../layout.ts';
import {parseRecord, temporaryPrefix} from '../record-store.ts';
import type {PublishedPort} from './port-elements.ts';

/**
 * A running container on a network, as others need to know it: its addresses are taken, its names are answered, its ports
 * are published. Lies beside the name file and lives as long. schemas/record/network-endpoint.schema.json.
 */
export interface Endpoint {
  readonly v: 1;
  readonly container: string;
  readonly name: string;
  readonly endpoint: string;
  readonly interface: string;
  readonly mac: string;
  /** IPv4 before IPv6. */
  readonly addresses: readonly string[];
  readonly names: readonly string[];
  readonly ports: readonly PublishedPort[];
}

const containerId = /^[0-9a-f]{64}$/;

/** Everything that is leased on a network. Read at once: dozens of small files in memory, for every start. */
export function readEndpoints(layout: Layout, networkId: string): readonly Endpoint[] {
  const {endpoints} = layout.network(networkId);
  return list(endpoints).flatMap((id) => readEndpoint(layout, networkId, id) ?? []);
}

export function readEndpoint(layout: Layout, networkId: string, container: string): Endpoint | undefined {
  const path = join(layout.network(networkId).endpoints, container);
  try {
    return parseRecord<Endpoint>(readFileSync(path, 'utf8'), path, validateNetworkEndpoint);
  } catch (error) {
    // Its container has just ended.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((name) => containerId.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Takes the lease. The name service answers from now on. Written at once, as they are read: a start waits for nothing
 * else here, and the run directory is in memory.
 */
export function writeEndpoint(layout: Layout, networkId: string, endpoint: Endpoint): void {
  const {names, endpoints} = layout.network(networkId);
  for (const directory of [names, endpoints]) mkdirSync(directory, {recursive: true, mode: 0o700});
  putInPlace(endpoints, endpoint.container, `${JSON.stringify(endpoint)}\n`);
  putInPlace(names, endpoint.container, `${endpoint.addresses.join(' ')} | ${endpoint.names.join(' ')}\n`);
}

/** Only the holder of the networks' lock writes, so that one temporary name a file is enough. */
function putInPlace(directory: string, name: string, content: string): void {
  const temporary = join(directory, `${temporaryPrefix}${name}`);
  try {
    writeFileSync(temporary, content, {mode: 0o600});
    renameSync(temporary, join(directory, name));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw toTscomposeError(error, `cannot write ${directory}`);
    throw new TscomposeError('exhausted', `cannot write ${directory}: no space left`, {cause: error});
  }
}

/** The files of a lease; the monitor unlinks them at its end. */
export function leaseFiles(layout: Layout, networkId: string, container: string): readonly string[] {
  const {names, endpoints} = layout.network(networkId);
  return [join(names, container), join(endpoints, container)];
}

export function removeEndpoint(layout: Layout, networkId: string, container: string): void {
  for (const path of leaseFiles(layout, networkId, container)) rmSync(path, {force: true});
}

/**
 * What a process that was killed had half written of a lease. The caller holds the container's operation lock, so that nobody
 * is writing it.
 */
export function removeUnfinishedLease(layout: Layout, networkId: string, container: string): void {
  for (const path of leaseFiles(layout, networkId, temporaryPrefix + container)) rmSync(path, {force: true});
}

/** Names that are half-written: of a process that was killed. */
export function removeUnfinishedLeases(layout: Layout, networkId: string): void {
  const {names, endpoints} = layout.network(networkId);
  for (const directory of [names, endpoints]) {
    for (const name of listAll(directory)) {
      if (name.startsWith(temporaryPrefix)) rmSync(join(directory, name), {force: true});
    }
  }
}

function listAll(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
