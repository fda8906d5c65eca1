import type {VolumeCreateBody, VolumeInspect} from '../../../src/api/types/volume.ts';
import type {Cases, Step} from '../case.ts';
import {portableTime} from '../describe.ts';
import {linesOf} from '../lines.ts';
import {ask, create, facts, line, remove} from '../steps.ts';

export function volume(body: VolumeCreateBody): Step {
  return ask(`create volume ${body.Name ?? ''}`.trimEnd(), async (world) => {
    const {Labels, ...rest} = world.fill(body);
    const made = await world.bench.docker.createVolume({
      ...rest,
      Labels: {'io.tscompose.test': world.token, ...Labels},
    });
    world.others.add(made.Name);
    return volumeLines(made);
  });
}

const volumeLines = (inspected: VolumeInspect) =>
  linesOf(inspected).map((text) => portableTime(text.replace(/^Mountpoint ".*"/, 'Mountpoint <path>')));

export const inspectVolume = (name: string) =>
  ask(`inspect volume ${name}`, async ({bench, fill}) =>
    volumeLines(await bench.docker.getVolume(fill(name)).inspect()),
  );

const removeVolume = (name: string, force = false) =>
  ask(`remove volume ${name}`, async ({bench, fill}) => await bench.docker.getVolume(fill(name)).remove({force}));

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
