import {findProgram} from './ids.ts';

/** A program that connects a network namespace to the outside with ordinary sockets. */
export interface OutboundProgram {
  readonly name: 'pasta' | 'slirp4netns';
  readonly path: string;
}

/** Pasta where there is one: it keeps addresses and is faster. */
export async function findOutbound(directories?: readonly string[]): Promise<OutboundProgram | undefined> {
  for (const name of ['pasta', 'slirp4netns'] as const) {
    const path = await findProgram(name, directories);
    if (path !== undefined) return {name, path};
  }
  return undefined;
}

/**
 * Its words, with `%PID%` for the process whose namespaces it is for. Neither takes ports of the machine: published ones are
 * ours; and from neither is the machine's loopback reached, not for names either: those are asked for by the monitors.
 */
export function outboundWords({name, path}: OutboundProgram): readonly string[] {
  const user = '/proc/%PID%/ns/user';
  const net = '/proc/%PID%/ns/net';
  switch (name) {
    case 'pasta':
      return [
        path,
        ...['--foreground', '--quiet', '--config-net', '--no-map-gw', '--userns', user],
        ...['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none'],
        ...['--netns', net],
      ];
    case 'slirp4netns':
      return [
        path,
        ...['--configure', '--mtu=65520', '--disable-host-loopback', '--disable-dns', '--exit-fd=3'],
        `--userns-path=${user}`,
        '--netns-type=path',
        net,
        'tap0',
      ];
  }
}
