import type {Container} from '../../../src/client/container.ts';
import type {Cases, Step} from '../case.ts';
import {isTestImage} from '../images.ts';
import {refusalOf} from '../run-case.ts';
import {ask, type Body, create} from '../steps.ts';

/** Made and started, in one step: engines look at some things later than others, and what is left of it is their own. */
function refused(body: Body, options: {readonly platform?: string} = {}): Step {
  return {
    label: 'refused',
    async run(world) {
      const {Image = 'plain', HostConfig, ...rest} = world.fill(body);
      const {docker} = world.bench;
      let container: Container | undefined;
      try {
        container = await docker.createContainer({
          Image: isTestImage(Image) ? await world.bench.image(Image) : Image,
          ...rest,
          ...options,
          Labels: {'io.tscompose.test': world.token},
          HostConfig: {NetworkMode: 'none', ...HostConfig},
        });
        await container.start();
        return ['it runs'];
      } catch (error) {
        return {...refusalOf(error), when: [container === undefined ? 'when it is made' : 'when it is started']};
      } finally {
        await container?.remove({force: true});
      }
    },
  };
}

const host = (HostConfig: NonNullable<Body['HostConfig']>) => [refused({HostConfig})];

const MiB = 2 ** 20;

/** What cannot be made, or cannot be started. */
const bodies: Cases = {
  'an image that is not there': [refused({Image: 'tscompose-test/missing:1'})],
  'an image without a name': [refused({Image: ''})],
  'an image whose name is none': [refused({Image: 'Not An Image'})],
  'a name that another has': [create({}, 'it'), create({}, 'two', {as: '@it'})],
  'a name with a slash': [create({}, 'it', {as: 'a/b'})],
  'a name of one letter': [create({}, 'it', {as: 'a'})],
  'a name that begins with a dash': [create({}, 'it', {as: '-dash'})],
  'a platform that the image does not have': [refused({}, {platform: 'linux/s390x'})],
  'a platform that is none': [refused({}, {platform: 'a/b/c/d'})],
  'too little memory': host({Memory: 1 * MiB}),
  'less memory and swap than memory': host({Memory: 64 * MiB, MemorySwap: 32 * MiB}),
  'swap without memory': host({MemorySwap: 32 * MiB}),
  'a greater reservation than memory': host({Memory: 32 * MiB, MemoryReservation: 64 * MiB}),
  'too little reserved': host({MemoryReservation: 1 * MiB}),
  'a swappiness of 101': host({MemorySwappiness: 101}),
  'a swappiness of -2': host({MemorySwappiness: -2}),
  'a thousand processors': host({NanoCpus: 1_000_000_000_000}),
  'processors and a quota': host({NanoCpus: 1_000_000_000, CpuQuota: 1000}),
  'processors and a period': host({NanoCpus: 1_000_000_000, CpuPeriod: 1000}),
  'a period that is too short': host({CpuPeriod: 10}),
  'a period that is too long': host({CpuPeriod: 10_000_000}),
  'a quota that is too small': host({CpuQuota: 10}),
  'shares below nothing': host({CpuShares: -1}),
  'a processor that is not there': host({CpusetCpus: '4000'}),
  'a set of processors that is none': host({CpusetCpus: 'a-b'}),
  'a memory node that is not there': host({CpusetMems: '77'}),
  'a weight of 5': host({BlkioWeight: 5}),
  'a weight of 1001': host({BlkioWeight: 1001}),
  'a rate of a device that is not there': host({BlkioDeviceReadBps: [{Path: '/dev/no-such', Rate: 1000}]}),
  'a score of 1001': host({OomScoreAdj: 1001}),
  'shared memory below nothing': host({ShmSize: -1}),
  'a capability that there is not': host({CapAdd: ['NO_SUCH']}),
  'a capability less that there is not': host({CapDrop: ['NO_SUCH']}),
  'an option of security that there is not': host({SecurityOpt: ['no-such=thing']}),
  'a filter that is no JSON': host({SecurityOpt: ['seccomp={']}),
  'no new rights, neither yes nor no': host({SecurityOpt: ['no-new-privileges=maybe']}),
  'a setting of the kernel that is the machine’s': host({Sysctls: {'kernel.panic': '1'}}),
  'a setting of the kernel that there is not': host({Sysctls: {'net.no.such': '1'}}),
  'a limit of a process that there is not': host({Ulimits: [{Name: 'no-such', Soft: 1, Hard: 1}]}),
  'a soft limit above the hard one': host({Ulimits: [{Name: 'nofile', Soft: 10, Hard: 5}]}),
  'a policy of restarts that there is not': host({RestartPolicy: {Name: 'sometimes' as 'no'}}),
  'a number of restarts for always': host({RestartPolicy: {Name: 'always', MaximumRetryCount: 3}}),
  'a number of restarts below nothing': host({RestartPolicy: {Name: 'on-failure', MaximumRetryCount: -1}}),
  'a policy of restarts and removal by itself': host({AutoRemove: true, RestartPolicy: {Name: 'always'}}),
  'a driver of logs that there is not': host({LogConfig: {Type: 'no-such', Config: {}}}),
  'an option of logs that there is not': host({LogConfig: {Type: 'json-file', Config: {'no-such': '1'}}}),
  'a size of logs that is none': host({LogConfig: {Type: 'json-file', Config: {'max-size': 'much'}}}),
  'a network that is not there': [refused({HostConfig: {NetworkMode: '@missing'}})],
  'the network of a container that is not there': host({NetworkMode: 'container:@missing'}),
  'the processes of a container that is not there': host({PidMode: 'container:@missing'}),
  'the memory of a container that is not there': host({IpcMode: 'container:@missing'}),
  'a mode of processes that there is not': host({PidMode: 'no-such'}),
  'a mode of memory that there is not': host({IpcMode: 'no-such'}),
  'a mode of host names that there is not': host({UTSMode: 'no-such'}),
  'a mode of users that there is not': host({UsernsMode: 'no-such'}),
  'a mode of control groups that there is not': host({CgroupnsMode: 'no-such'}),
  'a host name in the network of the machine': [
    refused({Hostname: 'box', HostConfig: {NetworkMode: 'container:@missing'}}),
  ],
  'ports in the network of another': host({
    NetworkMode: 'container:@missing',
    PortBindings: {'80/tcp': [{HostPort: '80'}]},
  }),
  'a port that is none': [refused({ExposedPorts: {'99999/tcp': {}}})],
  'a protocol that is none': [refused({ExposedPorts: {'80/quic': {}}})],
  'a port of the machine that is none': host({PortBindings: {'80/tcp': [{HostPort: '70000'}]}}),
  'a host without an address': host({ExtraHosts: ['name']}),
  'a host with an address that is none': host({ExtraHosts: ['name:1.2.3']}),
  'a server of names that is none': host({Dns: ['name']}),
  'a device that is not there': host({
    Devices: [{PathOnHost: '/dev/no-such', PathInContainer: '/dev/x', CgroupPermissions: 'rwm'}],
  }),
  'a rule of devices that is none': host({DeviceCgroupRules: ['no rule']}),
  'a runtime that is not there': host({Runtime: 'no-such'}),
  'a check of health of no kind': [refused({Healthcheck: {Test: ['SOMEHOW', 'true']}})],
  'a check of health too often': [refused({Healthcheck: {Test: ['CMD', 'true'], Interval: 10}})],
  'a check of health with tries below nothing': [refused({Healthcheck: {Test: ['CMD', 'true'], Retries: -1}})],
  'a bind of a path that is relative': host({Binds: ['a/b:/x']}),
  'a bind to a path that is relative': host({Binds: ['/tmp:x']}),
  'a bind over the root': host({Binds: ['/tmp:/']}),
  'a bind of a way that there is not': host({Binds: ['/tmp:/x:no-such']}),
  'two binds to one path': host({Binds: ['/tmp:/x', '/var:/x']}),
  'a volume with a name that is none': host({Binds: ['_x$:/x']}),
  'a mount of no type': host({Mounts: [{Type: 'no-such' as 'bind', Source: '/tmp', Target: '/x'}]}),
  'a mount of what is not there': host({Mounts: [{Type: 'bind', Source: '%dir/missing', Target: '/x'}]}),
  'a mount to nowhere': host({Mounts: [{Type: 'tmpfs', Target: ''}]}),
  'a mount of memory with a source': host({Mounts: [{Type: 'tmpfs', Source: '/x', Target: '/x'}]}),
  'volumes from a container that is not there': host({VolumesFrom: ['@missing']}),
  'volumes from a container in no way': host({VolumesFrom: ['@missing:no-such']}),
  'a memory file system with an option that there is not': host({Tmpfs: {'/x': 'no-such=1'}}),
  'a working directory that is a file': [refused({WorkingDir: '/etc/passwd'})],
  'a host name that is too long': [refused({Hostname: 'x'.repeat(65)})],
  'a time to stop that is none': [refused({StopTimeout: -5})],
};

/** Requests about what is not there. */
const missing: Cases = {
  'no such container': [
    ...(
      [
        ['inspect', (it) => it.inspect()],
        ['start', (it) => it.start()],
        ['stop', (it) => it.stop()],
        ['restart', (it) => it.restart()],
        ['kill', (it) => it.kill()],
        ['pause', (it) => it.pause()],
        ['unpause', (it) => it.unpause()],
        ['rename', (it) => it.rename({name: 'other'})],
        ['update', (it) => it.update({})],
        ['remove', (it) => it.remove()],
        ['remove by force', (it) => it.remove({force: true})],
        ['wait', (it) => it.wait()],
        ['logs', (it) => it.logs()],
        ['exec', (it) => it.exec({Cmd: ['true']})],
        ['top', (it) => it.top()],
        ['stats', (it) => it.stats({stream: false})],
        ['changes', (it) => it.changes()],
        ['resize', (it) => it.resize({h: 1, w: 1})],
        ['archive', (it) => it.getArchive({path: '/'})],
        ['path', (it) => it.infoArchive({path: '/'})],
      ] as const satisfies readonly (readonly [
        string,
        (it: ReturnType<import('../../../src/client/docker.ts').Docker['getContainer']>) => Promise<unknown>,
      ])[]
    ).map(([name, request]) =>
      ask(name, async ({bench, fill}) => void (await request(bench.docker.getContainer(fill('@missing'))))),
    ),
  ],
  'no such command': [
    ask('inspect', async ({bench}) => void (await bench.docker.getExec('missing').inspect())),
    ask('start', async ({bench}) => void (await bench.docker.getExec('missing').start())),
    ask('resize', async ({bench}) => void (await bench.docker.getExec('missing').resize({h: 1, w: 1}))),
  ],
  'no such image': [
    ask('inspect', async ({bench}) => void (await bench.docker.getImage('tscompose-test/missing').inspect())),
    ask('tag', async ({bench}) => void (await bench.docker.getImage('tscompose-test/missing').tag({repo: 'other'}))),
    ask('remove', async ({bench}) => void (await bench.docker.getImage('tscompose-test/missing').remove())),
  ],
  'no such network': [
    ask('inspect', async ({bench}) => void (await bench.docker.getNetwork('tscompose-missing').inspect())),
    ask('remove', async ({bench}) => void (await bench.docker.getNetwork('tscompose-missing').remove())),
  ],
  'no such volume': [
    ask('inspect', async ({bench}) => void (await bench.docker.getVolume('tscompose-missing').inspect())),
    ask('remove', async ({bench}) => void (await bench.docker.getVolume('tscompose-missing').remove())),
    ask('remove by force', async ({bench}) => await bench.docker.getVolume('tscompose-missing').remove({force: true})),
  ],
};

export const refusals: Cases = bodies;
export const absences: Cases = missing;
