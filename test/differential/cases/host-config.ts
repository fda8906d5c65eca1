import type {HostConfig} from '../../../src/api/types/container.ts';
import type {Cases} from '../case.ts';
import {create, facts, line, run} from '../steps.ts';

const seen = (sections: string, host: HostConfig) => [facts(sections, {HostConfig: host})];
const asked = (host: HostConfig) => [create({HostConfig: host})];
/** What the kernel keeps, by version 1 and 2. */
const limit = (host: HostConfig, ...files: readonly string[]) => [
  line(
    `for f in ${files.join(' ')}; do for d in /sys/fs/cgroup /sys/fs/cgroup/*; do [ -f $d/$f ] && echo $f $(cat $d/$f); done; done; true`,
    {HostConfig: host},
  ),
];

const MiB = 2 ** 20;

const resources: Cases = {
  'a limit of memory': limit({Memory: 64 * MiB}, 'memory.limit_in_bytes', 'memory.memsw.limit_in_bytes', 'memory.max'),
  'a limit of memory and swap': limit(
    {Memory: 64 * MiB, MemorySwap: 96 * MiB},
    'memory.limit_in_bytes',
    'memory.memsw.limit_in_bytes',
  ),
  'memory and as much swap as there is': limit(
    {Memory: 64 * MiB, MemorySwap: -1},
    'memory.limit_in_bytes',
    'memory.memsw.limit_in_bytes',
  ),
  'memory without swap': limit(
    {Memory: 64 * MiB, MemorySwap: 64 * MiB},
    'memory.limit_in_bytes',
    'memory.memsw.limit_in_bytes',
  ),
  'a reservation of memory': limit({Memory: 64 * MiB, MemoryReservation: 32 * MiB}, 'memory.soft_limit_in_bytes'),
  'a swappiness': limit({MemorySwappiness: 30}, 'memory.swappiness'),
  'a swappiness of none': asked({MemorySwappiness: -1}),
  'no killer for want of memory': limit({Memory: 64 * MiB, OomKillDisable: true}, 'memory.oom_control'),
  'shares of the processor': limit({CpuShares: 512}, 'cpu.shares'),
  'one and a half processors': limit({NanoCpus: 1_500_000_000}, 'cpu.cfs_quota_us', 'cpu.cfs_period_us'),
  'a quota and a period': limit({CpuQuota: 20_000, CpuPeriod: 40_000}, 'cpu.cfs_quota_us', 'cpu.cfs_period_us'),
  'a set of processors': limit({CpusetCpus: '0'}, 'cpuset.cpus'),
  'a set of memory nodes': limit({CpusetMems: '0'}, 'cpuset.mems'),
  'a number of processes': limit({PidsLimit: 37}, 'pids.max'),
  'as many processes as wanted': limit({PidsLimit: -1}, 'pids.max'),
  'no number of processes': limit({PidsLimit: 0}, 'pids.max'),
  'a weight of input and output': asked({BlkioWeight: 300}),
  'who is killed first': [line('cat /proc/self/oom_score_adj', {HostConfig: {OomScoreAdj: 500}})],
  'limits of a process': seen('limits', {
    Ulimits: [
      {Name: 'nofile', Soft: 1000, Hard: 2000},
      {Name: 'core', Soft: 0, Hard: 0},
      {Name: 'nproc', Soft: 500, Hard: 600},
      {Name: 'stack', Soft: 4 * MiB, Hard: 8 * MiB},
      {Name: 'memlock', Soft: -1, Hard: -1},
    ],
  }),
  'every limit of a process': seen('limits', {
    Ulimits: [
      ...['cpu', 'data', 'fsize', 'locks', 'msgqueue', 'rss', 'rttime', 'sigpending', 'nice', 'rtprio'].map((Name) => ({
        Name,
        Soft: 7,
        Hard: 9,
      })),
      {Name: 'nofile', Soft: 64, Hard: 64},
      {Name: 'nproc', Soft: 64, Hard: 64},
      {Name: 'core', Soft: 1, Hard: 2},
      {Name: 'stack', Soft: 8 * MiB, Hard: 8 * MiB},
      {Name: 'memlock', Soft: 64, Hard: 128},
    ].map((one) => (['data', 'fsize', 'rss'].includes(one.Name) ? {...one, Soft: 64 * MiB, Hard: 128 * MiB} : one)),
  }),
  'killed for want of memory': [
    // One process: of several the kernel may choose any.
    line('exec tail /dev/zero', {
      HostConfig: {Memory: 24 * MiB, MemorySwap: 24 * MiB},
    }),
  ],
};

const confinement: Cases = {
  'capabilities unless stated': seen('status', {}),
  'a capability less': seen('status', {CapDrop: ['CHOWN']}),
  'a capability more, with its prefix': seen('status', {CapAdd: ['CAP_SYS_TIME']}),
  'a capability in small letters': seen('status', {CapAdd: ['net_admin']}),
  'no capability': seen('status', {CapDrop: ['ALL']}),
  'one capability of all': seen('status', {CapDrop: ['ALL'], CapAdd: ['NET_BIND_SERVICE']}),
  'every capability': seen('status', {CapAdd: ['ALL']}),
  'every capability but one': seen('status', {CapAdd: ['ALL'], CapDrop: ['SYS_ADMIN']}),
  'a capability of a user': [facts('status', {User: 'nobody', HostConfig: {CapAdd: ['NET_ADMIN']}})],
  'all rights': seen('status masked', {Privileged: true}),
  'all rights of a user': [facts('status', {User: 'nobody', HostConfig: {Privileged: true}})],
  'no new rights': seen('status', {SecurityOpt: ['no-new-privileges']}),
  'no new rights, with a value': seen('status', {SecurityOpt: ['no-new-privileges=true']}),
  'new rights': seen('status', {SecurityOpt: ['no-new-privileges=false']}),
  'no filter of system calls': seen('status', {SecurityOpt: ['seccomp=unconfined']}),
  'paths of the system': seen('masked', {SecurityOpt: ['systempaths=unconfined']}),
  'a read-only root': seen('write', {ReadonlyRootfs: true}),
  'other paths are hidden': seen('mounts', {MaskedPaths: ['/etc/passwd', '/bin'], ReadonlyPaths: ['/tmp']}),
  'no paths are hidden': seen('mounts', {MaskedPaths: [], ReadonlyPaths: []}),
  'what can be written to': seen('write', {}),
  'what is hidden': seen('masked', {}),
  'devices unless stated': seen('dev', {}),
  'a device of the machine': seen('dev', {
    Devices: [{PathOnHost: '/dev/null', PathInContainer: '/dev/nothing', CgroupPermissions: 'rwm'}],
  }),
  'a device that may only be read': [
    line('ls -l /dev/made | cut -c 1-10; echo x >/dev/made', {
      HostConfig: {Devices: [{PathOnHost: '/dev/null', PathInContainer: '/dev/made', CgroupPermissions: 'r'}]},
    }),
  ],
  'a rule of devices': [line('mknod /tmp/d c 1 7; echo x >/tmp/d', {HostConfig: {DeviceCgroupRules: ['c 1:7 rmw']}})],
  'a device that may not be made': [line('mknod /tmp/d b 8 99 && cat /tmp/d')],
  'an annotation': asked({Annotations: {'org.example/a': 'b'}}),
};

const namespaces: Cases = {
  'an init': [
    run({Cmd: ['/bin/busybox', 'env', 'FACTS=process', '/bin/busybox', 'sh', '/facts'], HostConfig: {Init: true}}),
  ],
  'no init': [facts('process', {HostConfig: {Init: false}})],
  'the processes of the machine': [line('[ $$ -gt 1 ] && echo not the first', {HostConfig: {PidMode: 'host'}})],
  'the host name of the machine': asked({UTSMode: 'host'}),
  'the messages of the machine': asked({IpcMode: 'host'}),
  'memory that can be shared': asked({IpcMode: 'shareable'}),
  'no memory that is shared': seen('volumes', {IpcMode: 'none'}),
  'private memory': seen('volumes', {IpcMode: 'private', ShmSize: 1 * MiB}),
  'control groups of its own': asked({CgroupnsMode: 'private'}),
  'control groups of the machine': asked({CgroupnsMode: 'host'}),
  'users of the machine': asked({UsernsMode: 'host'}),
  'a setting of the kernel': seen('sysctls', {
    Sysctls: {'kernel.msgmax': '4096', 'kernel.shm_rmid_forced': '1', 'fs.mqueue.msg_max': '17'},
  }),
  'a setting of the network': [
    line('sysctl net.core.somaxconn net.ipv4.ip_unprivileged_port_start', {
      HostConfig: {Sysctls: {'net.core.somaxconn': '321', 'net.ipv4.ip_unprivileged_port_start': '7'}},
    }),
  ],
};

const files: Cases = {
  'memory file systems': seen('volumes', {Tmpfs: {'/run': '', '/own': 'size=1m,mode=700,exec'}}),
  'a memory file system that is read-only': seen('volumes', {Tmpfs: {'/own': 'ro'}}),
  'a memory file system as a mount': seen('volumes', {
    Mounts: [{Type: 'tmpfs', Target: '/own', TmpfsOptions: {SizeBytes: MiB, Mode: 0o700}}],
  }),
  'shared memory of another size': seen('volumes', {ShmSize: 2 * MiB}),
  'hosts that are added': [
    facts('names', {
      HostConfig: {Dns: ['192.0.2.53'], ExtraHosts: ['one:192.0.2.1', 'six:2001:db8::1', 'one:192.0.2.2']},
    }),
  ],
  'servers of names': seen('names', {Dns: ['192.0.2.53'], DnsSearch: ['example.org'], DnsOptions: ['ndots:3']}),
  'a searched domain and the root': seen('names', {Dns: ['192.0.2.53'], DnsSearch: ['example.org', '.']}),
  'a driver of logs with options': asked({LogConfig: {Type: 'json-file', Config: {'max-size': '1m', 'max-file': '3'}}}),
  'a local log': [run({Cmd: ['echo', 'kept'], HostConfig: {LogConfig: {Type: 'local', Config: {}}}})],
  'no log': [run({Cmd: ['echo', 'lost'], HostConfig: {LogConfig: {Type: 'none', Config: {}}}})],
  'a policy of restarts': asked({RestartPolicy: {Name: 'on-failure', MaximumRetryCount: 3}}),
  'a policy of restarts without a number': asked({RestartPolicy: {Name: 'unless-stopped'}}),
  'ports to be published': asked({
    PortBindings: {'80/tcp': [{HostIp: '127.0.0.1', HostPort: '8080'}, {HostPort: ''}], '53/udp': []},
  }),
  'all ports to be published': asked({PublishAllPorts: true}),
  'everything at once': asked({
    Memory: 32 * MiB,
    MemoryReservation: 16 * MiB,
    NanoCpus: 500_000_000,
    CpuShares: 100,
    CpusetCpus: '0-1',
    PidsLimit: 10,
    CapAdd: ['NET_ADMIN'],
    CapDrop: ['MKNOD'],
    Dns: ['192.0.2.53'],
    ExtraHosts: ['a:192.0.2.1'],
    GroupAdd: ['1'],
    Init: true,
    OomScoreAdj: 10,
    ReadonlyRootfs: true,
    RestartPolicy: {Name: 'always'},
    SecurityOpt: ['no-new-privileges'],
    ShmSize: 1 * MiB,
    Sysctls: {'net.core.somaxconn': '9'},
    Tmpfs: {'/run': ''},
    Ulimits: [{Name: 'nofile', Soft: 9, Hard: 10}],
  }),
};

export const resourcesCases: Cases = resources;
export const confinementCases: Cases = confinement;
export const hostConfigCases: Cases = {...namespaces, ...files};
