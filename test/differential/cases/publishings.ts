import type {HostConfig} from '../../../src/api/types/container.ts';
import type {Cases} from '../case.ts';
import {create, look, run, running, start, stop} from '../steps.ts';
import {net, on} from './on-networks.ts';
import {refused} from './refused.ts';

const published = (ports: NonNullable<HostConfig['PortBindings']>, block: number) =>
  on(
    block,
    {},
    {
      ExposedPorts: Object.fromEntries(Object.keys(ports).map((port) => [port, {}])),
      HostConfig: {PortBindings: ports},
    },
  );

export const publishings: Cases = {
  'a published port': [
    net(81),
    ...running(published({'80/tcp': [{HostIp: '127.0.0.1', HostPort: '18481'}]}, 81)),
    look(),
  ],
  'a published port at every address': [net(82), ...running(published({'80/tcp': [{HostPort: '18482'}]}, 82)), look()],
  'a published port of datagrams': [
    net(83),
    ...running(published({'53/udp': [{HostIp: '127.0.0.1', HostPort: '18483'}]}, 83)),
    look(),
  ],
  'a port that is published twice': [
    net(84),
    ...running(
      published(
        {
          '80/tcp': [
            {HostIp: '127.0.0.1', HostPort: '18484'},
            {HostIp: '127.0.0.1', HostPort: '18485'},
          ],
        },
        84,
      ),
    ),
    look(),
  ],
  'a published port that is taken': [
    net(86),
    ...running(
      {...published({'80/tcp': [{HostIp: '127.0.0.1', HostPort: '18486'}]}, 86), NetworkingConfig: {}},
      'other',
    ),
    create(published({'80/tcp': [{HostIp: '127.0.0.1', HostPort: '18486'}]}, 86)),
    start(),
  ],
  'a published port after its end': [
    ...[net(87), ...running(published({'80/tcp': [{HostIp: '127.0.0.1', HostPort: '18487'}]}, 87))],
    ...[stop(), look()],
  ],
  'a published port without a network': [
    ...running({
      ExposedPorts: {'80/tcp': {}},
      HostConfig: {PortBindings: {'80/tcp': [{HostIp: '127.0.0.1', HostPort: '18488'}]}},
    }),
    look(),
  ],
  'a published port on a network that leads nowhere': [
    net(89, {Internal: true}),
    ...running(published({'80/tcp': [{HostIp: '127.0.0.1', HostPort: '18489'}]}, 89)),
    look(),
  ],
  'published at the address that the network has for that': [
    net(90, {Options: {'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1'}}),
    ...running(published({'80/tcp': [{HostPort: '18490'}]}, 90)),
    look(),
  ],
  'a port that is exposed alone': [
    net(91),
    ...running(on(91, {}, {ExposedPorts: {'80/tcp': {}, '53/udp': {}}})),
    look(),
  ],
  'published at an address that is none': [
    net(92),
    refused(published({'80/tcp': [{HostIp: 'x', HostPort: '18492'}]}, 92)),
  ],
  'published at an address that the machine has not': [
    net(93),
    ...run(published({'80/tcp': [{HostIp: '198.51.100.7', HostPort: '18493'}]}, 93)),
  ],
  'published where there is no such port': [
    net(94),
    refused(published({'80/tcp': [{HostIp: '127.0.0.1', HostPort: '65536'}]}, 94)),
  ],
  'a range of one port': [
    net(95),
    ...running(published({'80/tcp': [{HostIp: '127.0.0.1', HostPort: '18495-18495'}]}, 95)),
    look(),
  ],
  'a range that is none': [
    net(96),
    refused(published({'80/tcp': [{HostIp: '127.0.0.1', HostPort: '18499-18498'}]}, 96)),
  ],
  'a published port that nobody exposed': [
    net(97),
    ...running(on(97, {}, {HostConfig: {PortBindings: {'80/tcp': [{HostIp: '127.0.0.1', HostPort: '18500'}]}}})),
  ],
};
