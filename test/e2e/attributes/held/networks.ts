import {expect} from 'vitest';
import {type Held, inspected, main, prints} from './facts.ts';

export const onNetworks: Readonly<Record<string, Held>> = {
  ports: {
    service: main,
    says: {ports: ['127.0.0.1:18080:8080']},
    has: async ({host}) => {
      const {stdout} = await host.command('curl', ['-sS', '--max-time', '20', 'http://127.0.0.1:18080/index.html']);
      expect(stdout).toBe('from the machine');
    },
  },
  expose: {
    service: main,
    says: {expose: ['9999/udp']},
    has: inspected(main, ({Config}) => expect(Config.ExposedPorts).toHaveProperty('9999/udp')),
  },
  networks: {
    service: main,
    says: {networks: {front: {aliases: ['other-name'], priority: 10}, back: {}}},
    has: async ({print}) => {
      expect((await print(main, 'ls /sys/class/net')).split('\n').sort()).toEqual(['eth0', 'eth1', 'lo']);
      await print('terminal', 'nslookup other-name');
    },
  },
  mac_address: {
    service: main,
    says: {mac_address: '02:00:00:00:00:77'},
    has: prints(main, 'cat /sys/class/net/eth0/address', '02:00:00:00:00:77'),
  },
  links: {
    service: 'terminal',
    says: {links: ['main', 'main:linked'], networks: ['front']},
    has: async ({print}) => {
      for (const name of ['main', 'linked']) expect(await print('terminal', `nslookup ${name}`)).toMatch(/Address/);
    },
  },
  external_links: {
    service: 'terminal',
    says: {external_links: ['attributes-main-1:external']},
    has: prints('terminal', 'nslookup external', /Address/),
  },
  extra_hosts: {
    service: main,
    says: {extra_hosts: {elsewhere: ['192.0.2.7']}},
    has: prints(main, 'grep elsewhere /etc/hosts', /^192\.0\.2\.7\s+elsewhere$/),
  },
  dns: {
    service: 'alone',
    says: {dns: ['192.0.2.53']},
    has: prints('alone', 'cat /etc/resolv.conf', /^nameserver 192\.0\.2\.53$/m),
  },
  dns_search: {
    service: main,
    says: {dns_search: 'search.test'},
    has: prints(main, 'cat /etc/resolv.conf', /^search search\.test$/m),
  },
  dns_opt: {
    service: main,
    says: {dns_opt: ['ndots:3']},
    has: prints(main, 'cat /etc/resolv.conf', /^options .*ndots:3/m),
  },
};
