import {expect, test} from 'vitest';
import {checks, diagnose, type Status} from '../../../src/engine/doctor/checks.ts';
import type {MachineFacts} from '../../../src/engine/doctor/facts.ts';

const good: MachineFacts = {
  userId: 1000,
  kernel: '6.1.0-18-amd64',
  cgroups: {version: 2, controllers: ['cpu', 'memory', 'pids']},
  settings: {
    'user/max_user_namespaces': '15000',
    'net/ipv4/ip_unprivileged_port_start': '80',
    'net/ipv4/neigh/default/gc_thresh3': '8192',
    'fs/inotify/max_user_instances': '1024',
    'fs/inotify/max_user_watches': '524288',
  },
  fileSystems: ['ext4', 'overlay'],
  ids: 65537,
  programs: {newuidmap: true, outbound: 'pasta'},
  tun: true,
  disk: {root: '/data', type: 0xef53, freeBytes: 10 * 1024 ** 3, freeInodes: 1_000_000},
  legacyTables: '',
  now: Date.UTC(2026, 5, 1),
};

const withSettings = (settings: MachineFacts['settings']): Partial<MachineFacts> => ({
  settings: {...good.settings, ...settings},
});

test('a machine that has everything is told so, to root and to a user', () => {
  for (const userId of [0, 1000]) {
    const findings = diagnose({...good, userId});
    expect(findings.filter(({status}) => status !== 'ok')).toEqual([]);
    expect(findings.every(({detail, fix}) => detail !== '' && fix === undefined)).toBe(true);
  }
  expect(diagnose(good).map(({check}) => check)).toEqual(checks.map(({name}) => name));
  expect(diagnose({...good, userId: 0}).map(({check}) => check)).not.toContain('ids');
});

const cases: readonly (readonly [check: string, Status, Partial<MachineFacts>, fix: string])[] = [
  ['kernel', 'problem', {kernel: '5.10.0-28-amd64'}, 'newer kernel'],
  ['overlay', 'problem', {fileSystems: ['ext4']}, 'modprobe overlay'],
  [
    'user namespaces',
    'problem',
    withSettings({'kernel/unprivileged_userns_clone': '0'}),
    'unprivileged_userns_clone=1',
  ],
  ['user namespaces', 'problem', withSettings({'user/max_user_namespaces': '0'}), 'max_user_namespaces=15000'],
  [
    'user namespaces',
    'problem',
    withSettings({'kernel/apparmor_restrict_unprivileged_userns': '1'}),
    'apparmor_restrict_unprivileged_userns=0',
  ],
  ['ids', 'warning', {ids: 1}, 'usermod --add-subuids'],
  ['ids', 'warning', {ids: 1, programs: {newuidmap: false, outbound: 'pasta'}}, 'package uidmap'],
  ['outbound', 'warning', {programs: {newuidmap: true, outbound: undefined}}, 'package passt'],
  ['outbound', 'warning', {tun: false}, 'modprobe tun'],
  ['cgroups', 'warning', {cgroups: {version: 1, controllers: []}}, '--allow-missing-limits'],
  ['cgroups', 'warning', {cgroups: {version: 2, controllers: ['pids']}}, 'Delegate=yes'],
  ['cgroups', 'problem', {userId: 0, cgroups: {version: 0, controllers: []}}, 'mount -t cgroup2'],
  ['cgroups', 'warning', {userId: 0, cgroups: {version: 2, controllers: ['cpu', 'pids']}}, 'cgroup_enable=memory'],
  ['ports', 'warning', withSettings({'net/ipv4/ip_unprivileged_port_start': '1024'}), 'port_start=80'],
  ['firewall', 'warning', {userId: 0, legacyTables: 'filter\n'}, 'iptables-legacy'],
  ['disk', 'problem', {disk: {...good.disk, type: 0x6969}}, '--root'],
  ['disk', 'problem', {disk: {...good.disk, freeBytes: 1000}}, 'remove what is not needed'],
  ['disk', 'problem', {disk: {...good.disk, freeInodes: 10}}, 'remove what is not needed'],
  ['inotify', 'warning', withSettings({'fs/inotify/max_user_instances': '128'}), 'max_user_instances=1024'],
  ['inotify', 'warning', withSettings({'fs/inotify/max_user_watches': '8192'}), 'max_user_watches=524288'],
  ['neighbours', 'warning', withSettings({'net/ipv4/neigh/default/gc_thresh3': '512'}), 'gc_thresh3=8192'],
  ['clock', 'problem', {now: 0}, 'set the clock'],
];

test.each(cases)('%s: %s', (check, status, facts, fix) => {
  const findings = diagnose({...good, ...facts});
  expect(findings.filter((finding) => finding.status !== 'ok')).toMatchObject([{check, status}]);
  expect(findings.find((finding) => finding.check === check)?.fix).toContain(fix);
});

test('every check has a case in which it finds something', () => {
  expect(new Set(cases.map(([check]) => check))).toEqual(new Set(checks.map(({name}) => name)));
});
