import {readdirSync, readFileSync} from 'node:fs';
import {mkdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {validateNetworkEndpoint} from '../generated/record-validators.js';
import type {Layout} from '../layout.ts';
import {parseRecord, temporaryPrefix, writeFileAtomically, writeRecord} from '../record-store.ts';
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

/** Takes the lease. The name service answers from now on. */
export async function writeEndpoint(layout: Layout, networkId: string, endpoint: Endpoint): Promise<void> {
  const {names, endpoints} = layout.network(networkId);
  await Promise.all([names, endpoints].map((directory) => mkdir(directory, {recursive: true, mode: 0o700})));
  await writeRecord(join(endpoints, endpoint.container), endpoint);
  await writeFileAtomically(
    join(names, endpoint.container),
    `${endpoint.addresses.join(' ')} | ${endpoint.names.join(' ')}\n`,
  );
}

/** The files of a lease; the monitor unlinks them at its end. */
export function leaseFiles(layout: Layout, networkId: string, container: string): readonly string[] {
  const {names, endpoints} = layout.network(networkId);
  return [join(names, container), join(endpoints, container)];
}

export async function removeEndpoint(layout: Layout, networkId: string, container: string): Promise<void> {
  for (const path of leaseFiles(layout, networkId, container)) await rm(path, {force: true});
}

/** Names that are half-written: of a process that was killed. */
export async function removeUnfinishedLeases(layout: Layout, networkId: string): Promise<void> {
  const {names, endpoints} = layout.network(networkId);
  for (const directory of [names, endpoints]) {
    for (const name of listAll(directory)) {
      if (name.startsWith(temporaryPrefix)) await rm(join(directory, name), {force: true});
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
