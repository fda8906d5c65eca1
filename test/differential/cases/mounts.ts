import type {HostConfig, Mount} from '../../../src/api/types/container.ts';
import type {Cases} from '../case.ts';
import {create, facts, line, look, remove, run, start, wait} from '../steps.ts';
import {refused} from './refused.ts';
import {inspectVolume, volume} from './volumes.ts';

const MiB = 2 ** 20;

const seen = (host: HostConfig) => [facts('volumes', {HostConfig: host})];
const bind = (options: Mount['BindOptions'] = {}, more: Partial<Mount> = {}): HostConfig => ({
  Mounts: [{Type: 'bind', Source: '%dir/tree', Target: '/x', BindOptions: options, ...more}],
});
const ofVolume = (options: Mount['VolumeOptions'] = {}, more: Partial<Mount> = {}): HostConfig => ({
  Mounts: [{Type: 'volume', Source: '@data', Target: '/x', VolumeOptions: options, ...more}],
});
const tmpfs = (options: Mount['TmpfsOptions'] = {}, more: Partial<Mount> = {}): HostConfig => ({
  Mounts: [{Type: 'tmpfs', Target: '/own', TmpfsOptions: options, ...more}],
});
/** A mount as no type of ours has it. */
const odd = (mount: object): HostConfig => ({Mounts: [mount as Mount]});
const denied = (host: HostConfig) => [refused({HostConfig: host})];
const tried = (host: HostConfig) => [create({Cmd: ['true'], HostConfig: host}), start(), wait()];
/** A volume with a directory and a file in it. */
const filled = [
  ...run({Cmd: ['sh', '-c', 'mkdir /x/part; echo kept >/x/part/file'], HostConfig: {Binds: ['@data:/x']}}, 'first'),
];

const ofPaths: Cases = {
  'a path': seen({Binds: ['%dir/tree:/x']}),
  'a path, read-only': seen({Binds: ['%dir/tree:/x:ro']}),
  'a path, read-only, and what it may not': [
    line('touch /x/new; rm /x/file; mount -o remount,rw /x', {HostConfig: {Binds: ['%dir/tree:/x:ro']}}),
  ],
  'a path with every word that means nothing here': seen({Binds: ['%dir/tree:/x:rw,z,cached']}),
  'a path that spreads to nobody': seen({Binds: ['%dir/tree:/x:rprivate']}),
  'a path that spreads to nobody, alone': seen({Binds: ['%dir/tree:/x:private']}),
  'a path that does not exist': [...tried({Binds: ['%dir/made/deep:/x']}), ...seen({Binds: ['%dir/made:/x']})],
  'a path twice': seen({Binds: ['%dir/tree:/x', '%dir/tree:/y:ro']}),
  'a place twice': denied({Binds: ['%dir/tree:/x', '%dir:/x']}),
  'a place twice, in two forms': denied({Binds: ['%dir/tree:/x'], ...bind()}),
  'a place within a mount': [
    line('ls /x /x/inner; touch /x/inner/new', {HostConfig: {Binds: ['%dir:/x', '@data:/x/inner']}}),
  ],
  'a place that is not there': [
    line('ls -ld /not/there/yet | cut -c 1-10', {HostConfig: {Binds: ['%dir/tree:/not/there/yet']}}),
  ],
  'a file at a place that is not there': [
    line('cat /not/there; ls -ld /not | cut -c 1-10', {HostConfig: {Binds: ['%dir/tree/file:/not/there']}}),
  ],
  'a file over a directory': denied({Binds: ['%dir/tree/file:/etc']}),
  'a directory over a file': denied({Binds: ['%dir/tree:/etc/passwd']}),
  'a place by a link of the image': [line('ls /x; ls /tmp', {HostConfig: {Binds: ['%dir/tree:/x/../tmp']}})],
  'a relative path': denied({Binds: ['./tree:/x']}),
  'a relative place': denied({Binds: ['%dir/tree:x']}),
  'the root as a place': denied({Binds: ['%dir/tree:/']}),
  'no place': denied({Binds: ['%dir/tree:']}),
  'a word that there is not': denied({Binds: ['%dir/tree:/x:no-such']}),
  'words that contradict': denied({Binds: ['%dir/tree:/x:ro,rw']}),
  'a word of volumes': denied({Binds: ['%dir/tree:/x:nocopy']}),
  'a mount of a path': seen(bind()),
  'a mount of a path, read-only': seen(bind({}, {ReadOnly: true})),
  'a mount of a path that is read-only at its top': seen(bind({ReadOnlyNonRecursive: true}, {ReadOnly: true})),
  'a mount of a path that is read-only all the way': seen(
    bind({ReadOnlyForceRecursive: true, Propagation: 'rprivate'}, {ReadOnly: true}),
  ),
  'a mount of a path without what is below': seen(bind({NonRecursive: true})),
  'a mount of a path that is made': [...seen(bind({CreateMountpoint: true}, {Source: '%dir/new'})), look()],
  'a mount of a path that is not there': denied(bind({}, {Source: '%dir/missing'})),
  'a mount of a path that spreads to nobody': seen(bind({Propagation: 'private'})),
  'a mount that spreads in no known way': denied(bind({Propagation: 'no-such'} as never)),
  'a mount with options of volumes': denied(bind({}, {VolumeOptions: {NoCopy: true}})),
  'a mount with options of memory': denied(bind({}, {TmpfsOptions: {SizeBytes: MiB}})),
  'a mount without a source': denied(bind({}, {Source: ''})),
  'a mount without a place': denied(bind({}, {Target: ''})),
  'a mount at a relative place': denied(bind({}, {Target: 'x'})),
  'a mount at the root': denied(bind({}, {Target: '/'})),
  'a mount without a type': denied(odd({Source: '%dir/tree', Target: '/x'})),
  'a mount of no known type': denied(odd({Type: 'no-such', Source: '%dir/tree', Target: '/x'})),
  'a mount with its consistency': seen(bind({}, {Consistency: 'cached'} as never)),
};

const ofVolumes: Cases = {
  'a volume': seen({Binds: ['@data:/x']}),
  'a volume, read-only': seen({Binds: ['@data:/x:ro']}),
  'a volume without a copy': [line('ls -A /etc', {HostConfig: {Binds: ['@data:/etc:nocopy']}})],
  'a mount of a volume': [...seen(ofVolume()), inspectVolume('@data')],
  'a mount of a volume without a copy': [line('ls -A /etc', {HostConfig: ofVolume({NoCopy: true}, {Target: '/etc'})})],
  'a mount of a volume with a copy': [
    line('ls /etc/passwd; stat -c "%a %u:%g" /etc', {HostConfig: ofVolume({}, {Target: '/etc'})}),
    ...run({Cmd: ['ls', '/x/passwd'], HostConfig: {Binds: ['@data:/x']}}, 'second'),
  ],
  'a volume that has something is not filled': [...filled, line('ls -A /etc', {HostConfig: {Binds: ['@data:/etc']}})],
  'a mount of a volume with labels': [...tried(ofVolume({Labels: {a: 'b'}})), inspectVolume('@data')],
  'a mount of a volume with its driver': [
    ...tried(ofVolume({DriverConfig: {Name: 'local', Options: {type: 'tmpfs', device: 'tmpfs', o: 'size=1m'}}})),
    inspectVolume('@data'),
  ],
  'a mount of a volume by no known driver': denied(ofVolume({DriverConfig: {Name: 'no-such'}})),
  'a mount of a volume that nobody named': [
    line('touch /x/file; ls /x', {HostConfig: ofVolume({}, {Source: ''})}),
    remove({v: true}),
  ],
  'a part of a volume': [...filled, line('ls -A /x; cat /x/file', {HostConfig: ofVolume({Subpath: 'part'})})],
  'a file of a volume': [...filled, line('cat /x', {HostConfig: ofVolume({Subpath: 'part/file'})})],
  'a part of a volume that is not there': [...filled, ...denied(ofVolume({Subpath: 'missing'}))],
  'a part that leads out of its volume': [...filled, ...denied(ofVolume({Subpath: '../x'}))],
  'a part by a path from the root': [...filled, ...denied(ofVolume({Subpath: '/part'}))],
  'a part of a volume, read-only': [
    ...filled,
    line('touch /x/new', {HostConfig: ofVolume({Subpath: 'part'}, {ReadOnly: true})}),
  ],
  'a mount of a volume with options of paths': denied(ofVolume({}, {BindOptions: {Propagation: 'rprivate'}})),
  'a mount of a volume with no name that can be': denied(ofVolume({}, {Source: 'a/b'})),
  'a volume over a file': denied({Binds: ['@data:/etc/passwd']}),
  'a volume in memory': [
    volume({Name: '@data', Driver: 'local', DriverOpts: {type: 'tmpfs', device: 'tmpfs', o: 'size=2m,mode=700'}}),
    line('stat -c "%a" /x; df -k /x | tail -1 | grep -o "2048"', {HostConfig: {Binds: ['@data:/x']}}),
  ],
  'a volume that is a path': [
    volume({Name: '@data', Driver: 'local', DriverOpts: {type: 'none', device: '%dir/tree', o: 'bind'}}),
    line('cat /x/file', {HostConfig: {Binds: ['@data:/x']}}),
  ],
  'a volume that is a path that is not there': [
    volume({Name: '@data', Driver: 'local', DriverOpts: {type: 'none', device: '%dir/missing', o: 'bind'}}),
    ...denied({Binds: ['@data:/x']}),
  ],
  'volumes of another, read-only': [
    create({HostConfig: {Binds: ['@data:/x']}}, 'one'),
    line('touch /x/new', {HostConfig: {VolumesFrom: ['@one:ro']}}),
    look(),
  ],
  'volumes of one that is not there': denied({VolumesFrom: ['@missing']}),
  'volumes of another in no known way': [create({}, 'one'), ...denied({VolumesFrom: ['@one:no-such']})],
};

const inMemory: Cases = {
  memory: seen({Tmpfs: {'/own': ''}}),
  'memory with everything': seen({Tmpfs: {'/own': 'size=1m,mode=0711,uid=7,gid=8,nr_inodes=100,noexec,noatime'}}),
  'memory that may be executed': seen({Tmpfs: {'/own': 'exec,suid,dev'}}),
  'memory, read-only': [line('touch /own/x', {HostConfig: {Tmpfs: {'/own': 'ro'}}})],
  'memory with a word that there is not': denied({Tmpfs: {'/own': 'no-such'}}),
  'memory with a size that is none': denied({Tmpfs: {'/own': 'size=x'}}),
  'memory at a relative place': denied({Tmpfs: {own: ''}}),
  'memory at the root': denied({Tmpfs: {'/': ''}}),
  'memory over what the image has': [line('ls -A /etc; id -u', {HostConfig: {Tmpfs: {'/etc': ''}}})],
  'memory over a volume of the image': [
    line('df /data | tail -1 | cut -d " " -f 1', {Image: 'volume', HostConfig: {Tmpfs: {'/data': ''}}}),
  ],
  'a mount of memory': seen(tmpfs()),
  'a mount of memory, read-only': [line('touch /own/x', {HostConfig: tmpfs({}, {ReadOnly: true})})],
  'a mount of memory with a size and a mode': seen(tmpfs({SizeBytes: 3 * MiB, Mode: 0o1750})),
  'a mount of memory with options': seen(tmpfs({Options: [['exec'], ['uid', '7']]} as never)),
  'a mount of memory with an option that there is not': denied(tmpfs({Options: [['no-such']]} as never)),
  'a mount of memory with a source': denied(tmpfs({}, {Source: '/x'})),
  'a mount of memory below zero': denied(tmpfs({SizeBytes: -1})),
  'a mount of memory with options of paths': denied(tmpfs({}, {BindOptions: {Propagation: 'rprivate'}})),
  'memory and a volume at one place': denied({Tmpfs: {'/x': ''}, Binds: ['@data:/x']}),
  'memory and a mount of it at one place': denied({Tmpfs: {'/own': ''}, ...tmpfs()}),
};

const others: Cases = {
  'another image': [
    line('ls -d /x/bin /x/facts; touch /x/new', {HostConfig: odd({Type: 'image', Source: 'plain', Target: '/x'})}),
  ],
  'an image that there is not': denied(odd({Type: 'image', Source: 'no-such-image', Target: '/x'})),
  'an image without a name': denied(odd({Type: 'image', Source: '', Target: '/x'})),
  'a pipe of another system': denied(odd({Type: 'npipe', Source: '/x', Target: '/x'})),
  'a volume of a cluster': denied(odd({Type: 'cluster', Source: '@data', Target: '/x'})),
};

export const mountCases: Cases = {...ofPaths, ...ofVolumes};
export const memoryCases: Cases = {...inMemory, ...others};
