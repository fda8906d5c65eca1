// What the virtual machine runs to see networks that need more than every kernel has.
import {setTimeout as delay} from 'node:timers/promises';
import type {EndpointSettings, HostConfig} from '../../src/api/types/container.ts';
import type {NetworkCreateBody} from '../../src/api/types/network.ts';
import {expectThat, refusalOf} from './claims.ts';
import {guestEngine} from './guest-engine.ts';
import {outputOf} from './output.ts';

const engine = await guestEngine('nets');
const {containers, networks} = engine;

const sh = (line: string) => outputOf(['sh', '-c', line]);

interface Member {
  readonly id: string;
  /** Runs a line in its network. */
  sh(line: string): string;
}

async function member(
  network: string,
  settings: EndpointSettings = {},
  {Cmd = ['sleep', '1000'], ...host}: HostConfig & {readonly Cmd?: readonly string[]} = {},
): Promise<Member> {
  const {Id} = await containers.create(
    {
      Image: 'tscompose/host',
      Cmd,
      HostConfig: {NetworkMode: network, ...host},
      NetworkingConfig: {EndpointsConfig: {[network]: settings}},
    },
    {},
  );
  await containers.start(Id);
  const {Pid} = (await containers.inspect(Id)).State;
  return {id: Id, sh: (line) => sh(`nsenter --net=/proc/${Pid}/ns/net ${line}`)};
}

const reaches = (from: {sh(line: string): string}, address: string) =>
  from.sh(`busybox ping -c 1 -W 20 ${address}`).includes('1 packets received');
const isCutOff = (from: {sh(line: string): string}, address: string) =>
  from.sh(`busybox ping -c 1 -W 3 ${address}`).includes('0 packets received');

/** A network with two members on it, gone again at the end. */
async function withPair(
  body: NetworkCreateBody,
  look: (one: Member, other: Member) => void | Promise<void>,
): Promise<void> {
  await networks.create(body);
  const [one, other] = [await member(body.Name), await member(body.Name)];
  await look(one, other);
  for (const {id} of [one, other]) await containers.remove(id, {force: true});
  await networks.remove(body.Name);
}

// A neighbour on a wire of its own, with a tagged network on it too.
sh(`ip netns add lan
ip link add wire type veth peer name eth0 netns lan
ip link set wire up
ip -n lan link set eth0 up
ip -n lan addr add 10.9.0.2/24 dev eth0
ip -n lan addr add fd09::2/64 dev eth0 nodad
ip -n lan link add link eth0 name eth0.10 type vlan id 10
ip -n lan link set eth0.10 up
ip -n lan addr add 10.10.0.2/24 dev eth0.10`);
const lan = {sh: (line: string) => sh(`ip netns exec lan ${line}`)};
// The module makes one link of its own when it is loaded, which is nobody's.
sh('modprobe dummy');
const before = sh('ip -br link');

for (const driver of ['macvlan', 'ipvlan']) {
  await withPair({Name: 'alone', Driver: driver, IPAM: {Config: [{Subnet: '10.8.0.0/24'}]}}, (one, other) => {
    expectThat(`${driver} without a parent has one of its own`, /\btsd[0-9a-f]{10}\b/.test(sh('ip -br link')));
    expectThat(`members of ${driver} without a parent reach each other`, reaches(one, '10.8.0.3'), one.sh('ip addr'));
    expectThat('and back', reaches(other, '10.8.0.2'));
  });
}

await withPair(
  {
    Name: 'l2',
    Driver: 'ipvlan',
    EnableIPv6: true,
    IPAM: {
      Config: [
        {Subnet: '10.9.0.0/24', IPRange: '10.9.0.128/25', Gateway: '10.9.0.2'},
        {Subnet: 'fd09::/64', Gateway: 'fd09::2'},
      ],
    },
    Options: {parent: 'wire'},
  },
  async (one, other) => {
    expectThat('ipvlan l2 reaches the neighbour', reaches(one, '10.9.0.2'), one.sh('ip addr'));
    expectThat('the neighbour reaches ipvlan l2', reaches(lan, '10.9.0.129'));
    expectThat('ipvlan l2 reaches its own kind', reaches(one, '10.9.0.129'));
    expectThat('ipvlan l2 reaches the neighbour over IPv6', reaches(other, 'fd09::2'), other.sh('ip -6 addr'));
    expectThat('ipvlan l2 has a gateway', other.sh('ip route').includes('default via 10.9.0.2'));
    const [settings] = Object.values((await containers.inspect(one.id)).NetworkSettings.Networks);
    expectThat('ipvlan has the address that it was given', settings?.IPAddress === '10.9.0.128', settings?.IPAddress);
    const second = await refusalOf(networks.create({Name: 'second', Driver: 'ipvlan', Options: {parent: 'wire'}}));
    expectThat(
      'a second one is refused',
      /^network di-[0-9a-f]{12} is already using parent interface wire$/.test(second),
      second,
    );
    const mac = await refusalOf(member('l2', {MacAddress: '02:00:00:00:00:01'}));
    expectThat(
      'a link address is refused',
      mac === 'ipvlan interfaces do not support custom mac address assignment',
      mac,
    );
  },
);
for (const made of await containers.list({all: true})) await containers.remove(made.Id, {force: true});

// Members of such a network answer no ARP: the neighbour's way to them is the machine, and theirs is the machine's routes.
sh('ip addr add 10.9.0.1/24 dev wire');
for (const mode of ['l3', 'l3s']) {
  await withPair(
    {
      Name: 'routed',
      Driver: 'ipvlan',
      IPAM: {Config: [{Subnet: '10.7.0.0/24'}]},
      Options: {parent: 'wire', ipvlan_mode: mode},
    },
    async (one) => {
      expectThat(`ipvlan ${mode} reaches its own kind`, reaches(one, '10.7.0.2'), one.sh('ip addr'));
      const route = one.sh('ip route');
      expectThat(`ipvlan ${mode} needs no router`, /^default dev eth0 scope link/m.test(route), route);
      const {IPAM} = await networks.inspect('routed');
      expectThat(
        `ipvlan ${mode} keeps no address for one`,
        JSON.stringify(IPAM.Config) === '[{"Subnet":"10.7.0.0/24"}]',
      );
      lan.sh('ip route add 10.7.0.0/24 via 10.9.0.1');
      expectThat(`the neighbour reaches ipvlan ${mode}`, reaches(lan, '10.7.0.1'));
      lan.sh('ip route del 10.7.0.0/24');
    },
  );
}
sh('ip addr del 10.9.0.1/24 dev wire');

await withPair(
  {
    Name: 'private',
    Driver: 'ipvlan',
    IPAM: {Config: [{Subnet: '10.9.0.0/24', IPRange: '10.9.0.128/25', Gateway: '10.9.0.2'}]},
    Options: {parent: 'wire', ipvlan_flag: 'private'},
  },
  (one) => {
    expectThat('private ipvlan reaches the neighbour', reaches(one, '10.9.0.2'));
    expectThat('private ipvlan does not reach its own kind', isCutOff(one, '10.9.0.129'));
  },
);

const tagged = (Name: string, third: number): NetworkCreateBody => ({
  Name,
  Driver: 'macvlan',
  IPAM: {Config: [{Subnet: `10.10.${third}.0/24`, IPRange: `10.10.${third}.128/25`, Gateway: `10.10.${third}.2`}]},
  Options: {parent: 'wire.10', 'com.docker.network.driver.mtu': '1400'},
});
await networks.create(tagged('beside', 1));
await withPair(tagged('tagged', 0), async (one) => {
  expectThat('a tagged parent is made', sh('ip -d link show wire.10').includes('vlan protocol 802.1Q id 10'));
  expectThat('macvlan reaches the neighbour in the tagged network', reaches(one, '10.10.0.2'), one.sh('ip addr'));
  expectThat('and has the MTU that was asked for', one.sh('ip link show eth0').includes('mtu 1400'));
  await networks.remove('beside');
  expectThat('a parent stays while another network has it', sh('ip -br link').includes('wire.10@wire'));
});
const much = await refusalOf(
  networks.create({
    Name: 'much',
    Driver: 'macvlan',
    Options: {parent: 'wire', 'com.docker.network.driver.mtu': '9000'},
  }),
);
expectThat(
  'an MTU above that of the parent is refused',
  much === 'network option "com.docker.network.driver.mtu": 9000 is more than the 1500 of interface "wire"',
  much,
);

await networks.create({Name: 'messages', EnableIPv6: true});
const server = await member(
  'messages',
  {},
  {
    // Only the first address of socat may fork, so that each client is told.
    Cmd: ['socat', '-U', 'SCTP6-LISTEN:80,ipv6only=0,fork,reuseaddr', 'SYSTEM:echo reached'],
    PortBindings: {'80/sctp': [{HostPort: '8080'}]},
  },
);
sh('ip addr add 10.9.0.1/24 dev wire; ip addr add fd09::1/64 dev wire nodad');
const hears = async (from: {sh(line: string): string}, address: string) => {
  let heard = '';
  for (let attempt = 0; attempt < 60 && heard !== 'reached\n'; attempt += 1) {
    await delay(500);
    heard = from.sh(`timeout 20 socat -u SCTP:${address}:8080 -`);
  }
  return heard === 'reached\n';
};
const machine = {sh};
expectThat(
  'SCTP is published on loopback',
  await hears(machine, '127.0.0.1'),
  sh('cat /proc/net/sctp/eps; nft list ruleset'),
);
expectThat('SCTP is published on IPv6 loopback', await hears(machine, '[::1]'));
expectThat('SCTP is published to the machine itself', await hears(machine, '10.9.0.1'));
expectThat('SCTP is published to the neighbour', await hears(lan, '10.9.0.1'), sh('nft list ruleset'));
expectThat('SCTP is published to the neighbour over IPv6', await hears(lan, '[fd09::1]'));
expectThat(
  'a second one is refused',
  /port is already allocated/.test(
    await refusalOf(member('messages', {}, {PortBindings: {'80/sctp': [{HostPort: '8080'}]}})),
  ),
);
for (const made of await containers.list({all: true})) await containers.remove(made.Id, {force: true});
expectThat('SCTP is gone with its container', server.id !== '' && !/8080/.test(sh('cat /proc/net/sctp/eps')));
await networks.remove('messages');

const after = sh('ip -br link');
expectThat('what was made is gone', after === before, `${before}\n${after}`);
sh('ip netns delete lan; ip link delete wire; ip link delete dummy0');
await engine.close();
