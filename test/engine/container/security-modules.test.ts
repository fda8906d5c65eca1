import {expect, test} from 'vitest';
import {appArmorProfile, checkSecurityModules} from '../../../src/engine/container/security-modules.ts';

const neither = {apparmor: false, selinux: false};
const apparmor = {apparmor: true, selinux: false};
const selinux = {apparmor: false, selinux: true};

test.each([
  [neither, 'apparmor=mine', 'cannot set the AppArmor profile "mine": this kernel has no AppArmor'],
  [selinux, 'apparmor:mine', 'cannot set the AppArmor profile "mine": this kernel has no AppArmor'],
  [selinux, 'label=type:mine', 'this engine does not support the security option "label=type:mine"'],
])('%o refuses %s', (modules, option, message) => {
  expect(() => checkSecurityModules(modules, {SecurityOpt: [option]})).toThrow(
    expect.objectContaining({kind: 'unsupported', message}),
  );
});

test.each([
  [neither, 'apparmor=unconfined', ''],
  [neither, 'apparmor=', ''],
  [neither, 'label=type:mine', ''],
  [apparmor, 'apparmor=mine', 'mine'],
  [apparmor, 'apparmor:mine', 'mine'],
  [apparmor, 'apparmor=unconfined', 'unconfined'],
  [apparmor, 'label=disable', 'unconfined'],
  [selinux, 'label=disable', ''],
])('%o takes %s', (modules, option, shown) => {
  const host = {SecurityOpt: [option]};
  checkSecurityModules(modules, host);
  expect(appArmorProfile(modules, host)).toBe(shown);
});

test('the last profile counts', () => {
  expect(appArmorProfile(apparmor, {SecurityOpt: ['apparmor=one', 'apparmor=two']})).toBe('two');
  expect(appArmorProfile(apparmor, {SecurityOpt: ['apparmor=one', 'apparmor=unconfined']})).toBe('unconfined');
});
