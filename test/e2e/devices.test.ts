import {readdirSync} from 'node:fs';
import {expect, test} from 'vitest';
import {stringify} from 'yaml';
import {exitCodes} from '../../src/base/errors.ts';
import {cdiName, placeCdiFile} from '../support/cdi-file.ts';
import {makeHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {layOut} from './attributes/stack.ts';

test.each([
  ['a device', {devices: [`${cdiName()}.example/card=one`]}, 'unresolvable CDI devices', 'none there offers it'],
  ['a GPU', {gpus: [{device_ids: [cdiName()], driver: 'amd'}]}, '', '/etc/cdi and /var/run/cdi'],
  [
    'a driver that nobody knows',
    {gpus: [{driver: 'abacus', count: 1}]},
    'could not select device driver "abacus" with capabilities: [[gpu]]',
    '/etc/cdi and /var/run/cdi',
  ],
])('what no CDI file offers is refused with the reason: %s', async (_name, says, message, hint) => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  layOut(host, {services: {web: {image: 'busybox', command: 'true', ...says}}});
  const up = await host.tscompose(['up', '-d']);
  expect(up.code).toBe(exitCodes.invalidStack);
  expect(up.stderr).toContain(message);
  expect(up.stderr).toContain(hint);
  expect(readdirSync(`${host.root}/containers`)).toEqual([]);
  expect((await host.tscompose(['down', '-t', '1'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});

test('hooks of a CDI device are refused by name: they would run with all rights of the machine', async () => {
  const kind = `${cdiName()}.example/card`;
  // In YAML: the program reads it with a part of its own that it loads only then.
  const described = {
    cdiVersion: '0.6.0',
    kind,
    devices: [
      {name: 'plain', containerEdits: {env: ['CARD=plain'], additionalGids: [4444]}},
      {
        name: 'hooked',
        containerEdits: {hooks: [{hookName: 'createContainer', path: '/bin/touch', args: ['touch', '/x']}]},
      },
    ],
  };
  using file = placeCdiFile(stringify(described), 'yaml');
  void file;
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  layOut(host, {
    services: {
      plain: {image: 'busybox', command: ['sh', '-c', 'echo card $$CARD $$(id -G)'], devices: [`${kind}=plain`]},
      hooked: {image: 'busybox', command: 'true', devices: [`${kind}=hooked`]},
    },
  });
  const hooked = await host.tscompose(['up', '-d', 'hooked']);
  expect(hooked.code).toBe(exitCodes.invalidStack);
  expect(hooked.stderr).toContain(`CDI device "${kind}=hooked": this engine does not support its hooks`);
  const plain = await host.tscompose(['up', 'plain']);
  expect(plain.stdout).toMatch(/card plain .*\b4444\n/);
  expect((await host.tscompose(['down', '-t', '1'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});

test('a changed seccomp profile makes the container anew, a missing one is told with its place', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const profile = (errnoRet: number): string =>
    JSON.stringify({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{name: 'sethostname', action: 'SCMP_ACT_ERRNO', errnoRet}],
    });
  const services = {web: {image: 'busybox', command: 'sleep 600', init: true, security_opt: ['seccomp:profile.json']}};
  layOut(host, {services});
  const missing = await host.tscompose(['up', '-d']);
  expect(missing.code).toBe(exitCodes.invalidStack);
  expect(missing.stderr).toMatch(
    /services\.web\.security_opt\[0\]: cannot read seccomp profile "profile\.json": .*\n *--> compose\.yaml:\d/,
  );
  // What does not run anything does not need it.
  expect((await host.tscompose(['config', '-q'])).code).toBe(0);
  layOut(host, {services}, {'profile.json': '{"defaultAction": "SCMP_ACT_ALLOW",}'});
  expect((await host.tscompose(['up', '-d'])).stderr).toContain('the seccomp profile "profile.json" is not JSON');
  layOut(host, {services}, {'profile.json': profile(1)});
  expect((await host.tscompose(['up', '-d'])).code).toBe(0);
  const id = (await host.tscompose(['ps', '-q'])).stdout;
  expect((await host.tscompose(['up', '-d'])).code).toBe(0);
  expect((await host.tscompose(['ps', '-q'])).stdout).toBe(id);
  layOut(host, {services}, {'profile.json': profile(28)});
  expect((await host.tscompose(['plan'])).stdout).toContain('security_opt');
  expect((await host.tscompose(['up', '-d'])).code).toBe(0);
  expect((await host.tscompose(['ps', '-q'])).stdout).not.toBe(id);
  expect((await host.tscompose(['down', '-t', '1'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});
