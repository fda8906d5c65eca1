import {expect, test} from 'vitest';
import {boundAddresses, isReachableFromOutside} from '../../src/api/port-reach.ts';

test('a port without an address is bound everywhere, unless the setting says otherwise', () => {
  expect(boundAddresses(undefined)).toEqual(['0.0.0.0', '::']);
  expect(boundAddresses('', 'loopback')).toEqual(['127.0.0.1', '::1']);
  expect(boundAddresses('', '10.0.0.1')).toEqual(['10.0.0.1']);
  expect(boundAddresses('[::1]', 'loopback')).toEqual(['::1']);
  expect(boundAddresses('0.0.0.0', 'loopback')).toEqual(['0.0.0.0']);
});

test('only loopback addresses keep other machines out', () => {
  const reachable = ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1', '127.1.2.3', '::1', 'fd00::1'].filter(
    isReachableFromOutside,
  );
  expect(reachable).toEqual(['0.0.0.0', '::', '10.0.0.1', 'fd00::1']);
});
