import {boundAddresses, type PublishAddress} from '../../api/port-reach.ts';
import type {PortBinding, PortMap} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {PortProtocol} from './firewall-rules.ts';
import {type Address, parseAddress} from './ip.ts';

/** A port that is to be published, as the container's settings say. */
export interface WantedPort {
  /** `80/tcp`. */
  readonly key: string;
  readonly protocol: PortProtocol;
  readonly containerPort: number;
  /** Addresses of the machine; all are given the same port. */
  readonly hostAddresses: readonly string[];
  /** First and last port to try; absent: any free one. */
  readonly range?: readonly [number, number];
}

export interface BindingDefaults {
  readonly address: PublishAddress;
  /** IPv6 addresses can be bound. */
  readonly ipv6: boolean;
}

/** `publishAll` are exposed ports that get a port each. Throws `invalid`. */
export function readBindings(
  bindings: PortMap,
  publishAll: readonly string[],
  defaults: BindingDefaults,
): readonly WantedPort[] {
  const all = publishAll.filter((key) => !bindings[key]?.length).map((key) => [key, [{}]] as const);
  return [...Object.entries(bindings), ...all].flatMap(([key, list]) =>
    (list ?? []).map((binding) => readBinding(key, binding, defaults)),
  );
}

function readBinding(key: string, {HostIp = '', HostPort = ''}: PortBinding, defaults: BindingDefaults): WantedPort {
  const {containerPort, protocol} = parsePortKey(key);
  const range = parseHostPort(HostPort, key);
  const hostAddresses = addressesOf(HostIp, key, defaults);
  return {key, protocol, containerPort, hostAddresses, ...(range ? {range} : {})};
}

/** `80/tcp`, `80`. */
function parsePortKey(key: string): {readonly containerPort: number; readonly protocol: PortProtocol} {
  const [port = '', protocol = 'tcp'] = key.split('/');
  const containerPort = Number(port);
  if (!/^\d+$/.test(port) || containerPort < 1 || containerPort > 65535) {
    throw new TscomposeError('invalid', `invalid port specification: "${key}"`);
  }
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') {
    throw new TscomposeError('invalid', `cannot publish ${key}: protocol "${protocol}" is not tcp, udp or sctp`);
  }
  return {containerPort, protocol};
}

/** Undefined: any. Throws `invalid`. */
export function parseHostPort(text: string, key: string): readonly [number, number] | undefined {
  if (text === '' || text === '0') return undefined;
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || first < 1 || last > 65535 || first > last) {
    throw new TscomposeError('invalid', `cannot publish ${key}: "${text}" is not a port or a range of ports`);
  }
  return [first, last];
}

function addressesOf(text: string, key: string, {address, ipv6}: BindingDefaults): readonly string[] {
  const addresses = boundAddresses(text, address);
  const parsed = addresses.map((bound) => checkAddress(bound, key));
  // A machine without IPv6 binds the IPv4 one of a pair.
  return addresses.length === 1 ? addresses : addresses.filter((_bound, index) => ipv6 || parsed[index]?.family === 4);
}

function checkAddress(text: string, key: string): Address {
  const address = parseAddress(text);
  if (!address) throw new TscomposeError('invalid', `cannot publish ${key}: "${text}" is not an IP address`);
  return address;
}
