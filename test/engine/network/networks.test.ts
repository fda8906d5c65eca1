import {afterEach, beforeEach, expect, test} from 'vitest';
import {
  ask,
  askFull,
  askUdp,
  isCutOff,
  isSilent,
  makeMachine,
  type NetworkMachine,
  reaches,
} from './support/machine.ts';

let machine: NetworkMachine;
beforeEach(async () => {
  machine = await makeMachine();
});
afterEach(() => machine[Symbol.asyncDispose]());

/** Bare namespaces are processes of the test itself. */
const left = () => machine.host.leftovers({running: true}).filter((line) => !line.startsWith('process'));

test('containers of a network reach each other and the machine, and nothing is left at the end', async () => {
  const {networks, sh} = machine;
  const {Id} = await networks.create({Name: 'shop'});
  const web = await machine.start({name: 'web', networks: {shop: {}}});
  const db = await machine.start({name: 'db', networks: {[Id]: {Aliases: ['store']}}});
  expect(web.plan.addresses).toEqual(['172.17.0.2']);
  expect(db.plan.addresses).toEqual(['172.17.0.3']);
  expect(await reaches(web, '172.17.0.3')).toBe(true);
  expect(await reaches(db, '172.17.0.2')).toBe(true);
  expect(await reaches(web, '172.17.0.1')).toBe(true);
  expect(await reaches(machine, '172.17.0.2')).toBe(true);
  expect(await sh('cat /proc/sys/net/ipv4/ip_forward')).toBe('1\n');
  await web.stop();
  await db.stop();
  await networks.remove('shop');
  expect(left()).toEqual([]);
  expect(await sh('nft list ruleset')).toBe('');
  expect(await sh('cat /proc/sys/net/ipv4/ip_forward')).toBe('0\n');
});

test('networks are isolated from each other', async () => {
  const {networks} = machine;
  await networks.create({Name: 'one'});
  await networks.create({Name: 'two'});
  const a = await machine.start({name: 'a', networks: {one: {}}});
  const b = await machine.start({name: 'b', networks: {two: {}}});
  const both = await machine.start({name: 'both', networks: {one: {}, two: {}}});
  await b.serve(80, 'b');
  expect(await isCutOff(a, b.plan.addresses[0] ?? '')).toBe(true);
  expect(await isSilent(a, b.plan.addresses[0] ?? '', 80)).toBe(true);
  expect(await ask(both, b.plan.addresses[0] ?? '', 80)).toBe('b');
  expect(await reaches(both, a.plan.addresses[0] ?? '')).toBe(true);
});

test('containers reach the outside under the address of the machine, and are not reached from there', async () => {
  const {networks} = machine;
  await networks.create({Name: 'shop'});
  const lan = await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  const web = await machine.start({name: 'web', networks: {shop: {}}});
  await web.serve(80, 'web');
  await lan.serve(7000, 'outside');
  expect(await askFull(web, '10.9.0.2', 7000)).toBe('outside 10.9.0.1');
  // The neighbour has a route to the subnet through the machine.
  expect(await reaches(lan, '10.9.0.1')).toBe(true);
  expect(await isCutOff(lan, '172.17.0.2')).toBe(true);
  expect(await isSilent(lan, '172.17.0.2', 80)).toBe(true);
});

test('an internal network has no way out or in, not even to the machine', async () => {
  const {networks} = machine;
  await networks.create({Name: 'inner', Internal: true});
  await networks.create({Name: 'open'});
  const lan = await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  const a = await machine.start({
    name: 'a',
    networks: {inner: {}},
    host: {PortBindings: {'80/tcp': [{HostPort: '8080'}]}},
  });
  const b = await machine.start({name: 'b', networks: {inner: {}}});
  const c = await machine.start({name: 'c', networks: {open: {}}});
  expect(await a.sh('ip route')).not.toContain('default');
  expect(await reaches(a, b.plan.addresses[0] ?? '')).toBe(true);
  expect(a.plan.ports).toEqual({});
  expect(a.plan.operations.filter(({kind}) => kind === 'publish' || kind === 'dnsUpstream')).toEqual([]);
  // Also with a route that somebody in the container makes.
  await a.sh('ip route add default via 172.17.0.1');
  expect(await isCutOff(a, '10.9.0.2')).toBe(true);
  expect(await isCutOff(a, '172.17.0.1')).toBe(true);
  expect(await isCutOff(a, c.plan.addresses[0] ?? '')).toBe(true);
  expect(await isCutOff(lan, a.plan.addresses[0] ?? '')).toBe(true);
  expect(await isCutOff(c, a.plan.addresses[0] ?? '')).toBe(true);
});

test('the first non-internal network by priority, then name, is the way out', async () => {
  const {networks} = machine;
  await networks.create({Name: 'alpha', Internal: true});
  await networks.create({Name: 'beta'});
  await networks.create({Name: 'gamma'});
  const plain = await machine.start({name: 'a', networks: {gamma: {}, alpha: {}, beta: {}}});
  expect(await plain.sh('ip route show default')).toBe('default via 172.18.0.1 dev eth2 \n');
  const preferred = await machine.start({name: 'b', networks: {beta: {}, gamma: {GwPriority: 1}}});
  expect(await preferred.sh('ip route show default')).toBe('default via 172.19.0.1 dev eth1 \n');
  expect(preferred.plan.networks['gamma']).toMatchObject({
    IPAddress: '172.19.0.3',
    Gateway: '172.19.0.1',
    GwPriority: 1,
  });
});

test('containers that must not talk to each other do not, and are published all the same', async () => {
  const {networks} = machine;
  await networks.create({Name: 'shop', Options: {'com.docker.network.bridge.enable_icc': 'false'}});
  const lan = await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  const a = await machine.start({name: 'a', networks: {shop: {}}});
  const b = await machine.start({
    name: 'b',
    networks: {shop: {}},
    host: {PortBindings: {'80/tcp': [{HostPort: '8080'}]}},
  });
  await b.serve(80, 'b');
  // Both as a frame on the bridge and as a packet through the machine.
  expect(await isCutOff(a, '172.17.0.3')).toBe(true);
  await a.sh('ip route add 172.17.0.3 via 172.17.0.1');
  expect(await isCutOff(a, '172.17.0.3')).toBe(true);
  expect(await ask(lan, '10.9.0.1', 8080)).toBe('b');
  expect(await ask(a, '10.9.0.1', 8080)).toBe('b');
});

test('IPv6: addresses, a way out, published ports', async () => {
  const {networks, sh} = machine;
  await networks.create({Name: 'shop', EnableIPv6: true, IPAM: {Config: [{Subnet: 'fd12:3456::/64'}]}});
  const lan = await machine.neighbour({machine: 'fd99::1/64', own: 'fd99::2/64'});
  const web = await machine.start({
    name: 'web',
    networks: {shop: {}},
    host: {PortBindings: {'80/tcp': [{HostPort: '8080'}]}},
  });
  const db = await machine.start({name: 'db', networks: {shop: {IPAMConfig: {IPv6Address: 'fd12:3456::99'}}}});
  expect(web.plan.addresses).toEqual(['172.17.0.2', 'fd12:3456::2']);
  expect(await reaches(web, 'fd12:3456::99')).toBe(true);
  await web.serve(80, 'web6', {address: '::'});
  expect(await ask(lan, 'fd99::1', 8080)).toBe('web6');
  expect(await ask(db, 'fd99::1', 8080)).toBe('web6');
  expect(await ask(web, 'fd99::1', 8080)).toBe('web6');
  expect(await reaches(web, 'fd99::2')).toBe(true);
  expect(await isCutOff(lan, 'fd12:3456::2')).toBe(true);
  await web.stop();
  await db.stop();
  await networks.remove('shop');
  expect(await sh('cat /proc/sys/net/ipv6/conf/all/forwarding')).toBe('0\n');
  expect(await sh('nft list ruleset')).toBe('');
});

test('questions to port 53 of the name service go to where it listens', async () => {
  await machine.networks.create({Name: 'shop'});
  const web = await machine.start({name: 'web', networks: {shop: {}}});
  const address = web.plan.operations.find(({kind}) => kind === 'dns');
  const port = String(address?.kind === 'dns' ? address.address : '').split(':')[1];
  expect(Number(port)).toBeGreaterThan(60999);
  await web.serve(Number(port), 'names', {address: '127.0.0.11', udp: true});
  // The container's own server, on all of its addresses.
  await web.serve(53, 'own', {udp: true});
  expect(await askUdp(web, '127.0.0.11', 53)).toBe('names');
  expect(await askUdp(web, '172.17.0.2', 53)).toBe('own');
  expect(web.plan.resolvConf).toBe('nameserver 127.0.0.11\nsearch example.org\noptions ndots:0\n');
});
