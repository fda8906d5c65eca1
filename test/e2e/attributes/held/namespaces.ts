import {expect} from 'vitest';
import type {RunningStack} from '../stack.ts';
import {type Held, inspected, main, prints} from './facts.ts';

/** That two services have the same namespace. */
async function share({print}: RunningStack, kind: string, one: string, other: string): Promise<void> {
  const line = `readlink /proc/self/ns/${kind}`;
  expect(await print(one, line)).toBe(await print(other, line));
}

export const ofNamespaces: Readonly<Record<string, Held>> = {
  network_mode: {
    service: 'guest',
    says: {network_mode: `service:${main}`},
    has: async (stack) => {
      await share(stack, 'net', 'guest', main);
      expect(await stack.print('guest', 'cat /etc/hostname')).toBe(await stack.print(main, 'cat /etc/hostname'));
    },
  },
  pid: {
    service: 'guest',
    says: {pid: 'service:lender'},
    has: (stack) => share(stack, 'pid', 'guest', 'lender'),
  },
  ipc: {
    service: 'guest',
    says: {ipc: 'service:lender'},
    has: async (stack) => {
      await share(stack, 'ipc', 'guest', 'lender');
      await stack.print('lender', 'echo lent >/dev/shm/file');
      expect(await stack.print('guest', 'cat /dev/shm/file')).toBe('lent');
    },
  },
  uts: {
    service: 'lender',
    says: {uts: 'host'},
    has: inspected('lender', ({HostConfig}) => expect(HostConfig.UTSMode).toBe('host')),
  },
  userns_mode: {
    service: 'lender',
    says: {userns_mode: 'host'},
    has: prints('lender', "awk '{print $2, $3}' /proc/self/uid_map", '0 4294967295'),
  },
  volumes_from: {
    service: 'guest',
    says: {volumes_from: [`${main}:ro`]},
    has: prints(
      'guest',
      'cat /www/index.html; touch /data/x 2>&1 || true',
      /^from the machine.*Read-only file system$/s,
    ),
  },
};
