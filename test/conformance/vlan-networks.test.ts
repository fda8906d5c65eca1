import {randomBytes} from 'node:crypto';
import {beforeAll, expect, it} from 'vitest';
import type {NetworkCreateBody} from '../../src/api/types/network.ts';
import type {Container} from '../../src/client/container.ts';
import {textOf} from './output.ts';
import {describeTargets, type Target} from './targets.ts';

describeTargets('macvlan and ipvlan networks', (target) => {
  const parent = `ts${randomBytes(3).toString('hex')}`;
  const subnet = `10.${100 + ((randomBytes(1)[0] ?? 0) % 100)}.${randomBytes(1)[0]}`;

  const create = (body: Partial<NetworkCreateBody> & {readonly Name: string}) => {
    const [key = '', value = ''] = target.label.split('=');
    return target.docker.createNetwork({Driver: 'macvlan', ...body, Labels: {[key]: value}});
  };
  const pool = (more = {}) => ({Config: [{Subnet: `${subnet}.0/24`, ...more}]});

  // An interface of the machine that both engines can be asked for: the bridge of another network.
  beforeAll(async () => {
    await create({
      Name: target.name('parent'),
      Driver: 'bridge',
      Options: {'com.docker.network.bridge.name': parent},
    });
    // A bridge without anything on it has no carrier.
    await runOn(target, target.name('parent'), 'carrier');
  });

  it('have the parent that they name, and show what they were asked for', async () => {
    const network = await create({Name: target.name('lan'), IPAM: pool({Gateway: `${subnet}.9`}), Options: {parent}});
    expect(await network.inspect()).toMatchObject({
      Driver: 'macvlan',
      Options: {parent},
      IPAM: {Config: [{Subnet: `${subnet}.0/24`, Gateway: `${subnet}.9`}]},
      EnableIPv4: true,
      EnableIPv6: false,
    });
    const web = await runOn(target, network.id, 'web', {
      PortBindings: {'80/tcp': [{HostIp: '127.0.0.1', HostPort: ''}]},
    });
    const client = await runOn(target, network.id, 'client');
    const {Networks, Ports} = (await web.inspect()).NetworkSettings;
    expect(Object.values(Networks)).toMatchObject([
      {
        IPAddress: `${subnet}.1`,
        IPPrefixLen: 24,
        Gateway: `${subnet}.9`,
        MacAddress: expect.stringMatching(/^..(:..){5}$/),
      },
    ]);
    // Nothing is published there.
    expect(Ports['80/tcp'] ?? []).toEqual([]);
    expect(await output(client, ['ip', 'route'])).toContain(`default via ${subnet}.9 dev eth0`);
    expect(await output(client, ['ping', '-c', '1', '-W', '20', target.name('web')])).toContain(
      `(${subnet}.1): 56 data bytes`,
    );
    expect(await output(client, ['ping', '-c', '1', '-W', '20', target.name('web')])).toContain('1 packets received');
    await web.remove({force: true});
    await client.remove({force: true});
    await network.remove();
  });

  it('of an internal kind keep no address for a gateway', async () => {
    const network = await create({Name: target.name('inside'), Internal: true, IPAM: pool(), Options: {parent}});
    const container = await runOn(target, network.id, 'inside-web');
    expect(Object.values((await container.inspect()).NetworkSettings.Networks)).toMatchObject([
      {IPAddress: `${subnet}.1`, Gateway: ''},
    ]);
    expect(await output(container, ['ip', 'route'])).not.toContain('default');
    await container.remove({force: true});
    await network.remove();
  });

  it('may have IPv6 alone', async () => {
    const network = await create({
      Name: target.name('six'),
      EnableIPv4: false,
      EnableIPv6: true,
      IPAM: {Config: [{Subnet: 'fd66:7::/64', Gateway: 'fd66:7::9'}]},
      Options: {parent},
    });
    const container = await runOn(target, network.id, 'six-web');
    expect(Object.values((await container.inspect()).NetworkSettings.Networks)).toMatchObject([
      {IPAddress: '', Gateway: '', GlobalIPv6Address: 'fd66:7::1', GlobalIPv6PrefixLen: 64, IPv6Gateway: 'fd66:7::9'},
    ]);
    expect(await output(container, ['ip', '-6', 'route'])).toContain('default via fd66:7::9 dev eth0');
    await container.remove({force: true});
    await network.remove();
  });

  it('share a parent, unless it is passed through', async () => {
    const first = await create({Name: target.name('first'), Options: {parent}});
    const second = await create({Name: target.name('second'), Options: {parent}});
    await expect(create({Name: target.name('third'), Options: {parent, macvlan_mode: 'passthru'}})).rejects.toThrow(
      /cannot use mode passthru, macvlan network [0-9a-f]{64} is already using parent interface ts/,
    );
    await first.remove();
    await second.remove();
    const alone = await create({Name: target.name('alone'), Options: {parent, macvlan_mode: 'passthru'}});
    await expect(create({Name: target.name('beside'), Options: {parent}})).rejects.toThrow(
      /macvlan network [0-9a-f]{64} is already using parent interface ts\w+ in mode passthru/,
    );
    await alone.remove();
  });

  it.each<[string, string, Readonly<Record<string, string>>, string]>([
    ['macvlan', 'a parent that leads nowhere', {parent: 'lo'}, 'loopback interface is not a valid macvlan parent link'],
    [
      'macvlan',
      'one that is not there',
      {parent: 'nope'},
      'invalid subinterface vlan name nope, example formatting is eth0.10',
    ],
    [
      'macvlan',
      'one below that is not there',
      {parent: 'nope.10'},
      '-o parent interface was not found on the host: nope',
    ],
    [
      'macvlan',
      'two numbers',
      {parent: 'a.b.10'},
      'required interface name format is: name.vlan_id, ex. eth0.10 for vlan 10, instead received a.b.10',
    ],
    [
      'macvlan',
      'a word for a number',
      {parent: 'PARENT.abc'},
      'unable to parse a valid vlan id from: abc (ex. eth0.10 for vlan 10)',
    ],
    ['macvlan', 'a number too large', {parent: 'PARENT.5000'}, 'vlan id must be between 1-4094, received: 5000'],
    [
      'macvlan',
      'a mode of no kind',
      {parent: 'PARENT', macvlan_mode: 'foo'},
      "requested macvlan mode 'foo' is not valid, 'bridge' mode is the macvlan driver default",
    ],
  ])('of driver %s refuse %s', async (driver, _what, options, message) => {
    const name = target.name('refused');
    const given = Object.fromEntries(
      Object.entries(options).map(([key, value]) => [key, value.replace('PARENT', parent)]),
    );
    await expect(create({Name: name, Driver: driver, Options: given})).rejects.toThrow(message);
    expect(await target.docker.listNetworks({filters: {name: [name]}})).toEqual([]);
  });
});

async function runOn(target: Target, network: string, name: string, HostConfig = {}): Promise<Container> {
  return target.run({name: target.name(name), HostConfig: {NetworkMode: network, ...HostConfig}});
}

async function output(container: Container, Cmd: readonly string[]): Promise<string> {
  const exec = await container.exec({Cmd, AttachStdout: true, AttachStderr: true});
  return textOf((await exec.start()).output);
}
