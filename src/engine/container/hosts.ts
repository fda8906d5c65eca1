import {chmodSync, rmSync, writeFileSync} from 'node:fs';
import {mkdir, readFile} from '../at-once.ts';
import type {ContainerPaths} from '../layout.ts';
import type {NetworkPlan} from './context.ts';
import type {LegacyLinks} from './legacy-links.ts';
import {containerOfMode} from './namespace-modes.ts';
import type {ContainerRecord} from './record.ts';

/** Of /etc/hosts in every container, as Docker writes it. */
const commonHosts = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'ff00::\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

/**
 * Makes the container's run directory, and its hosts, hostname and resolv.conf: new at each start, so that no change of an
 * earlier run stays. One in the network of another container has that one's.
 */
export async function writeIdentityFiles(
  paths: ContainerPaths,
  record: ContainerRecord,
  {network, links}: {readonly network: NetworkPlan; readonly links: LegacyLinks},
): Promise<void> {
  await mkdir(paths.run, {recursive: true, mode: 0o700});
  if (containerOfMode(record.hostConfig.NetworkMode) !== undefined) return;
  const hostNetwork = record.hostConfig.NetworkMode === 'host';
  const hosts =
    hostNetwork && (record.hostConfig.ExtraHosts ?? []).length === 0
      ? await readMachineFile('/etc/hosts')
      : renderHosts(record, network, links.hosts);
  writeNew(paths.hosts, hosts);
  writeNew(paths.hostname, `${record.config.Hostname ?? ''}\n`);
  writeNew(paths.resolvConf, network.resolvConf);
}

/** World-readable: the container's users read them, behind directories that nobody else enters. A file of a run whose end nobody cleared has whatever mode the container gave it. */
function writeNew(path: string, text: string): void {
  rmSync(path, {force: true});
  writeFileSync(path, text, {flag: 'wx'});
  chmodSync(path, 0o644);
}

function renderHosts(record: ContainerRecord, network: NetworkPlan, links: readonly string[]): string {
  const extra = (record.hostConfig.ExtraHosts ?? []).flatMap((entry) => renderExtraHost(entry, network));
  return `${[...commonHosts, ...extra, ...links].join('\n')}\n${ownHostLines(record, network.addresses)}`;
}

/** The container's own addresses: a line each. */
export function ownHostLines({config}: ContainerRecord, addresses: readonly string[]): string {
  const hostname = config.Hostname ?? '';
  const names = config.Domainname ? `${hostname}.${config.Domainname} ${hostname}` : hostname;
  return addresses.map((address) => `${address}\t${names}\n`).join('');
}

/** `name:address` or `name=address`; an IPv6 address may stand in brackets. Where there is no way to the machine, nobody has its name. */
function renderExtraHost(entry: string, network: NetworkPlan): readonly string[] {
  const at = entry.search(/[:=]/);
  const name = entry.slice(0, at);
  const value = entry.slice(at + 1).replace(/^\[(.*)\]$/, '$1');
  if (value !== 'host-gateway') return [`${value}\t${name}`];
  return network.gateway === undefined ? [] : [`${network.gateway}\t${name}`];
}

async function readMachineFile(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
}
