import {parsePortRange} from '../attributes/ports.ts';
import type {Port, Service} from '../types.ts';
import {type CheckContext, place} from './check-context.ts';

/** A port of the machine can be had once: within one service here, between services where containers are to be made. */
export function checkPorts(name: string, service: Service, context: CheckContext): void {
  reportTwins(publishedPorts({[name]: service}), context);
}

/** What can be said only of services that run together: that they want the same port of the machine. */
export function checkTogether(services: Readonly<Record<string, Service>>, context: CheckContext): void {
  const ports = publishedPorts(services);
  reportTwins(ports, context);
  for (const {service, index, number, port} of ports) {
    const replicas = services[service]?.scale ?? services[service]?.deploy?.replicas ?? 1;
    if (replicas < 2) continue;
    context.problems.warning(place(context, ['services', service, 'ports', index], 'value'), {
      code: 'conflict',
      message: `services.${service}: of ${replicas} containers only one can publish host port ${number}/${port.protocol}`,
      hint: `publish a range, like ${number}-${number + replicas - 1}:${port.target}`,
    });
  }
}

interface PublishedPort {
  readonly service: string;
  readonly index: number;
  readonly port: Port;
  readonly number: number;
}

/** Ports that are one certain port of the machine; 0 and a range let the engine choose. */
function publishedPorts(services: Readonly<Record<string, Service>>): readonly PublishedPort[] {
  return Object.entries(services).flatMap(([service, {ports = []}]) =>
    ports.flatMap((port, index) => {
      const range = port.published === undefined ? undefined : parsePortRange(port.published);
      const certain = range !== undefined && range.first === range.last && range.first > 0;
      return certain ? [{service, index, port, number: range.first}] : [];
    }),
  );
}

function reportTwins(ports: readonly PublishedPort[], context: CheckContext): void {
  /** The first port at each address, by number, protocol and scope. */
  const taken = new Map<string, PublishedPort>();
  for (const later of ports) {
    const {number, port} = later;
    const {asks, takes} = scopesOf(port.host_ip);
    const key = (scope: string): string => `${number}/${port.protocol} ${scope}`;
    const first = asks.map((scope) => taken.get(key(scope))).find((found) => found !== undefined);
    for (const scope of takes) if (!taken.has(key(scope))) taken.set(key(scope), later);
    if (first === undefined) continue;
    const firstPlace = place(context, ['services', first.service, 'ports', first.index], 'value');
    context.problems.error(place(context, ['services', later.service, 'ports', later.index], 'value'), {
      code: 'conflict',
      message: `services.${later.service}: host port ${number}/${port.protocol} is published twice`,
      hint: 'publish one of them on another port',
      related: firstPlace === undefined ? undefined : {message: 'published first', at: firstPlace},
    });
  }
}

interface Scopes {
  /** Where one that was published before is in the way. */
  readonly asks: readonly string[];
  /** Where this one is in the way of later ones. */
  readonly takes: readonly string[];
}

/** No address is every address; `0.0.0.0` and `::` are every one of their family. */
function scopesOf(address: string | undefined): Scopes {
  if (address === undefined) return {asks: ['any'], takes: ['any', 'every']};
  const family = address.includes(':') ? 'IPv6' : 'IPv4';
  const takes = ['any', family];
  if (address === '0.0.0.0' || address === '::') return {asks: [family, 'every'], takes: [...takes, `every ${family}`]};
  return {asks: [address, `every ${family}`, 'every'], takes: [...takes, address]};
}
