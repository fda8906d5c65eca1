import {createServer} from 'node:net';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {TscomposeError} from '../../../src/base/errors.ts';
import {canBind} from '../../../src/engine/network/choose-port.ts';
import {explainPublishError} from '../../../src/engine/network/port-in-use.ts';
import {ask, askFull, askUdp, isSilent, makeMachine, type NetworkMachine} from './support/machine.ts';

let machine: NetworkMachine;
beforeEach(async () => {
  machine = await makeMachine();
});
afterEach(() => machine[Symbol.asyncDispose]());

test('a published port is reached from outside, from other networks, from its own, and from the machine', async () => {
  const {networks, sh} = machine;
  await networks.create({Name: 'one'});
  await networks.create({Name: 'two'});
  const lan = await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  const web = await machine.start({
    name: 'web',
    networks: {one: {}},
    host: {PortBindings: {'80/tcp': [{HostPort: '8080'}], '53/udp': [{HostPort: '5353'}]}},
  });
  const other = await machine.start({name: 'other', networks: {two: {}}});
  const same = await machine.start({name: 'same', networks: {one: {}}});
  await web.serve(80, 'web');
  await web.serve(53, 'names', {udp: true});
  // From outside and from the machine packets go straight to the container, with the true source.
  expect(await askFull(lan, '10.9.0.1', 8080)).toBe('web 10.9.0.2');
  expect(await askUdp(lan, '10.9.0.1', 5353)).toBe('names');
  expect(await askFull(machine, '10.9.0.1', 8080)).toBe('web 10.9.0.1');
  // Loopback and containers are served by the proxy.
  expect(await askFull(machine, '127.0.0.1', 8080)).toBe('web 172.17.0.1');
  expect(await ask(other, '10.9.0.1', 8080)).toBe('web');
  expect(await ask(same, '10.9.0.1', 8080)).toBe('web');
  expect(await ask(same, '172.17.0.1', 8080)).toBe('web');
  expect(await ask(web, '10.9.0.1', 8080)).toBe('web');
  // Not by the container's own address, though the neighbour has a route to it.
  expect(await isSilent(lan, '172.17.0.2', 80)).toBe(true);
  expect(await isSilent(other, '172.17.0.2', 80)).toBe(true);
  expect(web.plan.ports).toEqual({
    '80/tcp': [
      {HostIp: '0.0.0.0', HostPort: '8080'},
      {HostIp: '::', HostPort: '8080'},
    ],
    '53/udp': [
      {HostIp: '0.0.0.0', HostPort: '5353'},
      {HostIp: '::', HostPort: '5353'},
    ],
  });
  await web.stop();
  expect(await sh('nft list ruleset')).not.toContain('8080');
  expect(await isSilent(lan, '10.9.0.1', 8080)).toBe(true);
});

test('a port published on one address is not reached by another, and on loopback not from outside', async () => {
  const {networks, sh} = machine;
  await networks.create({Name: 'one'});
  const lan = await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  await machine.neighbour({machine: '10.8.0.1/24', own: '10.8.0.2/24'});
  const web = await machine.start({
    name: 'web',
    networks: {one: {}},
    host: {
      PortBindings: {
        '80/tcp': [
          {HostIp: '10.8.0.1', HostPort: '8080'},
          {HostIp: '127.0.0.1', HostPort: '9090'},
        ],
      },
    },
  });
  await web.serve(80, 'web');
  expect(await ask(lan, '10.8.0.1', 8080)).toBe('web');
  expect(await isSilent(lan, '10.9.0.1', 8080)).toBe(true);
  expect(await ask(machine, '127.0.0.1', 9090)).toBe('web');
  expect(await isSilent(lan, '10.9.0.1', 9090)).toBe(true);
  // A neighbour that sends packets for 127.0.0.1, to a machine that would take them.
  await sh('sysctl -qw net.ipv4.conf.all.route_localnet=1');
  await lan.sh(
    'sysctl -qw net.ipv4.conf.all.route_localnet=1 && ip addr del 127.0.0.1/8 dev lo && ip route add 127.0.0.1 via 10.9.0.1 src 10.9.0.2',
  );
  await lan.sh('ip rule add pref 1 lookup main');
  expect(await isSilent(lan, '127.0.0.1', 9090)).toBe(true);
  // Without our table the same packet arrives: the test would otherwise pass for any reason.
  await sh('nft delete table inet $(nft list tables | sed -n "s/table inet \\(tscompose_[0-9a-f]\\{10\\}\\)/\\1/p")');
  expect(await ask(lan, '127.0.0.1', 9090)).toBe('web');
});

test('loopback can be the default address', async () => {
  await using cautious = await makeMachine({publishAddress: 'loopback'});
  await cautious.networks.create({Name: 'one'});
  const lan = await cautious.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  const web = await cautious.start({
    name: 'web',
    networks: {one: {}},
    host: {PortBindings: {'80/tcp': [{HostPort: '8080'}, {HostIp: '0.0.0.0', HostPort: '8081'}]}},
  });
  await web.serve(80, 'web');
  expect(web.plan.ports['80/tcp']?.map(({HostIp, HostPort}) => `${HostIp} ${HostPort}`)).toEqual([
    '127.0.0.1 8080',
    '::1 8080',
    '0.0.0.0 8081',
  ]);
  expect(await ask(cautious, '127.0.0.1', 8080)).toBe('web');
  expect(await isSilent(lan, '10.9.0.1', 8080)).toBe(true);
  expect(await ask(lan, '10.9.0.1', 8081)).toBe('web');
});

test('a port without a number is the same for IPv4 and IPv6, and no other container gets it', async () => {
  await machine.networks.create({Name: 'one'});
  const ports = new Set<string>();
  for (const name of ['a', 'b', 'c']) {
    const container = await machine.start({
      name,
      networks: {one: {}},
      host: {PortBindings: {'80/tcp': [{}], '81/tcp': [{HostPort: '0'}]}, PublishAllPorts: true},
      exposed: ['90/udp', '81/tcp'],
    });
    for (const key of ['80/tcp', '81/tcp', '90/udp']) {
      const [ipv4, ipv6, ...rest] = container.plan.ports[key] ?? [];
      expect(rest).toEqual([]);
      expect(ipv4?.HostIp).toBe('0.0.0.0');
      expect(ipv6).toEqual({HostIp: '::', HostPort: ipv4?.HostPort});
      ports.add(`${key.split('/')[1]} ${ipv4?.HostPort}`);
    }
    expect(container.plan.ephemeral).toBe(true);
  }
  expect(ports.size).toBe(9);
});

test('of a range the first free port is taken, until none is left', async () => {
  await machine.networks.create({Name: 'one'});
  const host = {PortBindings: {'80/tcp': [{HostPort: '29050-29051'}]}};
  const start = (name: string) => machine.start({name, networks: {one: {}}, host});
  const [a, b] = [await start('a'), await start('b')];
  expect([a, b].map(({plan}) => plan.ports['80/tcp']?.[0]?.HostPort)).toEqual(['29050', '29051']);
  await expect(start('c')).rejects.toMatchObject({
    kind: 'conflict',
    message: 'cannot publish a tcp port on 0.0.0.0 and ::: none from 29050 to 29051 is free',
  });
});

test('a port of another container is refused by its name, unless that one is dead', async () => {
  await machine.networks.create({Name: 'one'});
  await machine.networks.create({Name: 'two'});
  const host = {PortBindings: {'80/tcp': [{HostPort: '8080'}]}};
  const first = await machine.start({name: 'first', networks: {one: {}}, host});
  await expect(machine.start({name: 'second', networks: {two: {}}, host})).rejects.toMatchObject({
    kind: 'conflict',
    message: 'cannot publish 0.0.0.0:8080/tcp: port is already allocated by container "first"',
    hint: 'stop that container, or publish another port than 8080',
  });
  // The same number for another protocol, or on another loopback address, is another port.
  await machine.start({name: 'udp', networks: {two: {}}, host: {PortBindings: {'80/udp': [{HostPort: '8080'}]}}});
  await first.die();
  const lan = await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  const second = await machine.start({name: 'second', networks: {two: {}}, host});
  await second.serve(80, 'second');
  expect(await ask(lan, '10.9.0.1', 8080)).toBe('second');
});

test('a client that goes on sending reaches the container that has the port now', async () => {
  await machine.networks.create({Name: 'one'});
  const lan = await machine.neighbour({machine: '10.9.0.1/24', own: '10.9.0.2/24'});
  const host = {PortBindings: {'53/udp': [{HostPort: '5353'}]}};
  const askFromOnePort = async () =>
    (
      await lan.try(
        `python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(25); s.bind(("", 4444)); s.connect(("10.9.0.1", 5353)); s.send(b"x"); print(s.recv(99).decode())'`,
      )
    ).stdout.trim();
  const first = await machine.start({name: 'first', networks: {one: {}}, host});
  await first.serve(53, 'first', {udp: true});
  expect(await askFromOnePort()).toBe('first');
  await first.stop();
  // The address of the first is somebody else's now.
  await machine.start({name: 'other', networks: {one: {}}});
  const second = await machine.start({name: 'second', networks: {one: {}}, host});
  await second.serve(53, 'second', {udp: true});
  expect(await askFromOnePort()).toBe('second');
});

test('a port twice in one container is refused', async () => {
  await machine.networks.create({Name: 'one'});
  const host = {PortBindings: {'80/tcp': [{HostPort: '8080'}], '81/tcp': [{HostIp: '127.0.0.1', HostPort: '8080'}]}};
  await expect(machine.start({name: 'a', networks: {one: {}}, host})).rejects.toMatchObject({
    kind: 'conflict',
    message: 'cannot publish 127.0.0.1:8080/tcp: the container publishes it twice',
  });
});

test('a port of a process is refused with its name and pid', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const hostPort = typeof address === 'object' && address !== null ? address.port : 0;
  expect(await canBind('tcp', '0.0.0.0', hostPort)).toBe(false);
  const failed = new TscomposeError('conflict', 'bind: address already in use', {
    cause: {errno: 'EADDRINUSE', step: `publish tcp 0.0.0.0:${hostPort}`},
  });
  const port = {
    protocol: 'tcp',
    hostAddress: '0.0.0.0',
    hostPort,
    containerAddress: '172.17.0.2',
    containerPort: 80,
  } as const;
  const error = (await explainPublishError(failed, [port])) as TscomposeError;
  expect(error.kind).toBe('conflict');
  expect(error.message).toMatch(
    new RegExp(
      `^cannot publish 0\\.0\\.0\\.0:${hostPort}/tcp: port is already allocated by process \\S+.* \\(pid ${process.pid}\\)$`,
    ),
  );
  server.close();
});

test('an address that is not of this machine is refused', async () => {
  const failed = new TscomposeError('invalid', 'bind', {
    cause: {errno: 'EADDRNOTAVAIL', step: 'publish udp [2001:db8::1]:53'},
  });
  const port = {
    protocol: 'udp',
    hostAddress: '2001:db8::1',
    hostPort: 53,
    containerAddress: '172.17.0.2',
    containerPort: 53,
  } as const;
  expect(await explainPublishError(failed, [port])).toMatchObject({
    kind: 'invalid',
    message: 'cannot publish [2001:db8::1]:53/udp: 2001:db8::1 is not an address of this machine',
  });
});
