import {type PortProtocol, type PortSetName, protocolNumbers} from './firewall-rules.ts';
import {bytesOf, isLoopback, isUnspecified, parseAddress} from './ip.ts';
import type {SetElement} from './netlink/nftables.ts';

/** A published port as the monitor serves it; schemas/record/network-endpoint.schema.json. */
export interface PublishedPort {
  readonly protocol: PortProtocol;
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly containerAddress: string;
  readonly containerPort: number;
}

/** What the firewall needs for a published port. */
export interface PortElement {
  readonly set: PortSetName;
  readonly element: SetElement;
}

/**
 * The element that takes packets for a published address straight to the container. None where the two are of
 * different families: then the proxy carries the connection. A loopback address is closed to the outside instead.
 */
export function portElement(port: PublishedPort, containerId: string): PortElement | undefined {
  const host = parseAddress(port.hostAddress);
  const container = parseAddress(port.containerAddress);
  if (!host || !container) return undefined;
  const suffix = Buffer.concat([inRegister(Uint8Array.of(protocolNumbers[port.protocol])), portBytes(port.hostPort)]);
  const key = isUnspecified(host) ? suffix : Buffer.concat([bytesOf(host), suffix]);
  const comment = containerId.slice(0, 12);
  if (isLoopback(host)) return host.family === 4 ? {set: 'loopback4', element: {key, comment}} : undefined;
  if (host.family !== container.family) return undefined;
  const data = Buffer.concat([bytesOf(container), portBytes(port.containerPort)]);
  const set = isUnspecified(host) ? (`any${host.family}` as const) : (`ports${host.family}` as const);
  return {set, element: {key, data, comment}};
}

function portBytes(port: number): Uint8Array {
  return inRegister(Uint8Array.of(port >> 8, port & 0xff));
}

/** A part of a key fills whole 4-byte registers. */
function inRegister(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(4);
  padded.set(bytes);
  return padded;
}
