import type {NetworkCreateBody} from '../../../src/api/types/network.ts';
import type {Cases, Step, World} from '../case.ts';
import {linesOf} from '../lines.ts';
import {ask, facts} from '../steps.ts';

const labelled = (world: World) => ({'io.tscompose.test': world.token});

export function network(body: Partial<NetworkCreateBody> & {readonly Name: string}): Step {
  return ask(`create network ${body.Name}`, async (world) => {
    const {Labels, ...rest} = world.fill(body);
    const made = await world.bench.docker.createNetwork({...rest, Labels: {...labelled(world), ...Labels}});
    world.others.add(made.id);
    return ['done'];
  });
}

/** What was asked for. */
const shortOfNetwork = (name: string) =>
  ask(`inspect network ${name}`, async ({bench, fill}) => {
    const found = await bench.docker.getNetwork(fill(name)).inspect();
    const {Name, Scope, Driver, EnableIPv4, EnableIPv6, Internal, Attachable, Ingress, Options, Labels} = found;
    const subnets = (found.IPAM.Config ?? []).map(({Subnet}) => Subnet);
    return linesOf({
      Name,
      Scope,
      Driver,
      EnableIPv4,
      EnableIPv6,
      Internal,
      Attachable,
      Ingress,
      Options,
      Labels,
      subnets,
    });
  });

export const removeNetwork = (name: string) =>
  ask(`remove network ${name}`, async ({bench, fill}) => await bench.docker.getNetwork(fill(name)).remove());

/** All of it, but for what is made up at every run. */
export const inspectNetwork = (name: string) =>
  ask(`inspect network ${name}`, async ({bench, fill}) =>
    linesOf(await bench.docker.getNetwork(fill(name)).inspect()).filter((text) => !/^(?:Created|Id) /.test(text)),
  );

export const subnet = (Subnet: string, more: object = {}) => ({IPAM: {Config: [{Subnet, ...more}]}});

export const networks: Cases = {
  'a network': [network({Name: '@net', ...subnet('10.187.0.0/24')}), shortOfNetwork('@net')],
  'a network of everything': [
    network({
      Name: '@net',
      Driver: 'bridge',
      Labels: {a: 'b'},
      Options: {'com.docker.network.driver.mtu': '1400'},
      Attachable: true,
      ...subnet('10.187.1.0/24', {
        Gateway: '10.187.1.9',
        IPRange: '10.187.1.128/25',
        AuxiliaryAddresses: {printer: '10.187.1.130'},
      }),
    }),
    shortOfNetwork('@net'),
  ],
  'a network that leads nowhere': [
    network({Name: '@net', Internal: true, ...subnet('10.187.2.0/24')}),
    shortOfNetwork('@net'),
  ],
  'a name that another network has': [
    network({Name: '@net', ...subnet('10.187.3.0/24')}),
    network({Name: '@net', ...subnet('10.187.4.0/24')}),
  ],
  'a subnet that is none': [network({Name: '@net', ...subnet('10.187.0.0/33')})],
  'a subnet with bits of a host': [network({Name: '@net', ...subnet('10.187.5.7/24')}), shortOfNetwork('@net')],
  'a gateway outside of the subnet': [network({Name: '@net', ...subnet('10.187.6.0/24', {Gateway: '10.188.0.1'})})],
  'a range outside of the subnet': [network({Name: '@net', ...subnet('10.187.7.0/24', {IPRange: '10.188.0.0/25'})})],
  'a subnet that overlaps': [
    network({Name: '@net', ...subnet('10.187.8.0/24')}),
    network({Name: '@other', ...subnet('10.187.8.128/25')}),
  ],
  'a driver that there is not': [network({Name: '@net', Driver: 'no-such'})],
  'a network without a name': [network({Name: ''})],
  'the names of networks that are always there': [network({Name: 'none'}), network({Name: 'host'})],
  'removal of a network': [
    network({Name: '@net', ...subnet('10.187.9.0/24')}),
    removeNetwork('@net'),
    shortOfNetwork('@net'),
  ],
  'removal of networks that are always there': [removeNetwork('none'), removeNetwork('host')],
  'what a container sees of no network': [facts('network names', {HostConfig: {Dns: ['192.0.2.53']}})],
  'both families': [
    network({
      Name: '@net',
      EnableIPv6: true,
      IPAM: {
        Config: [
          {Subnet: '10.186.0.0/24', Gateway: '10.186.0.5'},
          {Subnet: 'fd00:186::/64', Gateway: 'fd00:186::9'},
        ],
      },
    }),
    inspectNetwork('@net'),
  ],
  'IPv6 alone': [
    network({Name: '@net', EnableIPv4: false, EnableIPv6: true, ...subnet('fd00:186:1::/64')}),
    inspectNetwork('@net'),
  ],
  'no family': [network({Name: '@net', EnableIPv4: false, EnableIPv6: false})],
  'a subnet of a family that is off': [network({Name: '@net', EnableIPv6: false, ...subnet('fd00:186:2::/64')})],
  'a subnet of IPv4 where that is off': [
    network({Name: '@net', EnableIPv4: false, EnableIPv6: true, ...subnet('10.186.1.0/24')}),
  ],
  'two subnets of one family': [
    network({Name: '@net', IPAM: {Config: [{Subnet: '10.186.2.0/24'}, {Subnet: '10.186.3.0/24'}]}}),
  ],
  'a subnet twice': [network({Name: '@net', IPAM: {Config: [{Subnet: '10.186.4.0/24'}, {Subnet: '10.186.4.0/24'}]}})],
  'a subnet within a subnet': [
    network({Name: '@net', IPAM: {Config: [{Subnet: '10.186.4.0/24'}, {Subnet: '10.186.4.128/25'}]}}),
  ],
  'a driver of addresses by its name': [
    network({Name: '@net', IPAM: {Driver: 'default', Options: {a: 'b'}, Config: [{Subnet: '10.186.5.0/24'}]}}),
    inspectNetwork('@net'),
  ],
  'a driver of addresses that there is not': [
    network({Name: '@net', IPAM: {Driver: 'no-such', Config: [{Subnet: '10.186.6.0/24'}]}}),
  ],
  'a gateway that is the name of the subnet': [
    network({Name: '@net', ...subnet('10.186.7.0/24', {Gateway: '10.186.7.0'})}),
  ],
  'a gateway that is the broadcast': [network({Name: '@net', ...subnet('10.186.8.0/24', {Gateway: '10.186.8.255'})})],
  'a gateway that is none': [network({Name: '@net', ...subnet('10.186.9.0/24', {Gateway: 'x'})})],
  'a gateway of the other family': [network({Name: '@net', ...subnet('10.186.9.0/24', {Gateway: 'fd00::1'})})],
  'a gateway without a subnet': [network({Name: '@net', IPAM: {Config: [{Gateway: '10.186.9.1'}]}})],
  'a range that is none': [network({Name: '@net', ...subnet('10.186.10.0/24', {IPRange: '10.186.10.0/33'})})],
  'a range that is greater than its subnet': [
    network({Name: '@net', ...subnet('10.186.11.0/24', {IPRange: '10.186.0.0/16'})}),
  ],
  'a range with bits of a host': [
    network({Name: '@net', ...subnet('10.186.12.0/24', {IPRange: '10.186.12.77/25'})}),
    inspectNetwork('@net'),
  ],
  'a range that is its subnet': [
    network({Name: '@net', ...subnet('10.186.13.0/24', {IPRange: '10.186.13.0/24'})}),
    inspectNetwork('@net'),
  ],
  'a reserved address outside of the subnet': [
    network({Name: '@net', ...subnet('10.186.14.0/24', {AuxiliaryAddresses: {a: '10.188.0.2'}})}),
  ],
  'a reserved address that is the gateway': [
    network({
      Name: '@net',
      ...subnet('10.186.15.0/24', {Gateway: '10.186.15.1', AuxiliaryAddresses: {a: '10.186.15.1'}}),
    }),
  ],
  'a reserved address that is none': [
    network({Name: '@net', ...subnet('10.186.16.0/24', {AuxiliaryAddresses: {a: 'x'}})}),
  ],
  'reserved addresses that are the same': [
    network({
      Name: '@net',
      ...subnet('10.186.17.0/24', {AuxiliaryAddresses: {a: '10.186.17.7', b: '10.186.17.7'}}),
    }),
  ],
  'a subnet of four addresses': [network({Name: '@net', ...subnet('10.186.18.0/30')}), inspectNetwork('@net')],
  'a subnet of two addresses': [network({Name: '@net', ...subnet('10.186.18.4/31')}), inspectNetwork('@net')],
  'a subnet of one address': [network({Name: '@net', ...subnet('10.186.18.8/32')}), inspectNetwork('@net')],
  'an empty subnet': [network({Name: '@net', ...subnet('')})],
  'a subnet that is an address': [network({Name: '@net', ...subnet('10.186.19.1')})],
  'options of a bridge': [
    network({
      Name: '@net',
      Options: {
        'com.docker.network.bridge.enable_icc': 'false',
        'com.docker.network.bridge.enable_ip_masquerade': 'false',
        'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1',
        'com.docker.network.container_iface_prefix': 'lan',
      },
      ...subnet('10.186.20.0/24'),
    }),
    inspectNetwork('@net'),
  ],
  'an option of a bridge that is no truth': [
    network({Name: '@net', Options: {'com.docker.network.bridge.enable_icc': 'perhaps'}, ...subnet('10.186.21.0/24')}),
  ],
  'an option of a bridge that is no address': [
    network({Name: '@net', Options: {'com.docker.network.bridge.host_binding_ipv4': 'x'}, ...subnet('10.186.22.0/24')}),
  ],
  'a size of packets that is no number': [
    network({Name: '@net', Options: {'com.docker.network.driver.mtu': 'x'}, ...subnet('10.186.23.0/24')}),
  ],
  'a size of packets below zero': [
    network({Name: '@net', Options: {'com.docker.network.driver.mtu': '-1'}, ...subnet('10.186.24.0/24')}),
  ],
  'a gateway mode that there is not': [
    network({Name: '@net', Options: {'com.docker.network.bridge.gateway_mode_ipv4': 'x'}, ...subnet('10.186.25.0/24')}),
  ],
  'an option that nobody knows': [
    network({Name: '@net', Options: {'org.example.unknown': '1'}, ...subnet('10.186.26.0/24')}),
  ],
  'a name of spaces': [network({Name: '  '})],
  'the name of the default network': [network({Name: 'bridge'})],
  'macvlan on an interface that there is not': [
    network({Name: '@net', Driver: 'macvlan', Options: {parent: 'nosuch0'}, ...subnet('10.186.28.0/24')}),
  ],
  'a mode of macvlan that there is not': [
    network({Name: '@net', Driver: 'macvlan', Options: {macvlan_mode: 'x'}, ...subnet('10.186.29.0/24')}),
  ],
  'networks of drivers that are there once': [
    network({Name: '@one', Driver: 'host'}),
    network({Name: '@two', Driver: 'null'}),
  ],
  'a network that there is not': [inspectNetwork('@missing'), removeNetwork('@missing')],
};
