import type {PortMap} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import {choosePort} from './choose-port.ts';
import {isUnspecified, parseAddress} from './ip.ts';
import type {Endpoint} from './leases.ts';
import type {WantedPort} from './port-bindings.ts';
import type {PublishedPort} from './port-elements.ts';

/** Where published ports of a container lead, by family; a missing one is reached through the other by the proxy. */
export interface PublishTargets {
  readonly ipv4?: string | undefined;
  readonly ipv6?: string | undefined;
}

export interface PublishRequest {
  readonly wanted: readonly WantedPort[];
  readonly targets: PublishTargets;
  /** Of all other running containers. */
  readonly others: readonly Endpoint[];
  /** What the container has bound already: a port that was chosen for it stays. */
  readonly held: readonly PublishedPort[];
  /** `net.ipv4.ip_local_port_range`. */
  readonly localRange: string | undefined;
}

/** The container that has a port which is wanted. */
export interface PortConflict {
  readonly port: PublishedPort;
  readonly endpoint: Endpoint;
}

/** Gives every wanted port its number on the machine. Answers who has a port that was asked for by number. */
export async function choosePublished(
  request: PublishRequest,
): Promise<{readonly ports: readonly PublishedPort[]} | {readonly heldBy: PortConflict}> {
  const ports: PublishedPort[] = [];
  for (const wanted of request.wanted) {
    const [first, last] = wanted.range ?? [0, 0];
    if (wanted.range && first === last) {
      const numbered = withNumber(wanted, first, request.targets);
      const heldBy = conflictOf(numbered, request.others);
      if (heldBy) return {heldBy};
      refuseTwice(numbered, ports);
      ports.push(...numbered);
      continue;
    }
    const again = heldNumber(wanted, request.held, ports);
    if (again !== undefined) {
      ports.push(...withNumber(wanted, again, request.targets));
      continue;
    }
    const isTaken = (number: number) => {
      const numbered = withNumber(wanted, number, request.targets);
      return conflictOf(numbered, request.others) !== undefined || numbered.some((port) => ports.some(collides(port)));
    };
    const number = await choosePort({
      protocol: wanted.protocol,
      addresses: wanted.hostAddresses,
      ...(wanted.range ? {range: wanted.range} : {}),
      isTaken,
      localRange: request.localRange,
    });
    ports.push(...withNumber(wanted, number, request.targets));
  }
  return {ports};
}

/** The number under which just this is published already. */
function heldNumber(
  {protocol, containerPort, hostAddresses, range}: WantedPort,
  held: readonly PublishedPort[],
  ports: readonly PublishedPort[],
): number | undefined {
  const [first, last] = range ?? [1, 65535];
  const isHeld = (hostAddress: string, hostPort: number) =>
    held.some(
      (port) =>
        port.protocol === protocol &&
        port.containerPort === containerPort &&
        port.hostAddress === hostAddress &&
        port.hostPort === hostPort,
    );
  const isFree = ({hostPort}: PublishedPort) =>
    hostPort >= first &&
    hostPort <= last &&
    hostAddresses.every((address) => isHeld(address, hostPort)) &&
    !ports.some((port) => port.protocol === protocol && port.hostPort === hostPort);
  return held.find(isFree)?.hostPort;
}

function withNumber(wanted: WantedPort, hostPort: number, targets: PublishTargets): readonly PublishedPort[] {
  const {protocol, containerPort} = wanted;
  return wanted.hostAddresses.map((hostAddress) => {
    const {ipv4, ipv6} = targets;
    const containerAddress = (hostAddress.includes(':') ? (ipv6 ?? ipv4) : (ipv4 ?? ipv6)) ?? '';
    return {protocol, hostAddress, hostPort, containerAddress, containerPort};
  });
}

function conflictOf(ports: readonly PublishedPort[], others: readonly Endpoint[]): PortConflict | undefined {
  for (const port of ports) {
    const endpoint = others.find((candidate) => candidate.ports.some(collides(port)));
    if (endpoint) return {port, endpoint};
  }
  return undefined;
}

function refuseTwice(numbered: readonly PublishedPort[], ports: readonly PublishedPort[]): void {
  const twice = numbered.find((port) => ports.some(collides(port)));
  if (twice)
    throw new TscomposeError('conflict', `cannot publish ${formatPublished(twice)}: the container publishes it twice`);
}

/** They cannot both be bound: same port, and the same address or one of them all addresses of its family. */
function collides(a: PublishedPort): (b: PublishedPort) => boolean {
  return (b) => {
    if (a.protocol !== b.protocol || a.hostPort !== b.hostPort) return false;
    const [one, other] = [parseAddress(a.hostAddress), parseAddress(b.hostAddress)];
    if (!one || !other || one.family !== other.family) return false;
    return one.value === other.value || isUnspecified(one) || isUnspecified(other);
  };
}

/** `0.0.0.0:8080/tcp`, `[::1]:53/udp`. */
export function formatPublished({protocol, hostAddress, hostPort}: PublishedPort): string {
  const address = hostAddress.includes(':') ? `[${hostAddress}]` : hostAddress;
  return `${address}:${hostPort}/${protocol}`;
}

/** As inspect answers it: exposed ports that are not published have none. */
export function portMapOf(ports: readonly PublishedPort[], exposed: readonly string[]): PortMap {
  const map: Record<string, {readonly HostIp: string; readonly HostPort: string}[] | null> = {};
  for (const key of exposed) map[key.includes('/') ? key : `${key}/tcp`] = null;
  for (const {protocol, containerPort, hostAddress, hostPort} of ports) {
    const key = `${containerPort}/${protocol}`;
    map[key] = [...(map[key] ?? []), {HostIp: hostAddress, HostPort: String(hostPort)}];
  }
  return map;
}
