import type {ContainerCreateBody, EndpointSettings} from '../../../src/api/types/container.ts';
import {ask, exec} from '../steps.ts';
import {network, subnet} from './networks.ts';

/** Blocks by number: `10.185.7.0/24` is that of one network alone. */
export const net = (block: number, more: object = {}, name = '@net') =>
  network({Name: name, ...subnet(`10.185.${block}.0/24`), ...more});
export const both = (block: number, name = '@net') =>
  network({
    Name: name,
    EnableIPv6: true,
    IPAM: {Config: [{Subnet: `10.185.${block}.0/24`}, {Subnet: `fd00:185:${block}::/64`}]},
  });

/** On `@net`, at an address that is always the same. */
export const on = (
  block: number,
  settings: EndpointSettings = {},
  {HostConfig, ...body}: Partial<ContainerCreateBody> = {},
): Partial<ContainerCreateBody> => ({
  ...body,
  HostConfig: {NetworkMode: '@net', Dns: ['192.0.2.53'], ...HostConfig},
  NetworkingConfig: {
    EndpointsConfig: {'@net': {IPAMConfig: {IPv4Address: `10.185.${block}.7`}, ...settings}},
  },
});
export const at = (block: number, last = 8): EndpointSettings => ({
  IPAMConfig: {IPv4Address: `10.185.${block}.${last}`},
});

export const connect = (name: string, settings: EndpointSettings = {}, container = 'it') =>
  ask(`connect ${container} to ${name}`, async (world) => {
    const id = world.containers.get(container)?.id ?? container;
    await world.bench.docker.getNetwork(world.fill(name)).connect(id, world.fill(settings));
  });
export const disconnect = (name: string, force = false, container = 'it') =>
  ask(`disconnect ${container} from ${name}${force ? ' by force' : ''}`, async (world) => {
    const id = world.containers.get(container)?.id ?? container;
    await world.bench.docker.getNetwork(world.fill(name)).disconnect(id, {force});
  });
/** What a process sees of its interfaces at the moment. */
export const sees = (text = "ip -4 -o addr | sed 's/^[0-9]*: //'; ip -4 route") => exec({Cmd: ['sh', '-c', text]});
/** What a name means, as the name service of the container answers it. */
export const asks = (...names: readonly string[]) =>
  exec({
    Cmd: [
      'sh',
      '-c',
      names
        .map(
          (name) => `echo ${name}; nslookup ${name} 127.0.0.11 2>&1 | tail -n +3 | grep -E 'Address|ame|find' | sort`,
        )
        .join('; '),
    ],
  });
