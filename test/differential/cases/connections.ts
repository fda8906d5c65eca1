import type {Cases} from '../case.ts';
import {facts, line, look, run, running} from '../steps.ts';
import {inspectNetwork, network, subnet} from './networks.ts';
import {asks, at, both, net, on} from './on-networks.ts';
import {refused} from './refused.ts';

export const connections: Cases = {
  'on a network': [net(1), facts('network names', on(1)), inspectNetwork('@net')],
  'on a network of both families': [
    both(2),
    facts('names', {
      HostConfig: {NetworkMode: '@net', Dns: ['192.0.2.53']},
      NetworkingConfig: {
        EndpointsConfig: {'@net': {IPAMConfig: {IPv4Address: '10.185.2.7', IPv6Address: 'fd00:185:2::7'}}},
      },
    }),
  ],
  'on a network of IPv6 alone': [
    network({Name: '@net', EnableIPv4: false, EnableIPv6: true, ...subnet('fd00:185:3::/64')}),
    line(
      'ip -o -4 addr show eth0; ip -o -6 addr show scope global | grep -o "inet6 [^ ]*"; ip -6 route | grep default',
      {
        HostConfig: {NetworkMode: '@net'},
        NetworkingConfig: {EndpointsConfig: {'@net': {IPAMConfig: {IPv6Address: 'fd00:185:3::7'}}}},
      },
    ),
  ],
  'on a network that leads nowhere': [net(4, {Internal: true}), facts('network names', on(4))],
  'the first address of a network': [
    net(5),
    line("ip -4 -o addr show eth0 | sed 's/^[0-9]*: //'", {HostConfig: {NetworkMode: '@net'}}),
  ],
  'the first address of a range': [
    network({
      Name: '@net',
      ...subnet('10.185.6.0/24', {IPRange: '10.185.6.128/25'}),
    }),
    line('ip -4 -o addr show eth0 | grep -o "inet [^ ]*"', {HostConfig: {NetworkMode: '@net'}}),
  ],
  'an address outside of the range': [
    network({Name: '@net', ...subnet('10.185.7.0/24', {IPRange: '10.185.7.128/25'})}),
    run(on(7, {}, {Cmd: ['true']})),
  ],
  'the size of packets': [
    net(8, {Options: {'com.docker.network.driver.mtu': '1400'}}),
    line('cat /sys/class/net/eth0/mtu', on(8)),
  ],
  'names of interfaces by the network': [
    net(9, {Options: {'com.docker.network.container_iface_prefix': 'lan'}}),
    line("ip -4 -o addr | sed 's/^[0-9]*: //'", on(9)),
  ],
  'a name of an interface': [
    net(10),
    line("ip -4 -o addr | sed 's/^[0-9]*: //'", on(10, {DriverOpts: {'com.docker.network.endpoint.ifname': 'wan0'}})),
  ],
  'settings of an interface': [
    net(11),
    line(
      'cat /proc/sys/net/ipv4/conf/eth0/log_martians',
      on(11, {DriverOpts: {'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.log_martians=1'}}),
    ),
  ],
  'an address of hardware': [
    net(12),
    line('cat /sys/class/net/eth0/address', on(12, {MacAddress: '00:16:3e:01:02:03'})),
  ],
  'an address of hardware that is none': [net(13), refused(on(13, {MacAddress: 'x'}))],
  'an address of the subnet of another': [
    net(14),
    refused({
      HostConfig: {NetworkMode: '@net'},
      NetworkingConfig: {EndpointsConfig: {'@net': {IPAMConfig: {IPv4Address: '10.184.0.7'}}}},
    }),
  ],
  'an address that is none': [net(15), refused({...on(15, {IPAMConfig: {IPv4Address: 'x'}})})],
  'the address of the gateway': [net(16), refused(on(16, at(16, 1)))],
  'the address of another container': [net(17), running(on(17), 'other'), run(on(17))],
  'no address is left': [
    network({Name: '@net', ...subnet('10.185.18.0/30')}),
    running({HostConfig: {NetworkMode: '@net'}}, 'other'),
    run({HostConfig: {NetworkMode: '@net'}}),
  ],
  'an address of IPv6 where there is none': [net(19), refused(on(19, {IPAMConfig: {IPv6Address: 'fd00:185:19::7'}}))],
  'an address on a network whose subnet nobody chose': [
    network({Name: '@net'}),
    refused({
      HostConfig: {NetworkMode: '@net'},
      NetworkingConfig: {EndpointsConfig: {'@net': {IPAMConfig: {IPv4Address: '172.18.0.77'}}}},
    }),
  ],
  'a network that there is not': [run({HostConfig: {NetworkMode: '@missing'}})],
  'a network beside that there is not': [
    net(20),
    run({...on(20), NetworkingConfig: {EndpointsConfig: {'@net': at(20), '@missing': {}}}}),
  ],
  'on two networks': [
    net(21),
    net(22, {}, '@two'),
    line("ip -4 -o addr | grep -o 'inet [^ ]*' | sort; ip -4 route | sed 's/eth./eth/' | sort; sort /etc/hosts", {
      HostConfig: {NetworkMode: '@net', Dns: ['192.0.2.53']},
      NetworkingConfig: {EndpointsConfig: {'@net': at(21), '@two': {...at(22), GwPriority: 5}}},
    }),
    inspectNetwork('@two'),
  ],
  'on the network of the machine': [
    line('[ -d /sys/class/net/lo ] && echo seen', {
      HostConfig: {NetworkMode: 'host'},
    }),
  ],
  'on the network of the machine, and on another': [
    net(23),
    refused({
      HostConfig: {NetworkMode: 'host'},
      NetworkingConfig: {EndpointsConfig: {'@net': at(23)}},
    }),
  ],
  'in the network of another container': [
    net(24),
    running(on(24, {}, {Hostname: 'box'}), 'other'),
    facts('network names', {HostConfig: {NetworkMode: 'container:@other'}}),
  ],
  'more names': [
    net(25),
    running(on(25, {Aliases: ['nick', 'deep.nick.name']}), 'other'),
    running(on(25, at(25))),
    asks('nick', 'deep.nick.name', '@other', '10.185.25.7'),
    asks('nick.@net'),
  ],
  'a link on a network of its own': [
    net(26),
    running(on(26), 'other'),
    running(on(26, {...at(26), Links: ['@other:db']})),
    asks('db', '@other'),
    look(),
  ],
  'a link to what is not there': [net(27), run(on(27, {Links: ['@missing:db']}))],
};
