import {expect, test} from 'vitest';
import type {ContainerCreateBody} from '../../../src/api/types/container.ts';
import {checkBody} from '../../../src/engine/container/check-body.ts';

const device = (change: object) => ({
  ...{PathOnHost: '/dev/zero', PathInContainer: '/dev/mine', CgroupPermissions: 'r'},
  ...change,
});

test.each<readonly [NonNullable<ContainerCreateBody['HostConfig']>, string]>([
  [{ExtraHosts: ['db']}, 'bad format for add-host: "db"'],
  [{ExtraHosts: ['db:nowhere']}, 'invalid IP address in add-host: "nowhere"'],
  [{ExtraHosts: ['d b:10.0.0.1']}, 'bad format for add-host: "d b:10.0.0.1"'],
  [{ExtraHosts: ['db:10.0.0.1\n10.0.0.2 other']}, 'invalid IP address in add-host: "10.0.0.1\n10.0.0.2 other"'],
  [{Dns: ['nowhere']}, 'bad nameserver address nowhere: it is no IP address'],
  [{DnsSearch: ['a\nnameserver 10.0.0.1']}, 'bad DNS setting "a\\nnameserver 10.0.0.1": it holds white space'],
  [{DnsOptions: ['ndots:5 debug']}, 'bad DNS setting "ndots:5 debug": it holds white space'],
  [{SecurityOpt: ['apparmor=a\nb']}, 'invalid --security-opt 2: "apparmor=a\\nb"'],
  [{SecurityOpt: ['seccomp={}']}, 'Decoding seccomp profile failed: defaultAction: unknown name ""'],
  [{SecurityOpt: ['systempaths=unconfined']}, 'invalid --security-opt 2: "systempaths=unconfined"'],
  [{Privileged: true, DeviceCgroupRules: ['all']}, "invalid device cgroup rule format: 'all'"],
  [{Devices: [device({PathOnHost: 'zero'})]}, 'device mapping "zero": "zero" is not an absolute path'],
  [{Devices: [device({PathInContainer: ''})]}, 'device mapping "/dev/zero": "" is not an absolute path'],
  [{Devices: [{PathOnHost: '/dev/zero'} as never]}, 'device mapping "/dev/zero": "" is not an absolute path'],
  [{Devices: [device({CgroupPermissions: 'rx'})]}, 'device mapping "/dev/zero": bad mode specified: "rx"'],
  [{RestartPolicy: 'always' as never}, 'invalid restart policy: not an object'],
  [
    {RestartPolicy: {Name: 'on-failure', MaximumRetryCount: '3' as never}},
    'invalid restart policy: maximum retry count is not an integer: "3"',
  ],
])('%j is refused', (host, message) => {
  expect(() => checkBody({Image: 'a', HostConfig: host})).toThrow(message);
});

test.each<readonly [object, string]>([
  [{HostConfig: {StorageOpt: {size: '1G'}}}, 'HostConfig.StorageOpt'],
  [{HostConfig: {Runtime: 'other'}}, 'HostConfig.Runtime'],
  [{HostConfig: {Isolation: 'hyperv'}}, 'HostConfig.Isolation'],
  [{HostConfig: {VolumeDriver: 'other'}}, 'HostConfig.VolumeDriver'],
  [{HostConfig: {CpuCount: 1}}, 'HostConfig.CpuCount'],
  [{HostConfig: {KernelMemoryTCP: 1}}, 'HostConfig.KernelMemoryTCP'],
  [{MacAddress: '02:00:00:00:00:01'}, 'MacAddress'],
  [{Shell: ['sh']}, 'Shell'],
])('%j is refused by its name', (body, name) => {
  const error = {kind: 'unsupported', message: `this engine does not support ${name}`};
  expect(() => checkBody({Image: 'a', ...body})).toThrow(expect.objectContaining(error));
});

test('names and name servers are taken in every form that Docker knows', () => {
  const host = {
    ExtraHosts: ['a:10.0.0.1', 'b=10.0.0.1', 'c:::1', 'd=[fd00::1]', 'gateway:host-gateway'],
    Dns: ['10.0.0.1', 'fd00::1', 'fe80::1%eth0'],
    DnsSearch: ['example.org', '.'],
    DnsOptions: ['ndots:5'],
  };
  expect(() => checkBody({Image: 'a', HostConfig: host})).not.toThrow();
});
