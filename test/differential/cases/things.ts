import type {NetworkCreateBody} from '../../../src/api/types/network.ts';
import type {VolumeCreateBody, VolumeInspect} from '../../../src/api/types/volume.ts';
import type {Cases, Step, World} from '../case.ts';
import {portableTime} from '../describe.ts';
import {linesOf} from '../lines.ts';
import {ask, create, facts, line, remove} from '../steps.ts';

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

const removeNetwork = (name: string) =>
  ask(`remove network ${name}`, async ({bench, fill}) => await bench.docker.getNetwork(fill(name)).remove());

export function volume(body: VolumeCreateBody): Step {
  return ask(`create volume ${body.Name ?? ''}`.trimEnd(), async (world) => {
    const {Labels, ...rest} = world.fill(body);
    const made = await world.bench.docker.createVolume({...rest, Labels: {...labelled(world), ...Labels}});
    world.others.add(made.Name);
    return volumeLines(made);
  });
}

const volumeLines = (inspected: VolumeInspect) =>
  linesOf(inspected).map((text) => portableTime(text.replace(/^Mountpoint ".*"/, 'Mountpoint <path>')));

const inspectVolume = (name: string) =>
  ask(`inspect volume ${name}`, async ({bench, fill}) =>
    volumeLines(await bench.docker.getVolume(fill(name)).inspect()),
  );

const removeVolume = (name: string, force = false) =>
  ask(`remove volume ${name}`, async ({bench, fill}) => await bench.docker.getVolume(fill(name)).remove({force}));

const subnet = (Subnet: string, more: object = {}) => ({IPAM: {Config: [{Subnet, ...more}]}});

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
};

export const volumes: Cases = {
  'a volume': [volume({Name: '@data'}), inspectVolume('@data')],
  'a volume with labels': [volume({Name: '@data', Driver: 'local', Labels: {a: 'b'}}), inspectVolume('@data')],
  'a volume twice': [volume({Name: '@data', Labels: {a: 'b'}}), volume({Name: '@data', Labels: {c: 'd'}})],
  'a volume with another driver': [volume({Name: '@data', Driver: 'no-such'})],
  'an option of volumes that there is not': [volume({Name: '@data', DriverOpts: {'no-such': '1'}})],
  'a name of a volume that is none': [volume({Name: '@data/x'})],
  'a name of a volume of one letter': [volume({Name: 'x'})],
  'removal of a volume': [volume({Name: '@data'}), removeVolume('@data'), inspectVolume('@data')],
  'removal of a volume that is used': [
    volume({Name: '@data'}),
    create({HostConfig: {Binds: ['@data:/x']}}),
    removeVolume('@data'),
    removeVolume('@data', true),
  ],
  'a volume in a container': [volume({Name: '@data'}), line('touch /x/f; ls /x', {HostConfig: {Binds: ['@data:/x']}})],
  'a volume that is made by its container': [
    line('touch /x/f; ls /x', {HostConfig: {Binds: ['@data:/x']}}),
    inspectVolume('@data'),
  ],
  'a volume that is read-only': [line('touch /x/f', {HostConfig: {Binds: ['@data:/x:ro']}})],
  'a volume is filled from the image': [
    line('ls /etc | head -3; rm /etc/passwd; ls /etc/passwd', {HostConfig: {Binds: ['@data:/etc']}}),
  ],
  'a volume is not filled': [line('ls /etc', {HostConfig: {Binds: ['@data:/etc:nocopy']}})],
  'a volume as a mount': [
    create({
      HostConfig: {
        Mounts: [{Type: 'volume', Source: '@data', Target: '/x', ReadOnly: true, VolumeOptions: {Labels: {a: 'b'}}}],
      },
    }),
    inspectVolume('@data'),
  ],
  'an anonymous volume goes with its container': [create({Volumes: {'/x': {}}}), remove({v: true})],
  'volumes of another container': [
    create({HostConfig: {Binds: ['@data:/x', '%dir/tree:/y:ro']}}, 'one'),
    facts('volumes', {HostConfig: {VolumesFrom: ['@one']}}),
  ],
  'a directory of the machine': [line('cat /x/file; touch /x/new', {HostConfig: {Binds: ['%dir/tree:/x']}})],
  'a directory of the machine, read-only': [line('touch /x/new', {HostConfig: {Binds: ['%dir/tree:/x:ro']}})],
  'a directory of the machine that is made': [line('ls -ld /x | cut -c 1-10', {HostConfig: {Binds: ['%dir/made:/x']}})],
  'a directory of the machine as a mount': [
    facts('volumes', {HostConfig: {Mounts: [{Type: 'bind', Source: '%dir/tree', Target: '/x', ReadOnly: true}]}}),
  ],
  'a file of the machine': [line('cat /etc/passwd', {HostConfig: {Binds: ['%dir/tree/file:/etc/passwd']}})],
  'a volume survives its container': [
    line('echo kept >/x/f', {HostConfig: {Binds: ['@data:/x']}}),
    remove({v: true}),
    line('cat /x/f', {HostConfig: {Binds: ['@data:/x']}}),
  ],
};
