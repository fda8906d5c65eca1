import {protocolNumbers} from './firewall-rules.ts';
import {bytesOf, isLoopback, parseAddress} from './ip.ts';
import type {Kernel} from './kernel.ts';
import {unlessMissing} from './machine.ts';
import {addressFamilies} from './netlink/address.ts';
import {type Connection, decodeConnection, deleteConnection, getConnections} from './netlink/conntrack.ts';
import type {PublishedPort} from './port-elements.ts';

/**
 * A UDP "connection" is remembered with its translation for as long as its sender goes on: it would be led to the address of
 * a container that is gone. Those that lead to no published port of now are forgotten. `published`: of all containers.
 */
export async function forgetStaleConnections(
  kernel: Kernel,
  ports: readonly PublishedPort[],
  published: readonly PublishedPort[],
): Promise<void> {
  const targets = new Set(
    published.map(({containerAddress, containerPort}) => targetKey(containerAddress, containerPort)),
  );
  const questions = new Map(ports.flatMap((port) => question(port) ?? []));
  for (const asked of questions.values()) {
    const connections = await kernel.read('netfilter', getConnections(asked), decodeConnection, 'list connections');
    for (const connection of connections) {
      // An older kernel does not compare for us.
      const isAsked = connection.protocol === asked.protocol && connection.destinationPort === asked.destinationPort;
      if (!isAsked || !isTranslated(connection) || targets.has(keyOf(connection))) continue;
      await unlessMissing(kernel.connection(deleteConnection(connection), 'forget a connection'));
    }
  }
}

type Question = Parameters<typeof getConnections>[0];

function question({
  protocol,
  hostAddress,
  hostPort,
}: PublishedPort): readonly (readonly [string, Question])[] | undefined {
  const address = parseAddress(hostAddress);
  // A TCP connection ends with its container, and loopback is not translated.
  if (protocol !== 'udp' || !address || isLoopback(address)) return undefined;
  const family = address.family === 4 ? addressFamilies.inet : addressFamilies.inet6;
  return [[`${family} ${hostPort}`, {family, protocol: protocolNumbers.udp, destinationPort: hostPort}]];
}

function isTranslated({destination, destinationPort, answers, answersPort}: Connection): boolean {
  return destinationPort !== answersPort || Buffer.compare(destination, answers) !== 0;
}

function targetKey(address: string, port: number): string {
  const parsed = parseAddress(address);
  return `${parsed ? Buffer.from(bytesOf(parsed)).toString('hex') : ''} ${port}`;
}

function keyOf({answers, answersPort}: Connection): string {
  return `${Buffer.from(answers).toString('hex')} ${answersPort}`;
}
