import {afterEach, beforeEach, expect, test} from 'vitest';
import {eventually} from '../../support/host.ts';
import {ask, isCutOff, isSilent, makeMachine, type NetworkMachine, reaches} from './support/machine.ts';

let machine: NetworkMachine;
beforeEach(async () => {
  machine = await makeMachine();
});
afterEach(() => machine[Symbol.asyncDispose]());

/** Container to container, outbound and published, through whatever the machine's firewall says. */
async function expectEverythingWorks(): Promise<void> {
  const {networks} = machine;
  await networks.create({Name: 'shop'});
  const lan = await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  const web = await machine.start({
    name: 'web',
    networks: {shop: {}},
    host: {PortBindings: {'80/tcp': [{HostPort: '8080'}]}},
  });
  const db = await machine.start({name: 'db', networks: {shop: {}}});
  await web.serve(80, 'web');
  await lan.serve(7000, 'outside');
  expect(await reaches(web, '172.17.0.3')).toBe(true);
  expect(await ask(db, '172.17.0.2', 80)).toBe('web');
  expect(await ask(db, '10.9.0.2', 7000)).toBe('outside');
  expect(await ask(lan, '10.9.0.1', 8080)).toBe('web');
  // What our own table drops stays dropped.
  expect(await isSilent(lan, '172.17.0.2', 80)).toBe(true);
  await web.stop();
  await db.stop();
}

/** Without counters, which move by themselves. */
const rules = async () => (await machine.sh('nft -s list ruleset')).replaceAll(/packets \d+ bytes \d+/g, '');

test('iptables with policy DROP and bridge-nf-call-iptables, as Docker and ufw leave it', async () => {
  const {sh, networks} = machine;
  await sh('sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1');
  await sh(
    'iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER; ip6tables -P FORWARD DROP',
  );
  const before = {rules: await rules(), iptables: await sh('iptables -S; ip6tables -S')};
  await expectEverythingWorks();
  const during = await sh('iptables -S FORWARD');
  expect(during.split('\n').slice(0, 4)).toEqual([
    '-P FORWARD DROP',
    expect.stringMatching(/^-A FORWARD -o tsb\+ -m comment --comment "tscompose:[0-9a-f]{10}" -j ACCEPT$/),
    expect.stringMatching(/^-A FORWARD -i tsb\+ -m comment --comment "tscompose:[0-9a-f]{10}" -j ACCEPT$/),
    '-A FORWARD -j DOCKER-USER',
  ]);
  await networks.remove('shop');
  expect({rules: await rules(), iptables: await sh('iptables -S; ip6tables -S')}).toEqual(before);
});

test('an nftables firewall that rejects at the end of a chain it jumps to', async () => {
  const {sh, networks} = machine;
  await sh(`nft -f - <<'end'
table inet firewalld {
  chain FORWARD {
    type filter hook forward priority filter + 10; policy accept;
    ct state established accept
    jump zones
  }
  chain zones {
    iifname "trusted0" accept
    reject with icmpx admin-prohibited
  }
}
table inet quiet {
  chain forward {
    type filter hook forward priority filter; policy accept;
    counter
  }
}
end`);
  const before = await rules();
  await expectEverythingWorks();
  expect(await sh('nft list chain inet firewalld FORWARD')).toMatch(/oifname "tsb\*" .* accept comment "tscompose:/);
  // A chain that drops nothing is let be.
  expect(await sh('nft list chain inet quiet forward')).not.toContain('tscompose');
  await networks.remove('shop');
  expect(await rules()).toBe(before);
});

test('what a firewall forgot when it was reloaded is placed again at the next start', async () => {
  const {sh, networks} = machine;
  await sh('iptables -P FORWARD DROP');
  await networks.create({Name: 'shop'});
  const a = await machine.start({name: 'a', networks: {shop: {}}});
  const lan = await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  expect(await reaches(a, '10.9.0.2')).toBe(true);
  await sh('iptables -F FORWARD; iptables -P FORWARD DROP');
  expect(await isCutOff(a, '10.9.0.2')).toBe(true);
  const another = machine.another();
  await another.create({Name: 'second'});
  expect(await reaches(a, '10.9.0.2')).toBe(true);
  expect(await reaches(lan, '10.9.0.1')).toBe(true);
});

test('our own table is made again after somebody flushed all rules, with the ports of running containers', async () => {
  const {sh, networks} = machine;
  await networks.create({Name: 'shop'});
  const lan = await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  const web = await machine.start({
    name: 'web',
    networks: {shop: {}},
    host: {PortBindings: {'80/tcp': [{HostIp: '10.9.0.1', HostPort: '8080'}]}},
  });
  await web.serve(80, 'web');
  const before = await rules();
  await sh('nft flush ruleset');
  await machine.another().create({Name: 'second', Options: {'com.docker.network.bridge.name': 'custom0'}});
  const after = await rules();
  expect(after).toContain('custom0');
  expect(after).toContain('10.9.0.1 . tcp . 8080');
  await networks.remove('second');
  const tables = (text: string) => text.split(/(?=^table )/m).map((table) => table.trim());
  const [own] = tables(before).filter((table) => !table.includes('tscompose_forwarding'));
  const made = tables(await rules());
  expect(made.find((table) => !table.includes('tscompose_forwarding'))).toBe(own);
  expect(made.length).toBe(2);
  expect(await rules()).not.toContain('custom0');
  expect(await ask(lan, '10.9.0.1', 8080)).toBe('web');
  await web.stop();
  await networks.remove('shop');
  expect(await sh('cat /proc/sys/net/ipv4/ip_forward; nft list ruleset')).toBe('0\n');
});

test('two roots on one machine do not disturb each other', async () => {
  const {sh, networks, host} = machine;
  await sh('iptables -P FORWARD DROP');
  await networks.create({Name: 'shop'});
  const a = await machine.start({name: 'a', networks: {shop: {}}});
  const lan = await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  await using other = await machine.otherRoot();
  const {Id} = await other.networks.create({Name: 'shop'});
  expect((await other.networks.inspect(Id)).IPAM.Config).toEqual([{Subnet: '172.18.0.0/16', Gateway: '172.18.0.1'}]);
  expect((await sh('iptables -S FORWARD')).match(/tscompose:/g)?.length).toBe(4);
  await networks.remove('shop').catch(() => undefined);
  await a.stop();
  await networks.remove('shop');
  // The other root still needs forwarding.
  expect(await sh('cat /proc/sys/net/ipv4/ip_forward')).toBe('1\n');
  expect((await sh('iptables -S FORWARD')).match(/tscompose:/g)?.length).toBe(2);
  expect(await reaches(lan, '10.9.0.1')).toBe(true);
  await other.networks.remove('shop');
  expect(await sh('cat /proc/sys/net/ipv4/ip_forward')).toBe('0\n');
  expect(await sh('iptables -S FORWARD')).toBe('-P FORWARD DROP\n');
  expect(host.leftovers({running: true}).filter((line) => line.startsWith('firewall'))).toEqual([]);
});

test('where forwarding was off, the machine becomes no router for others', async () => {
  const {networks} = machine;
  const one = await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  const two = await machine.neighbour({machine: '10.8.0.1/24', own: '10.8.0.2/24'});
  expect(await isCutOff(one, '10.8.0.2')).toBe(true);
  await networks.create({Name: 'shop'});
  const web = await machine.start({
    name: 'web',
    networks: {shop: {}},
    host: {PortBindings: {'80/tcp': [{HostPort: '8080'}]}},
  });
  await web.serve(80, 'web');
  expect(await machine.sh('cat /proc/sys/net/ipv4/ip_forward')).toBe('1\n');
  expect(await isCutOff(one, '10.8.0.2')).toBe(true);
  expect(await ask(two, '10.9.0.1', 8080)).toBe('web');
  expect(await reaches(web, '10.8.0.2')).toBe(true);
});

test('where forwarding was on, it stays on and nobody is kept from it', async () => {
  const {networks, sh} = machine;
  await sh('sysctl -qw net.ipv4.ip_forward=1');
  const one = await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  await machine.neighbour({machine: '10.8.0.1/24', own: '10.8.0.2/24'});
  await networks.create({Name: 'shop'});
  expect(await reaches(one, '10.8.0.2')).toBe(true);
  await networks.remove('shop');
  expect(await reaches(one, '10.8.0.2')).toBe(true);
  expect(await sh('cat /proc/sys/net/ipv4/ip_forward')).toBe('1\n');
});

test('a firewall that belongs to a running program alone is told of, with what to run', async () => {
  const {networks, host} = machine;
  // The kernel lets only the owner of such a table change it, as long as its socket is open (NFT_TABLE_F_OWNER).
  const owner = host.command('sh', [
    '-c',
    `(echo 'add table inet walled { flags owner; }'; echo 'add chain inet walled forward { type filter hook forward priority 0; policy drop; }'; until test -e told; do sleep 0.1; done) | nft -i`,
  ]);
  await eventually(async () => expect(await machine.sh('nft list tables')).toContain('walled'));
  const {Warning} = await networks.create({Name: 'shop'});
  expect(Warning).toBe(
    `the firewall chain inet walled forward drops packets of containers and refuses changes: run nft 'insert rule inet walled forward iifname "tsb*" accept' and nft 'insert rule inet walled forward oifname "tsb*" accept'`,
  );
  await host.command('touch', ['told']);
  await owner;
});

test('a firewall of iptables-legacy is found out by a probe, and what is told to run helps', async () => {
  const {sh, networks} = machine;
  await sh('iptables-legacy -P FORWARD DROP');
  const first = await networks.create({Name: 'shop'});
  expect(first.Warning).toBe(
    'the firewall chain FORWARD of iptables-legacy drops packets of containers: run iptables-legacy -I FORWARD -i tsb+ -j ACCEPT and iptables-legacy -I FORWARD -o tsb+ -j ACCEPT',
  );
  for (const [command] of first.Warning.matchAll(/iptables-legacy -I [^a]*-j ACCEPT/g)) await sh(command);
  expect((await machine.another().create({Name: 'second'})).Warning).toBe('');
  expect(await sh('ip -br link; nft list ruleset')).not.toMatch(/tsbp|tscompose_probe/);
  const lan = await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  const web = await machine.start({
    name: 'web',
    networks: {shop: {}},
    host: {PortBindings: {'80/tcp': [{HostPort: '8080'}]}},
  });
  await web.serve(80, 'web');
  expect(await ask(lan, '10.9.0.1', 8080)).toBe('web');
});

test('an iptables-legacy firewall that lets packets pass is not warned of', async () => {
  const {sh, networks} = machine;
  await sh('iptables-legacy -A FORWARD -s 203.0.113.1 -j DROP');
  expect((await networks.create({Name: 'shop'})).Warning).toBe('');
});
