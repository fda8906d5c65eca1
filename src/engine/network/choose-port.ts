import {randomInt} from 'node:crypto';
import {createSocket} from 'node:dgram';
import {createServer} from 'node:net';
import {TscomposeError} from '../../base/errors.ts';
import type {PortProtocol} from './firewall-rules.ts';

export interface PortQuestion {
  readonly protocol: PortProtocol;
  /** The port must be free on each of them. */
  readonly addresses: readonly string[];
  /** First and last port to try; absent: the machine's range for such ports. */
  readonly range?: readonly [number, number];
  /** Ports that others have reserved without binding them yet. */
  readonly isTaken: (port: number) => boolean;
  /** `net.ipv4.ip_local_port_range`: two numbers. */
  readonly localRange: string | undefined;
}

/** As many tries as find a free port for certain on any machine that has one to spare. */
const tries = 2000;

/**
 * A port that is free on all addresses at once, by binding it for a moment: clients may try IPv4 and IPv6 alike. A
 * range is tried from its start, any port from a random place. Throws `conflict` when none is free.
 */
export async function choosePort(question: PortQuestion): Promise<number> {
  const {protocol, addresses, range} = question;
  const [first, last] = range ?? readRange(question.localRange);
  const count = last - first + 1;
  const start = range ? 0 : randomInt(count);
  for (let step = 0; step < Math.min(count, tries); step += 1) {
    const port = first + ((start + step) % count);
    if (!question.isTaken(port) && (await isFree(protocol, addresses, port))) return port;
  }
  throw new TscomposeError(
    'conflict',
    `cannot publish a ${protocol} port on ${addresses.join(' and ')}: none from ${first} to ${last} is free`,
  );
}

function readRange(text: string | undefined): readonly [number, number] {
  const match = /^(\d+)\s+(\d+)$/.exec(text ?? '');
  return match ? [Number(match[1]), Number(match[2])] : [32768, 60999];
}

async function isFree(protocol: PortProtocol, addresses: readonly string[], port: number): Promise<boolean> {
  for (const address of addresses) {
    if (!(await canBind(protocol, address, port))) return false;
  }
  return true;
}

/** False where another socket has it (of SCTP, which only the monitor can bind, nobody knows); throws `invalid` for an address that is not the machine's. */
export async function canBind(protocol: PortProtocol, address: string, port: number): Promise<boolean> {
  if (protocol === 'sctp') return true;
  try {
    await (protocol === 'tcp' ? listenOnce(address, port) : bindOnce(address, port));
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE') return false;
    if (code === 'EADDRNOTAVAIL') {
      throw new TscomposeError('invalid', `cannot publish on ${address}: it is not an address of this machine`, {
        cause: error,
      });
    }
    if (code === 'EACCES') {
      throw new TscomposeError('forbidden', `cannot publish on port ${port}: permission denied`, {
        hint: 'ports below net.ipv4.ip_unprivileged_port_start need root',
        cause: error,
      });
    }
    throw error;
  }
}

function listenOnce(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({host, port, exclusive: true, ipv6Only: true}, () => server.close(() => resolve()));
  });
}

function bindOnce(address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.includes(':') ? {type: 'udp6', ipv6Only: true} : {type: 'udp4'});
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({address, port, exclusive: true}, () => socket.close(() => resolve()));
  });
}
