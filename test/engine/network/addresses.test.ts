import fc from 'fast-check';
import {expect, test} from 'vitest';
import {
  addressFromBytes,
  bytesOf,
  contains,
  covers,
  formatAddress,
  formatPrefix,
  lastOf,
  overlap,
  parseAddress,
  parsePrefix,
  prefixOf,
} from '../../../src/engine/network/ip.ts';
import {macFor, normaliseMac} from '../../../src/engine/network/mac.ts';
import {choosePools, firstFree} from '../../../src/engine/network/pools.ts';
import {readBindings} from '../../../src/engine/network/port-bindings.ts';
import {
  parseResolvConf,
  resolvConfForMachine,
  resolvConfForNetworks,
  upstreamServers,
} from '../../../src/engine/network/resolv-conf.ts';

const prefix = (text: string) => {
  const parsed = parsePrefix(text);
  if (!parsed) throw new Error(text);
  return parsed;
};
const address = (text: string) => {
  const parsed = parseAddress(text);
  if (!parsed) throw new Error(text);
  return parsed;
};

test('addresses are read and written, in their shortest form', () => {
  const forms = [
    ['10.0.0.1', '10.0.0.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['FD00:0:0:1:0:0:0:1', 'fd00:0:0:1::1'],
    ['fd00::1:0:0:1', 'fd00::1:0:0:1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::ffff:1.2.3.4', '::ffff:102:304'],
  ] as const;
  for (const [given, short] of forms) expect(formatAddress(address(given))).toBe(short);
  for (const wrong of ['', '10.0.0', '10.0.0.256', 'fe80::1%eth0', '1::2::3', 'host'])
    expect(parseAddress(wrong)).toBeUndefined();
  for (const wrong of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/-1', '::/129', 'x/8'])
    expect(parsePrefix(wrong)).toBeUndefined();
});

test('an address survives text and bytes', () => {
  const any = fc.oneof(
    fc.bigInt({min: 0n, max: 2n ** 32n - 1n}).map((value) => ({family: 4 as const, value})),
    fc.bigInt({min: 0n, max: 2n ** 128n - 1n}).map((value) => ({family: 6 as const, value})),
  );
  fc.assert(
    fc.property(any, (given) => {
      expect(parseAddress(formatAddress(given))).toEqual(given);
      expect(addressFromBytes(bytesOf(given))).toEqual(given);
    }),
  );
});

test('blocks: what lies in them, which cover and overlap', () => {
  expect(contains(prefix('10.0.0.0/8'), address('10.255.255.255'))).toBe(true);
  expect(contains(prefix('10.0.0.0/8'), address('11.0.0.0'))).toBe(false);
  expect(contains(prefix('::/0'), address('1.2.3.4'))).toBe(false);
  expect(covers(prefix('10.0.0.0/8'), prefix('10.1.0.0/16'))).toBe(true);
  expect(covers(prefix('10.1.0.0/16'), prefix('10.0.0.0/8'))).toBe(false);
  expect(overlap(prefix('10.1.0.0/16'), prefix('10.0.0.0/8'))).toBe(true);
  expect(overlap(prefix('10.1.0.0/16'), prefix('10.2.0.0/16'))).toBe(false);
  expect(formatAddress(lastOf(prefix('192.168.0.0/20')))).toBe('192.168.15.255');
  expect(formatPrefix(prefixOf(address('172.17.5.6'), 16))).toBe('172.17.0.0/16');
});

test('the lowest free address is never the first or last of the subnet', () => {
  const subnet = prefix('10.0.0.0/30');
  const free = (...taken: string[]) => firstFree(subnet, subnet, taken.map(address));
  expect(free()).toEqual(address('10.0.0.1'));
  expect(free('10.0.0.1')).toEqual(address('10.0.0.2'));
  expect(free('10.0.0.1', '10.0.0.2')).toBeUndefined();
  // A range in the middle of a subnet has no addresses that are special.
  expect(firstFree(prefix('10.0.4.0/24'), prefix('10.0.0.0/16'), [])).toEqual(address('10.0.4.0'));
  expect(firstFree(prefix('fd00::/64'), prefix('fd00::/64'), [])).toEqual(address('fd00::1'));
});

test('IPv6 pools are of the root, and no two are the same', () => {
  const choose = (occupied: readonly string[]) =>
    choosePools({
      network: 'n',
      ipv4: false,
      ipv6: true,
      given: [],
      occupied: occupied.map((text) => ({prefix: prefix(text), by: 'x'})),
      occupiedByRoutes: [],
      rootHash: 'abc6839c42',
      driver: 'bridge',
      gateways: true,
    });
  expect(choose([])).toEqual([{subnet: 'fdab:c683:9c42::/64', gateway: 'fdab:c683:9c42::1', automatic: true}]);
  expect(choose(['fdab:c683:9c42::/64'])[0]?.subnet).toBe('fdab:c683:9c42:1::/64');
});

test('a link address follows from the address, or was asked for', () => {
  expect(macFor([address('fd00::2'), address('172.18.0.2')], 'id')).toBe('02:42:ac:12:00:02');
  expect(macFor([address('fd00::2')], 'a')).not.toBe(macFor([address('fd00::3')], 'a'));
  expect(normaliseMac('02-42-AC-12-00-02')).toBe('02:42:ac:12:00:02');
  for (const wrong of ['', '02:42:ac:12:00', '01:42:ac:12:00:02', '00:00:00:00:00:00', '02:42:ac:12:00:0g']) {
    expect(() => normaliseMac(wrong)).toThrow(/is not a MAC address of an interface/);
  }
});

test('port bindings: protocols, ranges, addresses', () => {
  const read = (key: string, HostPort: string, HostIp = '') =>
    readBindings({[key]: [{HostPort, HostIp}]}, [], {address: 'all', ipv6: true});
  expect(read('80/tcp', '8080')).toEqual([
    {key: '80/tcp', protocol: 'tcp', containerPort: 80, range: [8080, 8080], hostAddresses: ['0.0.0.0', '::']},
  ]);
  expect(read('53/udp', '5000-5010', '[::1]')[0]).toMatchObject({
    protocol: 'udp',
    range: [5000, 5010],
    hostAddresses: ['::1'],
  });
  expect(read('80', '0')[0]).not.toHaveProperty('range');
  expect(
    readBindings({'80/tcp': null}, ['80/tcp', '81/tcp'], {address: '10.0.0.1', ipv6: false}).map(({key}) => key),
  ).toEqual(['80/tcp', '81/tcp']);
  expect(readBindings({'80/tcp': [{}]}, [], {address: 'loopback', ipv6: false})[0]?.hostAddresses).toEqual([
    '127.0.0.1',
  ]);
  expect(read('80/sctp', '80')[0]).toMatchObject({protocol: 'sctp', containerPort: 80, range: [80, 80]});
  expect(() => read('80/dccp', '80')).toThrow('cannot publish 80/dccp: protocol "dccp" is not tcp, udp or sctp');
  expect(() => read('0/tcp', '80')).toThrow('invalid port specification: "0/tcp"');
  for (const wrong of ['x', '70000', '90-80', '-1']) {
    expect(() => read('80/tcp', wrong)).toThrow(`cannot publish 80/tcp: "${wrong}" is not a port or a range of ports`);
  }
  expect(() => read('80/tcp', '80', 'localhost')).toThrow('cannot publish 80/tcp: "localhost" is not an IP address');
});

test('resolv.conf of containers: ours, the machine’s, and what was asked for', () => {
  const machine = parseResolvConf(
    '# made by hand\nnameserver 127.0.0.53\nnameserver 192.0.2.1 # first\nnameserver fe80::1%eth0\ndomain old\nsearch a.test b.test\noptions edns0 trust-ad\n',
  );
  const none = {dns: [], dnsSearch: [], dnsOptions: []};
  const given = {dns: ['9.9.9.9'], dnsSearch: ['x.y'], dnsOptions: ['timeout:3', 'ndots:2']};
  expect(resolvConfForNetworks(machine, none)).toBe(
    'nameserver 127.0.0.11\nsearch a.test b.test\noptions edns0 trust-ad ndots:0\n',
  );
  expect(resolvConfForNetworks(machine, given)).toBe('nameserver 127.0.0.11\nsearch x.y\noptions timeout:3 ndots:2\n');
  // The dot is the root, no domain, wherever it stands.
  expect(resolvConfForNetworks(machine, {...none, dnsSearch: ['example.org', '.']})).toContain(
    '\nsearch example.org\n',
  );
  expect(resolvConfForNetworks(machine, {...none, dnsSearch: ['.']})).toBe(
    'nameserver 127.0.0.11\noptions edns0 trust-ad ndots:0\n',
  );
  expect(resolvConfForMachine(machine, none, 'host')).toContain('nameserver 127.0.0.53\n');
  expect(resolvConfForMachine(machine, none, 'none')).not.toContain('127.0.0.53');
  expect(resolvConfForMachine(machine, given, 'none')).toBe(
    'nameserver 9.9.9.9\nsearch x.y\noptions timeout:3 ndots:2\n',
  );
  expect(upstreamServers(machine, none)).toEqual(['127.0.0.53', '192.0.2.1']);
  expect(upstreamServers(machine, given)).toEqual(['9.9.9.9']);
});
