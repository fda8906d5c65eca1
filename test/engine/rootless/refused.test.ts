import {expect, test} from 'vitest';
import {type RootlessMeans, refuseWithoutRoot} from '../../../src/engine/rootless/refused.ts';

const means: RootlessMeans = {
  cgroups: {v1: [], v2: undefined},
  ownLimits: [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max open files            1024                 4096                 files     ',
    'Max core file size        0                    unlimited            bytes     ',
  ].join('\n'),
  ownOomScore: 0,
};
const given: RootlessMeans = {...means, cgroups: {v1: [], v2: {mount: '/sys/fs/cgroup/user'}}};

test.each([
  [{OomScoreAdj: -1}, 'OomScoreAdj without root: it may not be below that of this process (0)'],
  [{CgroupParent: '/mine'}, 'CgroupParent without root: this user was given no cgroup'],
  [{PidMode: 'host'}, 'PidMode "host" without root'],
  [{PidMode: 'container:db'}, 'PidMode "container:db" without root'],
  [{Ulimits: [{Name: 'nofile', Soft: 1, Hard: 4097}]}, 'Ulimits without root: "nofile" may be 4096 at most'],
  [{Ulimits: [{Name: 'NOFILE', Soft: 1, Hard: -1}]}, 'Ulimits without root: "NOFILE" may be 4096 at most'],
])('%j is refused by name', (host, message) => {
  expect(() => refuseWithoutRoot(host, means)).toThrow(`cannot set HostConfig.${message}`);
});

test('a score below the own one is refused, none is not', () => {
  const raised = {...means, ownOomScore: 200};
  expect(() => refuseWithoutRoot({OomScoreAdj: 199}, raised)).toThrow(
    'cannot set HostConfig.OomScoreAdj without root: it may not be below that of this process (200)',
  );
  for (const host of [{}, {OomScoreAdj: 0}, {OomScoreAdj: 200}]) refuseWithoutRoot(host, raised);
});

test('what a user may do passes', () => {
  refuseWithoutRoot({OomScoreAdj: 500, Ulimits: [{Name: 'nofile', Soft: 1, Hard: 4096}]}, means);
  refuseWithoutRoot({Ulimits: [{Name: 'core', Soft: -1, Hard: -1}], Privileged: true}, means);
  refuseWithoutRoot({CgroupParent: '/mine', PidMode: 'host'}, given);
});
