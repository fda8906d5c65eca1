import {expect, it} from 'vitest';
import {checkTarget} from '../../../src/engine/registry/addresses.ts';

const check = (target: string, from: string) => () => checkTarget(new URL(target), new URL(from), 'the place to go to');
const outside = 'https://registry.example/';
const inside = 'https://10.1.2.3:5000/';

it.each([
  ['https://localhost/', outside],
  ['https://localhost./', outside],
  ['https://inner.localhost.:8080/', outside],
  ['https://127.0.0.1/', outside],
  ['https://0x7f.1/', outside],
  ['https://[::1]/', outside],
  ['https://[::ffff:127.0.0.1]/', outside],
  ['https://192.168.1.1/', outside],
  ['https://[fd00::1]/', outside],
  ['https://169.254.169.254/', inside],
  ['https://[::ffff:169.254.169.254]/', inside],
  ['https://[fe80::1]/', inside],
])('%s is no place for %s to send us to', (target, from) => {
  expect(check(target, from)).toThrow("an address inside of this machine's network");
});

it.each([
  ['https://storage.example/', outside],
  ['https://registry.example:444/', outside],
  ['https://203.0.113.1/', outside],
  ['https://10.1.2.4/', inside],
  ['https://localhost/', inside],
])('%s is one for %s', (target, from) => {
  expect(check(target, from)).not.toThrow();
});
