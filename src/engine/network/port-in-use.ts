import {TscomposeError} from '../../base/errors.ts';
import {helperFailure} from '../helper/reply.ts';
import type {PublishedPort} from './port-elements.ts';
import {findPortHolder} from './port-holder.ts';
import {formatPublished} from './publish.ts';

/** A port that another container of ours has. */
export function portOfContainer(port: PublishedPort, name: string): TscomposeError {
  return new TscomposeError(
    'conflict',
    `cannot publish ${formatPublished(port)}: port is already allocated by container "${name}"`,
    {hint: `stop that container, or publish another port than ${port.hostPort}`},
  );
}

/** Says of a monitor's failure to bind a published address who has it; any other error passes unchanged. */
export async function explainPublishError(error: unknown, ports: readonly PublishedPort[]): Promise<unknown> {
  const failure = helperFailure(error);
  const port = failure && ports.find((candidate) => stepOf(candidate) === failure.step);
  if (!failure || !port) return error;
  if (failure.errno === 'EADDRINUSE') {
    const holder = await findPortHolder(port.protocol, port.hostAddress, port.hostPort);
    const by = holder ? `process ${holder.name} (pid ${holder.pid})` : 'another process';
    return new TscomposeError(
      'conflict',
      `cannot publish ${formatPublished(port)}: port is already allocated by ${by}`,
      {
        hint: `stop that process, or publish another port than ${port.hostPort}`,
        cause: error,
      },
    );
  }
  if (failure.errno === 'EACCES') {
    return new TscomposeError(
      'forbidden',
      `cannot publish ${formatPublished(port)}: an ordinary user may not have port ${port.hostPort}`,
      {
        hint: `publish another port, or run "sudo sysctl -w net.ipv4.ip_unprivileged_port_start=${port.hostPort}"`,
        cause: error,
      },
    );
  }
  if (failure.errno === 'EPROTONOSUPPORT') {
    return new TscomposeError(
      'unsupported',
      `cannot publish ${formatPublished(port)}: this kernel has no ${port.protocol.toUpperCase()}`,
      {hint: 'it needs a kernel with CONFIG_IP_SCTP', cause: error},
    );
  }
  if (failure.errno === 'EADDRNOTAVAIL') {
    return new TscomposeError(
      'invalid',
      `cannot publish ${formatPublished(port)}: ${port.hostAddress} is not an address of this machine`,
      {cause: error},
    );
  }
  if (keeperErrors.has(failure.errno ?? '')) {
    return new TscomposeError(
      'unavailable',
      `cannot publish ${formatPublished(port)}: the process that has the ports of this user's containers does not answer`,
      {
        hint: 'if it was stopped, let it go on ("pkill -CONT tscompose-keep"); if it was killed, the next command starts it again',
        cause: error,
      },
    );
  }
  return error;
}

/** Without root, of the connection to the keeper (docs/rootless.md): binding an address ends with none of them. */
const keeperErrors: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EAGAIN', 'ENOENT']);

/** docs/native.md: `publish tcp 0.0.0.0:80`. */
function stepOf({protocol, hostAddress, hostPort}: PublishedPort): string {
  const address = hostAddress.includes(':') ? `[${hostAddress}]` : hostAddress;
  return `publish ${protocol} ${address}:${hostPort}`;
}
