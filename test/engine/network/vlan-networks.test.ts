import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {NetworkCreateBody} from '../../../src/api/types/network.ts';
import {parseVlanName, readVlanOptions} from '../../../src/engine/network/vlan-options.ts';
import {ask, isCutOff, makeMachine, type Namespace, type NetworkMachine, reaches} from './support/machine.ts';

let machine: NetworkMachine;
beforeEach(async () => {
  machine = await makeMachine();
});
afterEach(() => machine[Symbol.asyncDispose]());

const left = () => machine.host.leftovers({running: true}).filter((line) => !line.startsWith('process'));

/** A neighbour on a wire to the machine, and the name of the machine's end of it. */
async function lan(): Promise<{readonly peer: Namespace; readonly parent: string}> {
  const peer = await machine.neighbour({machine: '10.66.0.1/24', own: '10.66.0.2/24'});
  const parent = /(lan\w+)@/.exec(await machine.sh('ip -o link'))?.[1] ?? '';
  return {peer, parent};
}

const onLan = (parent: string, more: Partial<NetworkCreateBody> = {}): NetworkCreateBody => ({
  Name: 'lan',
  Driver: 'macvlan',
  IPAM: {Config: [{Subnet: '10.66.0.0/24', IPRange: '10.66.0.128/25', Gateway: '10.66.0.2'}]},
  ...more,
  Options: {parent, ...more.Options},
});

describe('a macvlan network', () => {
  test('puts containers on the network of its parent, apart from the machine', async () => {
    const {peer, parent} = await lan();
    await machine.networks.create(onLan(parent));
    const web = await machine.start({
      name: 'web',
      networks: {lan: {}},
      host: {PortBindings: {'80/tcp': [{HostPort: '18080'}]}},
    });
    const db = await machine.start({name: 'db', networks: {lan: {IPAMConfig: {IPv4Address: '10.66.0.200'}}}});
    expect(web.plan.addresses).toEqual(['10.66.0.128']);
    expect(db.plan.addresses).toEqual(['10.66.0.200']);
    expect(await reaches(peer, '10.66.0.128')).toBe(true);
    expect(await reaches(web, '10.66.0.2')).toBe(true);
    expect(await reaches(web, '10.66.0.200')).toBe(true);
    expect(await web.sh('ip route')).toContain('default via 10.66.0.2 dev eth0');
    // The kernel keeps the parent and what is on it apart.
    expect(await isCutOff(web, '10.66.0.1')).toBe(true);
    await web.serve(80, 'web');
    expect(await ask(peer, '10.66.0.128', 80)).toBe('web');
    expect(web.plan.ports).toEqual({});
    expect(web.plan.networks['lan']).toMatchObject({
      IPAddress: '10.66.0.128',
      IPPrefixLen: 24,
      Gateway: '10.66.0.2',
      MacAddress: '02:42:0a:42:00:80',
    });
    expect((await machine.networks.inspect('lan')).Containers[web.record.id]).toMatchObject({
      IPv4Address: '10.66.0.128/24',
      MacAddress: '02:42:0a:42:00:80',
    });
    // Nothing of it is in the firewall, and nothing is forwarded for it.
    expect(await machine.sh('nft list ruleset')).toBe('');
    expect(await machine.sh('cat /proc/sys/net/ipv4/ip_forward')).toBe('0\n');
    await web.stop();
    await db.stop();
    await machine.networks.remove('lan');
    expect(await machine.sh('ip -o link')).toContain(parent);
    await machine.sh(`ip link delete ${parent}`);
    expect(left()).toEqual([]);
  });

  test('keeps the containers of a private one apart, and takes an MTU and an interface name', async () => {
    const {peer, parent} = await lan();
    await machine.networks.create(
      onLan(parent, {Options: {macvlan_mode: 'private', 'com.docker.network.driver.mtu': '1400'}}),
    );
    const one = await machine.start({
      name: 'one',
      networks: {lan: {DriverOpts: {'com.docker.network.endpoint.ifname': 'wan'}, MacAddress: '02:00:00:00:00:11'}},
    });
    const two = await machine.start({name: 'two', networks: {lan: {}}});
    expect(await one.sh('ip -o link show wan')).toMatch(/mtu 1400 .*02:00:00:00:00:11/);
    expect(await reaches(peer, one.plan.addresses[0] ?? '')).toBe(true);
    expect(await isCutOff(two, one.plan.addresses[0] ?? '')).toBe(true);
    await one.stop();
    await two.stop();
    await machine.networks.remove('lan');
  });

  test('passes the parent through to one container', async () => {
    const {peer, parent} = await lan();
    const address = async () => /link\/ether (\S+)/.exec(await machine.sh(`ip -o link show ${parent}`))?.[1] ?? '';
    const before = await address();
    await machine.networks.create(onLan(parent, {Options: {macvlan_mode: 'passthru'}}));
    const one = await machine.start({name: 'one', networks: {lan: {}}});
    expect(await one.sh('ip -o link show eth0')).toContain(before);
    expect(one.plan.networks['lan']).toMatchObject({MacAddress: before});
    expect(await reaches(peer, one.plan.addresses[0] ?? '')).toBe(true);
    await expect(machine.networks.create({...onLan(parent), Name: 'second'})).rejects.toThrow(
      /^macvlan network [0-9a-f]{64} is already using parent interface lan\w+ in mode passthru$/,
    );
    await one.stop();
    await machine.networks.remove('lan');
  });

  test('of an internal kind has no way out, and keeps no address for a gateway', async () => {
    const {parent} = await lan();
    await machine.networks.create(onLan(parent, {Internal: true, IPAM: {Config: [{Subnet: '10.66.0.0/24'}]}}));
    const one = await machine.start({name: 'one', networks: {lan: {}}});
    expect(one.plan.addresses).toEqual(['10.66.0.1']);
    expect(await one.sh('ip route')).not.toContain('default');
    expect(one.plan.networks['lan']).toMatchObject({Gateway: ''});
    expect((await machine.networks.inspect('lan')).IPAM.Config).toEqual([{Subnet: '10.66.0.0/24'}]);
    expect(one.plan.operations.filter(({kind}) => kind === 'dnsUpstream')).toEqual([]);
    await one.stop();
    await machine.networks.remove('lan');
  });

  test('has IPv6, alone too', async () => {
    const {peer, parent} = await lan();
    await peer.sh('ip addr add fd66::2/64 dev eth0 nodad');
    await machine.networks.create(
      onLan(parent, {EnableIPv4: false, EnableIPv6: true, IPAM: {Config: [{Subnet: 'fd66::/64', Gateway: 'fd66::2'}]}}),
    );
    const one = await machine.start({name: 'one', networks: {lan: {}}});
    expect(one.plan.addresses).toEqual(['fd66::1']);
    expect(await reaches(one, 'fd66::2')).toBe(true);
    expect(await one.sh('ip -6 route show default')).toContain('via fd66::2 dev eth0');
    expect(await one.sh('ip -4 -o addr show eth0')).toBe('');
    await one.stop();
    await machine.networks.remove('lan');
  });

  test('may share its parent, but not its subnet; a bridge beside it is as ever', async () => {
    const {parent} = await lan();
    await machine.networks.create(onLan(parent));
    await machine.networks.create({
      ...onLan(parent, {IPAM: {Config: [{Subnet: '10.67.0.0/24'}]}}),
      Name: 'second',
    });
    await machine.networks.create({Name: 'plain'});
    await expect(machine.networks.create({...onLan(parent), Name: 'third'})).rejects.toThrow(
      'cannot create network "third": subnet 10.66.0.0/24 overlaps with 10.66.0.0/24 of network "lan"',
    );
    await expect(
      machine.networks.create({...onLan(parent, {Options: {macvlan_mode: 'passthru'}}), Name: 'third'}),
    ).rejects.toThrow(/^cannot use mode passthru, macvlan network [0-9a-f]{64} is already using parent interface lan/);
    const both = await machine.start({
      name: 'both',
      networks: {plain: {}, lan: {}},
      host: {PortBindings: {'80/tcp': [{HostPort: '18080'}]}},
    });
    // The first by name has the way out: nothing is published through the other.
    expect(await both.sh('ip route')).toContain('default via 10.66.0.2');
    expect(both.plan.ports).toEqual({});
    await both.stop();
    const preferred = await machine.start({
      name: 'both',
      networks: {plain: {GwPriority: 1}, lan: {}},
      host: {PortBindings: {'80/tcp': [{HostIp: '127.0.0.1', HostPort: '18080'}]}},
    });
    expect(preferred.plan.ports).toEqual({'80/tcp': [{HostIp: '127.0.0.1', HostPort: '18080'}]});
    await preferred.stop();
    for (const name of ['plain', 'second', 'lan']) await machine.networks.remove(name);
  });

  test('says at a start that its parent is gone, or is taken by something else', async () => {
    const {parent} = await lan();
    await machine.networks.create(onLan(parent));
    await machine.sh(`ip link delete ${parent}`);
    await expect(machine.start({name: 'one', networks: {lan: {}}})).rejects.toThrow(
      `network "lan": its parent interface "${parent}" does not exist`,
    );
    await machine.networks.remove('lan');
  });
});

test('what a kernel cannot make is refused by name, and nothing is left', async () => {
  const {parent} = await lan();
  const has = async (kind: string) => {
    const more = kind === 'dummy' ? '' : `link ${parent}`;
    const data = kind === 'vlan' ? 'id 7' : '';
    const {code} = await machine.try(`ip link add ${more} name probe0 type ${kind} ${data} && ip link delete probe0`);
    return code === 0;
  };
  const create = async (body: Partial<NetworkCreateBody>) => {
    const made = await machine.networks.create({Name: 'asked', ...body}).catch((error: Error) => error);
    if (made instanceof Error) return made.message;
    await machine.networks.remove('asked');
    return 'made';
  };
  const refusal = (kind: string) => `cannot create network "asked": this kernel has no ${kind} interfaces`;
  const wanted = async (kind: string) => ((await has(kind)) ? 'made' : refusal(kind));
  expect(await create({Driver: 'macvlan'})).toBe(await wanted('dummy'));
  expect(await create({Driver: 'macvlan', Options: {parent: `${parent}.7`}})).toBe(await wanted('vlan'));
  expect(await create({Driver: 'ipvlan', Options: {parent}})).toBe(await wanted('ipvlan'));
  expect(await machine.networks.list()).not.toContainEqual(expect.objectContaining({Name: 'asked'}));
  await machine.sh(`ip link delete ${parent}`);
  expect(left()).toEqual([]);
});

describe('options', () => {
  test.each([
    [{macvlan_mode: 'foo'}, "requested macvlan mode 'foo' is not valid, 'bridge' mode is the macvlan driver default"],
    [{parent: 'lo'}, 'loopback interface is not a valid macvlan parent link'],
    [{parent: 'eth0', ipvlan_mode: 'l2'}, 'network option "ipvlan_mode" is not supported by driver "macvlan"'],
    [
      {'com.docker.network.driver.mtu': 'x'},
      'network option "com.docker.network.driver.mtu": "x" is not a number from 68 to 65535',
    ],
  ])('%j of a macvlan network are refused', (options, message) => {
    expect(() => readVlanOptions('macvlan', options as Record<string, string>)).toThrow(message);
  });

  test.each([
    [{ipvlan_mode: 'foo'}, "requested ipvlan mode 'foo' is not valid, 'l2' mode is the ipvlan driver default"],
    [{ipvlan_flag: 'foo'}, "requested ipvlan flag 'foo' is not valid, 'bridge' is the ipvlan driver default"],
    [{parent: 'lo'}, 'loopback interface is not a valid ipvlan parent link'],
  ])('%j of an ipvlan network are refused', (options, message) => {
    expect(() => readVlanOptions('ipvlan', options as Record<string, string>)).toThrow(message);
  });

  test('have Docker’s defaults', () => {
    expect(readVlanOptions('macvlan', {macvlan_mode: '', parent: ''})).toEqual({
      mode: 'bridge',
      flag: 'bridge',
      interfacePrefix: 'eth',
    });
    expect(readVlanOptions('ipvlan', {ipvlan_mode: 'l3s', ipvlan_flag: 'vepa', parent: 'eth0'})).toMatchObject({
      mode: 'l3s',
      flag: 'vepa',
      parent: 'eth0',
    });
  });

  test.each([
    ['nope', 'invalid subinterface vlan name nope, example formatting is eth0.10'],
    ['a.b.10', 'required interface name format is: name.vlan_id, ex. eth0.10 for vlan 10, instead received a.b.10'],
    ['eth0.abc', 'unable to parse a valid vlan id from: abc (ex. eth0.10 for vlan 10)'],
    ['eth0.5000', 'vlan id must be between 1-4094, received: 5000'],
    ['eth0.0', 'vlan id must be between 1-4094, received: 0'],
  ])('%s is no name of a tagged interface', (name, message) => {
    expect(() => parseVlanName(name)).toThrow(message);
    expect(parseVlanName('eth0.10')).toEqual({lower: 'eth0', id: 10});
  });
});
