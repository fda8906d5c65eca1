import {mkdirSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import type {NetworkCreateBody} from '../../../src/api/types/network.ts';
import {ask, makeMachine, type NetworkMachine, reaches} from './support/machine.ts';

let machine: NetworkMachine;
beforeEach(async () => {
  machine = await makeMachine();
});
afterEach(() => machine[Symbol.asyncDispose]());

const left = () => machine.host.leftovers({running: true}).filter((line) => !line.startsWith('process'));

test('inspect, list and filters; events', async () => {
  const {networks, events} = machine;
  const {Id, Warning} = await networks.create({
    Name: 'shop',
    Labels: {'com.docker.compose.project': 'demo', plain: ''},
    Attachable: true,
    IPAM: {Config: [{Subnet: '10.77.0.0/24', IPRange: '10.77.0.128/25', AuxiliaryAddresses: {printer: '10.77.0.129'}}]},
  });
  await networks.create({Name: 'other', Internal: true});
  expect(Warning).toBe('');
  expect(await networks.inspect('shop')).toMatchObject({
    Id,
    Name: 'shop',
    Driver: 'bridge',
    Scope: 'local',
    EnableIPv4: true,
    EnableIPv6: false,
    Internal: false,
    Attachable: true,
    IPAM: {
      Driver: 'default',
      Options: {},
      Config: [
        {
          Subnet: '10.77.0.0/24',
          IPRange: '10.77.0.128/25',
          Gateway: '10.77.0.128',
          AuxiliaryAddresses: {printer: '10.77.0.129'},
        },
      ],
    },
    Containers: {},
    Options: {},
    Labels: {'com.docker.compose.project': 'demo', plain: ''},
  });
  expect((await networks.inspect(Id.slice(0, 10))).Name).toBe('shop');
  const names = async (filters: Readonly<Record<string, readonly string[]>>) =>
    (await networks.list(filters)).map(({Name}) => Name).sort();
  expect(await names({})).toEqual(['bridge', 'host', 'none', 'other', 'shop']);
  expect(await names({name: ['sho', 'oth']})).toEqual(['other', 'shop']);
  expect(await names({label: ['com.docker.compose.project=demo']})).toEqual(['shop']);
  expect(await names({label: ['plain', 'missing']})).toEqual([]);
  expect(await names({id: [Id.slice(0, 12)]})).toEqual(['shop']);
  expect(await names({driver: ['null']})).toEqual(['none']);
  expect(await names({type: ['custom'], dangling: ['true']})).toEqual(['other', 'shop']);
  await expect(names({color: ['red']})).rejects.toMatchObject({kind: 'invalid'});
  const web = await machine.start({name: 'web', networks: {shop: {}}});
  expect((await networks.inspect('shop')).Containers[web.record.id]).toEqual({
    Name: 'web',
    EndpointID: expect.stringMatching(/^[0-9a-f]{64}$/),
    MacAddress: '02:42:0a:4d:00:82',
    IPv4Address: '10.77.0.130/24',
    IPv6Address: '',
  });
  expect(await names({dangling: ['true']})).toEqual(['other']);
  await web.stop();
  await networks.remove(Id);
  expect(events).toEqual([
    {type: 'network', action: 'create', id: Id, attributes: {name: 'shop', type: 'bridge'}},
    expect.objectContaining({action: 'create', attributes: {name: 'other', type: 'bridge'}}),
    {type: 'network', action: 'destroy', id: Id, attributes: {name: 'shop', type: 'bridge'}},
  ]);
  await expect(networks.inspect('shop')).rejects.toMatchObject({kind: 'notFound', message: 'network shop not found'});
});

const refused: readonly (readonly [string, NetworkCreateBody, object])[] = [
  ['a name that is taken', {Name: 'taken'}, {kind: 'conflict', message: 'network with name taken already exists'}],
  ['an empty name', {Name: ' '}, {kind: 'invalid', message: 'a network needs a name'}],
  [
    'a predefined name',
    {Name: 'host'},
    {kind: 'forbidden', message: 'cannot create network "host": operation is not permitted on predefined host network'},
  ],
  [
    'another driver',
    {Name: 'n', Driver: 'overlay'},
    {
      kind: 'unsupported',
      message:
        'cannot create network "n": network driver "overlay" is not supported, "bridge", "macvlan" and "ipvlan" are',
    },
  ],
  [
    'an unknown option',
    {Name: 'n', Options: {'com.docker.network.bridge.magic': '1'}},
    {
      kind: 'unsupported',
      message: 'network option "com.docker.network.bridge.magic" is not supported by driver "bridge"',
    },
  ],
  [
    'an option of another type',
    {Name: 'n', Options: {'com.docker.network.bridge.enable_icc': 'maybe'}},
    {kind: 'invalid', message: 'network option "com.docker.network.bridge.enable_icc": "maybe" is not true or false'},
  ],
  [
    'a subnet with bits beyond its length',
    {Name: 'n', IPAM: {Config: [{Subnet: '10.1.2.3/24'}]}},
    {kind: 'invalid', message: 'cannot create network "n": invalid subnet 10.1.2.3/24: it should be 10.1.2.0/24'},
  ],
  [
    'a subnet of another network',
    {Name: 'n', IPAM: {Config: [{Subnet: '10.50.0.0/25'}]}},
    {
      kind: 'forbidden',
      message: 'cannot create network "n": subnet 10.50.0.0/25 overlaps with 10.50.0.0/16 of network "taken"',
    },
  ],
  [
    'a subnet of the machine',
    {Name: 'n', IPAM: {Config: [{Subnet: '10.9.0.0/16'}]}},
    {
      kind: 'forbidden',
      message: expect.stringMatching(
        /^cannot create network "n": subnet 10\.9\.0\.0\/16 overlaps with 10\.9\.0\.0\/24 of a route of the machine \(interface lan\w+\)$/,
      ),
    },
  ],
  [
    'a gateway elsewhere',
    {Name: 'n', IPAM: {Config: [{Subnet: '10.1.0.0/24', Gateway: '10.2.0.1'}]}},
    {kind: 'invalid', message: 'cannot create network "n": gateway 10.2.0.1 is not in subnet 10.1.0.0/24'},
  ],
  [
    'a range elsewhere',
    {Name: 'n', IPAM: {Config: [{Subnet: '10.1.0.0/24', IPRange: '10.1.1.0/25'}]}},
    {kind: 'invalid', message: 'cannot create network "n": range 10.1.1.0/25 is not in subnet 10.1.0.0/24'},
  ],
  [
    'two IPv4 subnets',
    {Name: 'n', IPAM: {Config: [{Subnet: '10.1.0.0/24'}, {Subnet: '10.2.0.0/24'}]}},
    {kind: 'unsupported', message: 'cannot create network "n": driver "bridge" takes one IPv4 subnet, more were given'},
  ],
  [
    'no family at all',
    {Name: 'n', EnableIPv4: false},
    {kind: 'invalid', message: 'cannot create network "n": IPv4 or IPv6 must be enabled'},
  ],
  [
    'a bridge name that is taken',
    {Name: 'n', Options: {'com.docker.network.bridge.name': 'lo'}},
    {
      kind: 'conflict',
      message: 'cannot create network "n": bridge name "lo" is taken: the machine has an interface of this name',
    },
  ],
];

test('what cannot be is refused by name, and leaves nothing', async () => {
  const {networks, sh} = machine;
  await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  await networks.create({Name: 'taken', IPAM: {Config: [{Subnet: '10.50.0.0/16'}]}});
  // Of links their names: what they are like settles a moment after they were made.
  const all = () => sh('ip -o link | cut -d: -f2; nft list ruleset');
  const before = await all();
  for (const [what, body, error] of refused) {
    await expect(networks.create(body), what).rejects.toMatchObject(error);
  }
  expect(await all()).toBe(before);
  expect(readdirSync(machine.layout.networks).length).toBe(1);
});

test('default pools leave out what the machine and other networks use, until none is left', async () => {
  const {networks, sh} = machine;
  await sh('ip link add wan0 type bridge; ip link set wan0 up; ip addr add 172.18.5.1/24 dev wan0');
  // Twelve blocks behind a gateway, and the default route of a VPN, which is no reason to give up.
  await sh(
    'ip route add 172.20.0.0/14 via 172.18.5.2; ip route add 172.24.0.0/13 via 172.18.5.2; ip route add 0.0.0.0/1 via 172.18.5.2',
  );
  const subnets: (string | undefined)[] = [];
  const create = async (Name: string) => {
    const {Id} = await networks.create({Name});
    subnets.push((await networks.inspect(Id)).IPAM.Config?.[0]?.Subnet);
  };
  // A more exact network may lie within what a gateway leads to, when it is asked for.
  await networks.create({Name: 'inside', IPAM: {Config: [{Subnet: '172.24.1.0/24'}]}});
  for (let index = 0; index < 18; index += 1) await create(`n${index}`);
  expect(subnets.slice(0, 4)).toEqual(['172.17.0.0/16', '172.19.0.0/16', '192.168.0.0/20', '192.168.16.0/20']);
  await expect(create('more')).rejects.toMatchObject({
    kind: 'exhausted',
    message: 'cannot create network "more": no IPv4 address pool is free',
    hint: expect.stringContaining('ipam.config'),
  });
});

test('addresses: the lowest free one, the one asked for, and who has it', async () => {
  const {networks} = machine;
  await networks.create({Name: 'fixed', IPAM: {Config: [{Subnet: '10.60.0.0/29'}]}});
  await networks.create({Name: 'free'});
  const start = (name: string, IPv4Address?: string, network = 'fixed') =>
    machine.start({name, networks: {[network]: IPv4Address === undefined ? {} : {IPAMConfig: {IPv4Address}}}});
  const a = await start('a');
  const b = await start('b', '10.60.0.4');
  const c = await start('c');
  expect([a, b, c].map(({plan}) => plan.addresses[0])).toEqual(['10.60.0.2', '10.60.0.4', '10.60.0.3']);
  await a.stop();
  expect((await start('d')).plan.addresses).toEqual(['10.60.0.2']);
  await expect(start('e', '10.60.0.4')).rejects.toMatchObject({
    kind: 'conflict',
    message: 'network "fixed": address 10.60.0.4 is in use by container "b"',
  });
  await expect(start('e', '10.60.0.1')).rejects.toMatchObject({
    kind: 'conflict',
    message: 'network "fixed": address 10.60.0.1 is in use by the network itself (gateway or auxiliary address)',
  });
  await expect(start('e', '10.61.0.4')).rejects.toMatchObject({
    kind: 'invalid',
    message: 'network "fixed": no configured subnet contains the IP address 10.61.0.4: its subnet is 10.60.0.0/29',
  });
  await expect(start('e', '172.17.0.9', 'free')).rejects.toMatchObject({
    kind: 'invalid',
    message:
      'network "free": user specified IP address is supported only when connecting to networks with user configured subnets',
  });
  await start('f');
  await start('g');
  await expect(start('h')).rejects.toMatchObject({
    kind: 'exhausted',
    message: 'network "fixed" has no free address left in 10.60.0.0/29',
  });
  await b.die();
  const next = await start('i', '10.60.0.4');
  expect(await reaches(next, '10.60.0.1')).toBe(true);
});

test('a network with containers is not removed, unless they are dead', async () => {
  const {networks} = machine;
  await networks.create({Name: 'shop'});
  const a = await machine.start({name: 'a', networks: {shop: {}}});
  const b = await machine.start({name: 'b', networks: {shop: {}}});
  await expect(networks.remove('shop')).rejects.toMatchObject({
    kind: 'conflict',
    message: 'cannot remove network "shop": 2 containers are attached (a, b)',
    hint: 'stop them first, or run "tscompose down"',
  });
  await a.stop();
  await b.die();
  await networks.remove('shop');
  expect(left().filter((line) => !line.includes('/containers/'))).toEqual([]);
  await expect(networks.remove('host')).rejects.toMatchObject({kind: 'forbidden'});
  await expect(networks.remove('shop')).rejects.toMatchObject({kind: 'notFound'});
});

test('names, and new ones after a rename; what inspect says of a container', async () => {
  const {networks, layout} = machine;
  const {Id} = await networks.create({Name: 'shop'});
  const web = await machine.start({
    name: 'old_web-1',
    hostname: 'Web',
    networks: {shop: {Aliases: ['web', 'www'], MacAddress: '02-11-22-33-44-55'}},
  });
  const nameFile = join(layout.network(Id).names, web.record.id);
  const short = web.record.id.slice(0, 12);
  expect(readFileSync(nameFile, 'utf8')).toBe(`172.17.0.2 | old_web-1 web www ${short}\n`);
  await networks.endpoints.rename(web.record, 'web-1');
  expect(readFileSync(nameFile, 'utf8')).toBe(`172.17.0.2 | web-1 web www ${short}\n`);
  expect((await networks.inspect('shop')).Containers[web.record.id]?.Name).toBe('web-1');
  expect((await networks.endpoints.describe({record: web.record, name: 'web-1'}, true)).networks).toEqual({
    shop: {
      IPAMConfig: null,
      Links: null,
      Aliases: ['web', 'www'],
      MacAddress: '02:11:22:33:44:55',
      DriverOpts: null,
      GwPriority: 0,
      NetworkID: Id,
      EndpointID: expect.stringMatching(/^[0-9a-f]{64}$/),
      Gateway: '172.17.0.1',
      IPAddress: '172.17.0.2',
      IPPrefixLen: 16,
      IPv6Gateway: '',
      GlobalIPv6Address: '',
      GlobalIPv6PrefixLen: 0,
      DNSNames: ['web-1', 'web', 'www', short],
    },
  });
  expect(await web.sh('ip -br link show eth0')).toContain('02:11:22:33:44:55');
  await web.stop();
  expect(
    (await networks.endpoints.describe({record: web.record, name: 'web-1'}, false)).networks['shop'],
  ).toMatchObject({
    IPAddress: '',
    NetworkID: Id,
  });
});

test('of many that create the same network at once one succeeds, and many others all do', async () => {
  const engines = Array.from({length: 6}, () => machine.another());
  const same = await Promise.allSettled(engines.map((engine) => engine.create({Name: 'same'})));
  expect(same.filter(({status}) => status === 'fulfilled').length).toBe(1);
  const different = await Promise.all(engines.map((engine, index) => engine.create({Name: `n${index}`})));
  const subnets = await Promise.all(
    different.map(async ({Id}) => (await machine.networks.inspect(Id)).IPAM.Config?.[0]?.Subnet),
  );
  expect(new Set(subnets).size).toBe(6);
  await Promise.all([...different.map(({Id}) => Id), 'same'].map((id) => machine.another().remove(id)));
  expect(left()).toEqual([]);
  expect(await machine.sh('nft list ruleset')).toBe('');
});

test('what killed processes left is cleared: interfaces, leases, elements, half-made records', async () => {
  const {networks, layout, sh, host} = machine;
  await networks.create({Name: 'shop'});
  const dead = await machine.start({
    name: 'dead',
    networks: {shop: {Aliases: ['web']}},
    host: {PortBindings: {'80/tcp': [{HostPort: '8080'}]}},
  });
  const table = (await sh('nft list tables')).match(/tscompose_[0-9a-f]{10}/)?.[0];
  await sh(`nft 'add element inet ${table} any4 { udp . 99 : 172.17.0.99 . 99 }'`);
  await sh('ip link add tsbdeadbeef00 type bridge');
  await sh(`ip link set tsbdeadbeef00 alias tscompose:${layout.rootHash}:${'0'.repeat(64)}`);
  await sh(
    `ip link add tsbother00000 type bridge; ip link set tsbother00000 alias tscompose:aaaaaaaaaa:${'0'.repeat(64)}`,
  );
  await sh(`mkdir -p ${layout.networks}/.tmp-half ${host.run}/networks/${'1'.repeat(64)}/names`);
  await dead.die();
  const web = await machine.another().endpoints.plan({...dead.record, id: 'f'.repeat(64)}, 'web');
  expect(web.addresses).toEqual(['172.17.0.2']);
  const rules = await sh('nft list ruleset');
  expect(rules).not.toContain('172.17.0.99');
  expect(rules).not.toContain(dead.record.id.slice(0, 12));
  expect(await sh('ip -br link')).not.toContain('tsbdeadbeef00');
  // Of another root.
  expect(await sh('ip -br link')).toContain('tsbother00000');
  expect(readdirSync(layout.networks).filter((name) => name.startsWith('.tmp'))).toEqual([]);
  expect(readdirSync(join(host.run, 'networks')).length).toBe(1);
});

test('a network that was half made goes with the next look at networks', async () => {
  const {networks, layout} = machine;
  await networks.create({Name: 'shop'});
  mkdirSync(join(layout.networks, '.tmp-half'));
  expect((await networks.list()).map(({Name}) => Name)).toContain('shop');
  expect(readdirSync(layout.networks).filter((name) => name.startsWith('.tmp'))).toEqual([]);
});

test('a bridge that is gone, as after a restart of the machine, is made again by the next start', async () => {
  const {networks, sh} = machine;
  await networks.create({Name: 'shop'});
  const bridge = (await sh('ip -br link')).match(/tsb[0-9a-f]{10}/)?.[0];
  await sh(`ip link del ${bridge}; nft flush ruleset; sysctl -qw net.ipv4.ip_forward=0`);
  const lan = await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  const web = await machine.start({
    name: 'web',
    networks: {shop: {}},
    host: {PortBindings: {'80/tcp': [{HostPort: '8080'}]}},
  });
  await web.serve(80, 'web');
  expect(await reaches(web, '172.17.0.1')).toBe(true);
  expect(await ask(machine, '172.17.0.2', 80)).toBe('web');
  expect(await ask(lan, '10.9.0.1', 8080)).toBe('web');
});

test('a bridge named by the user, with its MTU, is accepted everywhere and leaves no trace', async () => {
  const {networks, sh} = machine;
  await sh('iptables -P FORWARD DROP');
  await networks.create({
    Name: 'shop',
    Options: {
      'com.docker.network.bridge.name': 'br-shop',
      'com.docker.network.driver.mtu': '1400',
      'com.docker.network.container_iface_prefix': 'shop',
    },
  });
  const lan = await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  const web = await machine.start({
    name: 'web',
    networks: {shop: {}},
    host: {PortBindings: {'80/tcp': [{HostPort: '8080'}]}},
  });
  await web.serve(80, 'web');
  expect(await sh('ip link show br-shop')).toContain('mtu 1400');
  expect(await web.sh('ip link show shop0')).toContain('mtu 1400');
  expect(await ask(lan, '10.9.0.1', 8080)).toBe('web');
  expect(await reaches(web, '10.9.0.2')).toBe(true);
  expect(await sh('iptables -S FORWARD')).toContain('-i br-shop');
  await web.stop();
  await networks.remove('shop');
  expect(await sh('iptables -S FORWARD')).toBe('-P FORWARD DROP\n');
  expect(await sh('ip -br link')).not.toContain('br-shop');
});
