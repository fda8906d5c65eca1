import {afterEach, beforeEach, expect, test} from 'vitest';
import {ask, isCutOff, isSilent, makeMachine, type NetworkMachine, reaches} from './support/machine.ts';

let machine: NetworkMachine;
beforeEach(async () => {
  machine = await makeMachine();
});
afterEach(() => machine[Symbol.asyncDispose]());

const left = () => machine.host.leftovers({running: true}).filter((line) => !line.startsWith('process'));
const only6 = (Name: string, Subnet: string, more = {}) => ({
  Name,
  EnableIPv4: false,
  EnableIPv6: true,
  IPAM: {Config: [{Subnet}]},
  ...more,
});

test('a network of IPv6 alone has no IPv4 at all, publishes, and is reached by nothing else', async () => {
  const lan = await machine.neighbour({machine: 'fd05::1/64', own: 'fd05::2/64'});
  await machine.networks.create(only6('one', 'fd51::/64'));
  await machine.networks.create(only6('two', 'fd52::/64'));
  const web = await machine.start({
    name: 'web',
    networks: {one: {IPAMConfig: {IPv6Address: 'fd51::99'}}},
    host: {
      PortBindings: {
        '80/tcp': [{HostPort: '18080'}],
        '81/tcp': [{HostIp: '::1', HostPort: '18081'}],
      },
    },
  });
  const beside = await machine.start({name: 'beside', networks: {one: {}}});
  const other = await machine.start({name: 'other', networks: {two: {}}});
  expect(web.plan.addresses).toEqual(['fd51::99']);
  expect(beside.plan.addresses).toEqual(['fd51::2']);
  expect(web.plan.networks['one']).toMatchObject({
    IPAddress: '',
    Gateway: '',
    GlobalIPv6Address: 'fd51::99',
    GlobalIPv6PrefixLen: 64,
    IPv6Gateway: 'fd51::1',
  });
  expect(await web.sh('ip -4 -o addr show dev eth0')).toBe('');
  expect(await web.sh('ip -6 route show default')).toContain('via fd51::1 dev eth0');
  for (const port of [80, 81, 82]) await web.serve(port, `at${port}`, {address: '::'});
  // Who may: the neighbour on the network, and everybody what is published.
  expect(await ask(beside, 'fd51::99', 82)).toBe('at82');
  expect(await ask(lan, 'fd05::1', 18080)).toBe('at80');
  expect(await ask(machine, '::1', 18080)).toBe('at80');
  expect(await ask(machine, '127.0.0.1', 18080)).toBe('at80');
  expect(await ask(machine, '::1', 18081)).toBe('at81');
  expect(await ask(other, 'fd05::1', 18080)).toBe('at80');
  // Who may not: the outside by a route of its own, another network, and what is for loopback alone.
  for (const port of [80, 81, 82]) expect(await isSilent(lan, 'fd51::99', port)).toBe(true);
  for (const port of [80, 82]) expect(await isSilent(other, 'fd51::99', port)).toBe(true);
  expect(await isSilent(lan, 'fd05::1', 18081)).toBe(true);
  expect(await isSilent(other, 'fd52::1', 18081)).toBe(true);
  expect(await isCutOff(other, 'fd51::2')).toBe(true);
  // Out, under the address of the machine.
  await lan.serve(80, 'lan', {address: '::'});
  expect(await ask(other, 'fd05::2', 80)).toBe('lan');
  for (const container of [web, beside, other]) await container.stop();
  for (const name of ['one', 'two']) await machine.networks.remove(name);
  await machine.sh("ip -o link | sed -n 's/.*\\(lan[0-9a-f]*\\)@.*/\\1/p' | xargs -n1 ip link delete");
  expect(left()).toEqual([]);
});

test('an internal network of both kinds leads nowhere by either', async () => {
  const lan = await machine.neighbour({machine: 'fd05::1/64', own: 'fd05::2/64'});
  await machine.networks.create({
    Name: 'inside',
    Internal: true,
    EnableIPv6: true,
    IPAM: {Config: [{Subnet: 'fd53::/64'}]},
  });
  const one = await machine.start({name: 'one', networks: {inside: {}}});
  const two = await machine.start({name: 'two', networks: {inside: {}}});
  for (const address of two.plan.addresses) expect(await reaches(one, address)).toBe(true);
  for (const address of one.plan.addresses) expect(await isCutOff(lan, address)).toBe(true);
  expect(await isCutOff(one, 'fd05::2')).toBe(true);
  expect(await isSilent(one, 'fd53::1', 22)).toBe(true);
  expect(await one.sh('ip -6 route show default; ip -4 route show default')).toBe('');
  for (const container of [one, two]) await container.stop();
  await machine.networks.remove('inside');
});

test.each<[string, Readonly<Record<string, string>>, boolean, string, string]>([
  [
    'isolated without internal',
    {gateway_mode_ipv6: 'isolated'},
    false,
    'invalid',
    "gateway mode 'isolated' can only be used for an internal network",
  ],
  [
    'a mode of no kind',
    {gateway_mode_ipv4: 'bogus'},
    false,
    'invalid',
    'failed to parse com.docker.network.bridge.gateway_mode_ipv4 value: bogus (unknown gateway mode bogus)',
  ],
  [
    'routed',
    {gateway_mode_ipv4: 'routed'},
    false,
    'unsupported',
    'network option "com.docker.network.bridge.gateway_mode_ipv4": "routed" is not supported, only "nat" is',
  ],
  [
    'nat without protection',
    {gateway_mode_ipv6: 'nat-unprotected'},
    false,
    'unsupported',
    'network option "com.docker.network.bridge.gateway_mode_ipv6": "nat-unprotected" is not supported, only "nat" is',
  ],
])('a gateway mode that cannot be is refused: %s', async (_what, options, Internal, kind, message) => {
  const Options = Object.fromEntries(
    Object.entries(options).map(([key, value]) => [`com.docker.network.bridge.${key}`, value]),
  );
  await expect(machine.networks.create({Name: 'n', Internal, Options})).rejects.toMatchObject({kind, message});
});
