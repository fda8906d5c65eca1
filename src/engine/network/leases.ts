import {mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
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
  /** It is being connected: its addresses are taken, but nobody is to know of it yet. */
  readonly joining?: boolean;
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
  if (endpoint.joining !== true) putInPlace(names, endpoint.container, nameFile(endpoint));
}

function nameFile({addresses, names}: Endpoint): string {
  return `${addresses.join(' ')} | ${names.join(' ')}\n`;
}

/** A file that waits beside its place to be put there. */
export interface PreparedFile {
  readonly source: string;
  readonly target: string;
}

/** Both files of a lease, for a monitor to put in place. The directories are there. */
export function prepareEndpoint(layout: Layout, networkId: string, endpoint: Endpoint): readonly PreparedFile[] {
  const [name, lease] = leaseFiles(layout, networkId, endpoint.container);
  const prepare = (target: string, content: string) => {
    const source = temporaryOf(target);
    writeNew(source, content);
    return {source, target};
  };
  return [prepare(name, nameFile(endpoint)), prepare(lease, `${JSON.stringify(endpoint)}\n`)];
}

/** Only the holder of the networks' lock writes, so that one temporary name a file is enough. */
function temporaryOf(target: string): string {
  return join(dirname(target), `${temporaryPrefix}${basename(target)}`);
}

function putInPlace(directory: string, name: string, content: string): void {
  const target = join(directory, name);
  writeNew(temporaryOf(target), content);
  renameSync(temporaryOf(target), target);
}

function writeNew(path: string, content: string): void {
  try {
    writeFileSync(path, content, {mode: 0o600});
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw toTscomposeError(error, `cannot write ${dirname(path)}`);
    throw new TscomposeError('exhausted', `cannot write ${dirname(path)}: no space left`, {cause: error});
  }
}

/** The files of a lease, the name file first; the monitor unlinks them at its end. */
export function leaseFiles(layout: Layout, networkId: string, container: string): readonly [string, string] {
  const {names, endpoints} = layout.network(networkId);
  return [join(names, container), join(endpoints, container)];
}

/** With what was prepared for it: a monitor that is still about to put it in place then takes its change back. */
export function removeEndpoint(layout: Layout, networkId: string, container: string): void {
  removeUnfinishedLease(layout, networkId, container);
  for (const path of leaseFiles(layout, networkId, container)) rmSync(path, {force: true});
}

/**
 * What was prepared for a lease and not put in place, also by a process that was killed. The caller holds the container's operation lock, so that nobody
 * is writing it.
 */
export function removeUnfinishedLease(layout: Layout, networkId: string, container: string): void {
  for (const path of leaseFiles(layout, networkId, container)) rmSync(temporaryOf(path), {force: true});
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
