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
      message: `services.${service}: of ${replicas} containers only one can publish port ${number}/${port.protocol} of the machine`,
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
  for (const [at, later] of ports.entries()) {
    const first = ports.slice(0, at).find((earlier) => isSamePort(earlier, later));
    if (first === undefined) continue;
    const firstPlace = place(context, ['services', first.service, 'ports', first.index], 'value');
    context.problems.error(place(context, ['services', later.service, 'ports', later.index], 'value'), {
      code: 'conflict',
      message: `services.${later.service}: port ${later.number}/${later.port.protocol} of the machine is published twice`,
      hint: 'publish one of them elsewhere',
      related: firstPlace === undefined ? undefined : {message: 'published first', at: firstPlace},
    });
  }
}

function isSamePort(a: PublishedPort, b: PublishedPort): boolean {
  return a.number === b.number && a.port.protocol === b.port.protocol && overlap(a.port.host_ip, b.port.host_ip);
}

/** No address is every address; `0.0.0.0` and `::` are every one of their family. */
function overlap(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || a === b) return true;
  if (a.includes(':') !== b.includes(':')) return false;
  return [a, b].some((address) => address === '0.0.0.0' || address === '::');
}
