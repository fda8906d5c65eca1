import {expect, test} from 'vitest';
import type {ContainerCreateBody, ContainerInspect} from '../../src/api/types/container.ts';
import {compareInspected} from '../../src/plan/inspected.ts';
import {container, project} from './fixtures.ts';

/** As a Docker Engine answers for a container that Docker Compose made. */
const inspected = {
  Config: {
    Image: 'db',
    Cmd: ['sleep', '1000'],
    Env: ['A=1', 'PATH=/bin'],
    Hostname: '0123456789ab',
    Labels: {'com.docker.compose.service': 'db', team: 'z', maintainer: 'image'},
    WorkingDir: '',
  },
  HostConfig: {
    CapAdd: ['CAP_NET_ADMIN'],
    Memory: 67_108_864,
    MemorySwap: 134_217_728,
    ShmSize: 67_108_864,
    NetworkMode: 'shop_default',
    RestartPolicy: {Name: 'no', MaximumRetryCount: 0},
    PortBindings: {'80/tcp': [{HostIp: '', HostPort: '8080'}]},
    LogConfig: {Type: 'json-file', Config: {}},
  },
  Mounts: [
    {Type: 'volume', Name: 'shop_data', Source: '/v', Destination: '/data', Mode: 'z', RW: true, Propagation: ''},
    {
      Type: 'volume',
      Name: 'f'.repeat(64),
      Source: '/v2',
      Destination: '/anonymous',
      Mode: 'z',
      RW: true,
      Propagation: '',
    },
    {Type: 'bind', Source: '/src', Destination: '/app', Mode: 'ro', RW: false, Propagation: 'rprivate'},
  ],
} as unknown as ContainerInspect;

const body: ContainerCreateBody = {
  Image: 'db',
  Cmd: ['sleep', '1000'],
  Env: ['A=1'],
  Labels: {'io.tscompose.spec': '{}', team: 'z'},
  HostConfig: {
    CapAdd: ['NET_ADMIN'],
    Memory: 67_108_864,
    NetworkMode: 'shop_default',
    PortBindings: {'80/tcp': [{HostIp: '0.0.0.0', HostPort: '8080'}]},
    Mounts: [{Type: 'volume', Source: 'shop_data', Target: '/data'}],
    Binds: ['/src:/app:ro'],
  },
};

const image = {id: 'sha256:db', config: {Env: ['PATH=/bin'], Labels: {maintainer: 'image'}, Cmd: ['postgres']}};

function changes(to: ContainerCreateBody, from: ContainerInspect = inspected): string[] {
  const of = project({services: {db: {}}});
  const {spec: _, ...one} = container(of, 'db');
  const compared = compareInspected({
    container: {...one, inspected: from},
    body: to,
    image,
    path: 'services.db',
    provenance: of.provenance,
  });
  return compared.map(({field, before, after}) => `${field}: ${before} => ${after}`);
}

test('a container that another tool made as the file says is as wanted', () => {
  expect(changes(body)).toEqual([]);
});

test('each difference is named by the attribute of the stack file', () => {
  expect(
    changes({
      ...body,
      Cmd: ['sleep', '5'],
      Env: ['A=2', 'API_KEY=x'],
      User: '1000',
      Labels: {team: 'y'},
      HostConfig: {
        ...body.HostConfig,
        Memory: 134_217_728,
        PortBindings: {'80/tcp': [{HostPort: '81'}]},
        CapAdd: [],
        RestartPolicy: {Name: 'always'},
        Binds: ['/src:/app'],
      },
    }),
  ).toEqual([
    'cap_add: [NET_ADMIN] => undefined',
    'command: [sleep, 1000] => [sleep, 5]',
    'environment.A: 1 => 2',
    'environment.API_KEY: undefined => ‹set›',
    'labels.team: z => y',
    'mem_limit: 64M => 128M',
    'ports[80/tcp]: 0.0.0.0:8080 => 0.0.0.0:81',
    'restart: no => always',
    'user: undefined => 1000',
    'volumes[/app]: /src:ro => /src',
  ]);
});

test('what the file does not state any more goes back to what the image says', () => {
  const {Cmd: _, ...without} = body;
  expect(changes(without)).toEqual(['command: [sleep, 1000] => [postgres]']);
  expect(changes({...without, Entrypoint: ['/init']})).toEqual([
    'command: [sleep, 1000] => undefined',
    'entrypoint: undefined => [/init]',
  ]);
});

test('rights and devices are compared as an engine answers for them', () => {
  const given = {
    SecurityOpt: ['no-new-privileges:true', 'label=disable'],
    Privileged: true,
    MaskedPaths: [],
    ReadonlyPaths: [],
    Devices: [{PathOnHost: '/dev/zero', PathInContainer: '/dev/mine', CgroupPermissions: 'r'}],
    DeviceCgroupRules: ['c 1:3 r'],
    DeviceRequests: [
      {Driver: '', Count: -1, DeviceIDs: null, Capabilities: [['gpu']], Options: null},
      {Driver: 'cdi', Count: 0, DeviceIDs: ['v.example/c=one'], Capabilities: null, Options: null},
    ],
  };
  const from = {...inspected, HostConfig: {...inspected.HostConfig, ...given}} as unknown as ContainerInspect;
  const same: ContainerCreateBody = {
    ...body,
    HostConfig: {
      ...body.HostConfig,
      ...given,
      SecurityOpt: ['no-new-privileges:true'],
      DeviceRequests: [
        {Driver: 'cdi', DeviceIDs: ['v.example/c=one']},
        {Count: -1, Capabilities: [['gpu']]},
      ],
    },
  };
  expect(changes(same, from)).toEqual([]);
  expect(changes(body, from).map((change) => change.split(/[:[]/, 1)[0])).toEqual([
    'device_cgroup_rules',
    'devices',
    'devices',
    'gpus',
    'privileged',
    'security_opt',
  ]);
  // What an engine masks by itself is no wish.
  const usual = {...inspected, HostConfig: {...inspected.HostConfig, MaskedPaths: ['/proc/kcore']}};
  expect(changes(body, usual as unknown as ContainerInspect)).toEqual([]);
});

test('limits are compared as an engine answers for them', () => {
  const limits = {
    CpuShares: 512,
    CpusetCpus: '0',
    CgroupParent: '/mine',
    OomKillDisable: true,
    BlkioWeight: 300,
    BlkioDeviceReadBps: [{Path: '/dev/vda', Rate: 1_048_576}],
  };
  const nothing = {
    CgroupnsMode: 'private',
    CpuShares: 0,
    CpusetCpus: '',
    CgroupParent: '',
    MemorySwappiness: null,
    OomKillDisable: false,
    BlkioWeight: 0,
    BlkioDeviceReadBps: null,
  };
  const answered = (host: object) =>
    ({...inspected, HostConfig: {...inspected.HostConfig, ...nothing, ...host}}) as unknown as ContainerInspect;
  const wanted = (host: object) => ({...body, HostConfig: {...body.HostConfig, ...host}});
  expect(changes(body, answered({}))).toEqual([]);
  expect(changes(wanted({MemorySwappiness: -1}), answered({}))).toEqual([]);
  expect(changes(body, answered({MemorySwappiness: -1}))).toEqual([]);
  expect(changes(wanted({...limits, CgroupnsMode: 'private'}), answered(limits))).toEqual([]);
  expect(
    changes(wanted({...limits, CgroupnsMode: 'host'}), answered({})).map((change) => change.split(':', 1)[0]),
  ).toEqual([
    'blkio_config.device_read_bps',
    'blkio_config.weight',
    'cgroup',
    'cgroup_parent',
    'cpu_shares',
    'cpuset',
    'oom_kill_disable',
  ]);
  expect(changes(body, answered(limits))).toHaveLength(Object.keys(limits).length);
});
