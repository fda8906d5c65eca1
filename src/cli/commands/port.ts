import type {PortSummary} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {findReplica} from '../project-containers.ts';
import {withStackNames} from '../session.ts';
import {checkCount, wrongUse} from '../wrong-use.ts';

/** `port SERVICE 80`: where it is published. `port SERVICE`: all that is, in the form of `docker port`. */
export function runPort(context: CliContext, {flags, args}: Input<'port'>): Promise<number> {
  const [service = '', text] = checkCount(args, {least: 1, most: 2, usage: 'port SERVICE [PORT[/PROTOCOL]]'});
  const wanted = text === undefined ? undefined : parsePort(text, flags.protocol ?? 'tcp');
  return withStackNames(context, async ({name, docker, knownServices}) => {
    const chosen = await findReplica(docker, {project: name, service, index: flags.index, known: knownServices});
    const published = chosen.summary.Ports.filter(({PublicPort}) => PublicPort !== undefined);
    if (wanted === undefined) {
      for (const port of published) context.stdout.write(`${port.PrivatePort}/${port.Type} -> ${address(port)}\n`);
      return 0;
    }
    const found = published.find(({PrivatePort, Type}) => PrivatePort === wanted.port && Type === wanted.protocol);
    if (found === undefined) throw notPublished(`${wanted.port}/${wanted.protocol}`, chosen.name, published);
    context.stdout.write(`${address(found)}\n`);
    return 0;
  });
}

function parsePort(text: string, protocol: string): {readonly port: number; readonly protocol: string} {
  const [, digits = '', stated] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  if (digits === '' || Number(digits) > 65535)
    throw wrongUse(`"${text}" is not a port of a container`, 'write a number like 80, or 53/udp');
  return {port: Number(digits), protocol: stated ?? protocol};
}

function address({IP = '', PublicPort}: PortSummary): string {
  return `${IP.includes(':') ? `[${IP}]` : IP}:${PublicPort}`;
}

function notPublished(wanted: string, container: string, published: readonly PortSummary[]): TscomposeError {
  const others = [...new Set(published.map(({PrivatePort, Type}) => `${PrivatePort}/${Type}`))];
  return new TscomposeError('notFound', `port ${wanted} of ${container} is not published`, {
    hint:
      others.length === 0 ? 'none of its ports is: see "ports" of the service' : `published are ${others.join(', ')}`,
  });
}
