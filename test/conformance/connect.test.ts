import {expect, it} from 'vitest';
import type {EndpointSettings} from '../../src/api/types/container.ts';
import type {NetworkCreateBody} from '../../src/api/types/network.ts';
import type {EngineEvent} from '../../src/api/types/system.ts';
import type {Container} from '../../src/client/container.ts';
import {textOf} from './output.ts';
import {describeTargets, type Target} from './targets.ts';

/** Blocks that no other file of this suite uses: each test takes one of its own. */
let block = 0;
function nextSubnet(): string {
  block += 1;
  return `10.${214 + Math.floor(block / 250)}.${block % 250}.0/24`;
}

describeTargets('connect and disconnect', (target) => {
  it('a running container gets an interface, addresses, names and hosts at once, and loses them', async () => {
    const [first, second] = [await make(target, 'live-a'), await make(target, 'live-b', {ipv6: 'fd00:aa:1::/64'})];
    const peer = await runOn(target, second.name, {Aliases: ['peer']});
    const container = await runOn(target, first.name);
    const settings = {Aliases: ['guest'], IPAMConfig: {IPv4Address: second.address(77)}};
    await second.network.connect(container.id, settings);

    const {[second.name]: endpoint} = await networksOf(container);
    expect(endpoint).toMatchObject({
      NetworkID: second.network.id,
      Gateway: second.address(1),
      IPAddress: second.address(77),
      IPPrefixLen: 24,
      IPv6Gateway: 'fd00:aa:1::1',
      GlobalIPv6Address: expect.stringMatching(/^fd00:aa:1::/),
      Aliases: ['guest'],
      DNSNames: expect.arrayContaining(['guest', container.id.slice(0, 12)]),
      EndpointID: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await run(container, 'ip -4 -o addr')).toMatch(new RegExp(`eth1 +inet ${second.address(77)}/24`));
    const hosts = await run(container, 'cat /etc/hosts');
    for (const address of [endpoint?.IPAddress, endpoint?.GlobalIPv6Address])
      expect(hosts).toContain(`${address}\t${container.id.slice(0, 12)}`);
    expect(await run(container, 'ping -c1 -W20 peer')).toContain('1 packets received');
    expect(await run(peer, 'ping -4 -c1 -W20 guest')).toContain(`(${second.address(77)})`);
    expect((await second.network.inspect()).Containers[container.id]).toMatchObject({
      EndpointID: endpoint?.EndpointID,
      MacAddress: endpoint?.MacAddress,
      IPv4Address: `${second.address(77)}/24`,
    });

    await second.network.disconnect(container.id);
    expect(Object.keys(await networksOf(container))).toEqual([first.name]);
    expect(await run(container, 'ip -4 -o addr')).not.toContain('eth1');
    expect(await run(container, 'cat /etc/hosts')).not.toContain(second.address(77));
    expect(await run(container, 'ping -c1 -W20 peer')).toMatch(/bad address/);
    expect(await run(peer, 'ping -c1 -W20 guest')).toMatch(/bad address/);
    expect((await second.network.inspect()).Containers).not.toHaveProperty(container.id);
  });

  it('what was connected is there after a restart by hand, and what was disconnected is not', async () => {
    const [first, second] = [await make(target, 'again-a'), await make(target, 'again-b')];
    const container = await runOn(target, first.name);
    await second.network.connect(container.id, {IPAMConfig: {IPv4Address: second.address(9)}});
    await first.network.disconnect(container.id);
    expect(await run(container, 'ip -4 route')).toMatch(new RegExp(`default via ${second.address(1)} `));
    await container.restart({t: 0});
    expect(await networksOf(container)).toMatchObject({[second.name]: {IPAddress: second.address(9)}});
    expect(Object.keys(await networksOf(container))).toEqual([second.name]);
    expect(await run(container, 'ip -4 route')).toMatch(new RegExp(`default via ${second.address(1)} `));
  });

  it('and after a restart by its policy', async () => {
    const [first, second] = [await make(target, 'policy-a'), await make(target, 'policy-b')];
    const container = await target.run({
      Cmd: ['sh', '-c', 'trap "exit 1" USR1; sleep 1000 & wait'],
      HostConfig: {NetworkMode: first.name, RestartPolicy: {Name: 'always'}},
    });
    await second.network.connect(container.id, {Aliases: ['again']});
    await first.network.disconnect(container.id);
    await run(container, 'kill -USR1 1');
    await expect.poll(async () => (await container.inspect()).RestartCount).toBe(1);
    await expect.poll(async () => (await container.inspect()).State.Status).toBe('running');
    expect(Object.keys(await networksOf(container))).toEqual([second.name]);
    const peer = await runOn(target, second.name);
    expect(await run(peer, 'ping -c1 -W20 again')).toContain('1 packets received');
  });

  it('the default route goes over to the network of highest priority, and back', async () => {
    const [first, second, third] = [
      await make(target, 'gw-a'),
      await make(target, 'gw-b'),
      await make(target, 'gw-c', {internal: true}),
    ];
    const container = await runOn(target, first.name);
    const route = async () => /default via ([\d.]+)/.exec(await run(container, 'ip -4 route'))?.[1];
    expect(await route()).toBe(first.address(1));
    await second.network.connect(container.id);
    expect(await route()).toBe(first.address(1));
    await second.network.disconnect(container.id);
    await second.network.connect(container.id, {GwPriority: 5});
    expect(await route()).toBe(second.address(1));
    await third.network.connect(container.id, {GwPriority: 9});
    expect(await route()).toBe(second.address(1));
    await second.network.disconnect(container.id);
    expect(await route()).toBe(first.address(1));
    await first.network.disconnect(container.id);
    expect(await route()).toBeUndefined();
  });

  it('a published port stays through all of it', async () => {
    const [first, second] = [await make(target, 'port-a'), await make(target, 'port-b')];
    const container = await target.run({
      HostConfig: {NetworkMode: first.name, PortBindings: {'80/tcp': [{HostIp: '127.0.0.1', HostPort: ''}]}},
      ExposedPorts: {'80/tcp': {}},
    });
    const port = async () => (await container.inspect()).NetworkSettings.Ports['80/tcp'];
    expect(await port()).toHaveLength(1);
    await second.network.connect(container.id, {GwPriority: 1});
    expect(await port()).toMatchObject([{HostIp: '127.0.0.1', HostPort: expect.stringMatching(/^\d+$/)}]);
    await second.network.disconnect(container.id);
    expect(await port()).toMatchObject([{HostIp: '127.0.0.1', HostPort: expect.stringMatching(/^\d+$/)}]);
    await first.network.disconnect(container.id);
    expect((await port()) ?? null).toBeNull();
    await second.network.connect(container.id);
    expect(await port()).toMatchObject([{HostIp: '127.0.0.1'}]);
  });

  it('a container that does not run is connected for its next start', async () => {
    const [first, second] = [await make(target, 'later-a'), await make(target, 'later-b')];
    const container = await target.create({HostConfig: {NetworkMode: first.name}});
    await second.network.connect(container.id, {Aliases: ['later'], IPAMConfig: {IPv4Address: second.address(8)}});
    expect(await networksOf(container)).toMatchObject({
      [first.name]: {IPAddress: ''},
      [second.name]: {Aliases: ['later'], IPAMConfig: {IPv4Address: second.address(8)}, IPAddress: ''},
    });
    // Once more says nothing new.
    await second.network.connect(container.id);
    expect((await second.network.inspect()).Containers).toEqual({});
    await container.start();
    expect(await networksOf(container)).toMatchObject({[second.name]: {IPAddress: second.address(8)}});
    await container.stop({t: 0});
    await second.network.disconnect(container.id);
    await first.network.disconnect(container.id);
    expect(await networksOf(container)).toEqual({});
    await container.start();
    expect(await run(container, 'ip -o link')).not.toContain('eth');
  });

  it('interfaces are named by the first free number, unless a name is asked for', async () => {
    const [first, second, third] = [await make(target, 'if-a'), await make(target, 'if-b'), await make(target, 'if-c')];
    const container = await runOn(target, first.name);
    await second.network.connect(container.id);
    await first.network.disconnect(container.id);
    await third.network.connect(container.id);
    expect(await run(container, 'ip -4 -o addr')).toMatch(new RegExp(`eth0 +inet ${third.address('')}`));
    const named = {DriverOpts: {'com.docker.network.endpoint.ifname': 'wan0'}};
    await first.network.connect(container.id, named);
    expect(await run(container, 'ip -4 -o addr')).toMatch(new RegExp(`wan0 +inet ${first.address('')}`));
    const taken = {DriverOpts: {'com.docker.network.endpoint.ifname': 'eth0'}};
    const other = await make(target, 'if-d');
    await expect(other.network.connect(container.id, taken)).rejects.toThrow(/eth0/);
    expect(await run(container, 'ip -4 -o addr')).not.toContain(other.address(''));
  });

  it('settings of the kernel are those of one interface', async () => {
    const network = await make(target, 'sysctl');
    const container = await runOn(target, network.name);
    const second = await make(target, 'sysctl-b');
    const sysctls = (value: string) => ({DriverOpts: {'com.docker.network.endpoint.sysctls': value}});
    await second.network.connect(
      container.id,
      sysctls('net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.conf.IFNAME.accept_redirects=0'),
    );
    const read = (name: string) => run(container, `cat /proc/sys/net/ipv4/conf/${name}`);
    expect((await read('eth1/log_martians')).trim()).toBe('1');
    expect((await read('eth1/accept_redirects')).trim()).toBe('0');
    expect((await read('eth0/log_martians')).trim()).toBe('0');
    for (const bad of ['net.ipv4.conf.eth0.log_martians=1', 'net.ipv4.ip_forward=1', 'kernel.shmmax=1'])
      await expect(target.create(on(network.name, sysctls(bad)))).rejects.toMatchObject({statusCode: 400});
  });

  it('is refused where it cannot be, in words that say why', async () => {
    const network = await make(target, 'bad');
    const other = await make(target, 'bad-b');
    const container = await runOn(target, network.name);
    await expect(network.network.connect(container.id)).rejects.toMatchObject({
      statusCode: 403,
      message: expect.stringMatching(/^endpoint with name .* already exists in network/),
    });
    await expect(network.network.connect('nobody-here')).rejects.toMatchObject({
      statusCode: 404,
      message: 'No such container: nobody-here',
    });
    await expect(target.docker.getNetwork('nowhere').connect(container.id)).rejects.toMatchObject({
      statusCode: 404,
      message: 'network nowhere not found',
    });
    await expect(target.docker.getNetwork('nowhere').disconnect(container.id)).rejects.toMatchObject({statusCode: 404});
    await expect(target.docker.getNetwork('host').connect(container.id)).rejects.toMatchObject({
      statusCode: 400,
      message: 'cannot connect container to host network - container must be created in host network mode',
    });
    await expect(target.docker.getNetwork('none').connect(container.id)).rejects.toMatchObject({
      statusCode: 400,
      message: 'container cannot be connected to multiple networks with one of the networks in private (none) mode',
    });
    await expect(other.network.connect(container.id, {IPAMConfig: {IPv4Address: '10.1.2.3'}})).rejects.toMatchObject({
      statusCode: 400,
      message: expect.stringContaining('no configured subnet'),
    });
    await expect(other.network.disconnect(container.id)).rejects.toThrow(
      `container ${container.id} is not connected to network ${other.name}`,
    );
    await expect(other.network.disconnect(container.id, {force: true})).rejects.toThrow('is not connected to');
    await expect(other.network.disconnect('nobody-here')).rejects.toMatchObject({statusCode: 404});
    await expect(other.network.disconnect('nobody-here', {force: true})).rejects.toMatchObject({
      statusCode: 404,
      message: 'endpoint nobody-here not found',
    });
    expect(Object.keys(await networksOf(container))).toEqual([network.name]);
  });

  it('an address that another container has is refused', async () => {
    const [first, second] = [await make(target, 'taken-a'), await make(target, 'taken-b')];
    const settings = {IPAMConfig: {IPv4Address: second.address(50)}};
    await runOn(target, second.name, settings);
    const container = await runOn(target, first.name);
    await expect(second.network.connect(container.id, settings)).rejects.toThrow(/in use/);
    expect(await run(container, 'ip -o link')).not.toContain('eth1');
  });

  it('containers in a network of others stay where they are', async () => {
    const network = await make(target, 'modes');
    const owner = await runOn(target, network.name);
    const words =
      'container sharing network namespace with another container or host cannot be connected to any other network';
    for (const NetworkMode of ['host', `container:${owner.id}`]) {
      const container = await target.run({HostConfig: {NetworkMode}});
      await expect(network.network.connect(container.id)).rejects.toMatchObject({statusCode: 400, message: words});
    }
  });

  it('a container without networks joins one after it has left "none"', async () => {
    const network = await make(target, 'alone');
    const container = await target.run({HostConfig: {NetworkMode: 'none'}});
    await expect(network.network.connect(container.id)).rejects.toMatchObject({statusCode: 400});
    await target.docker.getNetwork('none').disconnect(container.id);
    expect(await networksOf(container)).toEqual({});
    await network.network.connect(container.id, {Aliases: ['joined']});
    const peer = await runOn(target, network.name, {Aliases: ['peer']});
    expect(await run(container, 'ping -c1 -W20 peer')).toContain('1 packets received');
    expect(await run(peer, 'ping -c1 -W20 joined')).toContain('1 packets received');
    expect(await run(container, 'cat /etc/resolv.conf')).toContain('nameserver 127.0.0.11');
    await container.restart({t: 0});
    expect(Object.keys(await networksOf(container))).toEqual([network.name]);
    expect(await run(container, 'ping -c1 -W20 peer')).toContain('1 packets received');
  });

  it('every change is an event of the network', async () => {
    const [first, second] = [await make(target, 'events-a'), await make(target, 'events-b')];
    const since = Date.now() / 1000 - 1;
    const container = await target.create({HostConfig: {NetworkMode: first.name}});
    await container.start();
    await second.network.connect(container.id);
    await second.network.disconnect(container.id);
    await container.stop({t: 0});
    // Of one that does not run nobody is told.
    await second.network.connect(container.id);
    await second.network.disconnect(container.id);
    const seen: EngineEvent[] = [];
    const filters = {type: ['network'], network: [first.network.id, second.network.id]};
    await expect
      .poll(async () => {
        seen.length = 0;
        const events = await target.docker.getEvents({since, until: Date.now() / 1000 + 0.001, filters});
        for await (const event of events) if (event.Action !== 'create') seen.push(event);
        return seen.map(({Action, Actor}) => `${Action} ${Actor.Attributes['name'] === first.name ? 'a' : 'b'}`);
      })
      .toEqual(['connect a', 'connect b', 'disconnect b', 'disconnect a']);
    for (const {Actor} of seen) {
      expect(Actor.Attributes).toEqual({container: container.id, name: expect.any(String), type: 'bridge'});
    }
  });
});

interface MadeNetwork {
  readonly name: string;
  readonly network: Awaited<ReturnType<Target['docker']['createNetwork']>>;
  /** An address of its subnet by its last number. */
  address(last: number | string): string;
}

async function make(
  target: Target,
  suffix: string,
  {ipv6, internal = false}: {readonly ipv6?: string; readonly internal?: boolean} = {},
): Promise<MadeNetwork> {
  const [key = '', value = ''] = target.label.split('=');
  const subnet = nextSubnet();
  const body: NetworkCreateBody = {
    Name: target.name(suffix),
    Internal: internal,
    Labels: {[key]: value},
    EnableIPv6: ipv6 !== undefined,
    IPAM: {Config: [{Subnet: subnet}, ...(ipv6 === undefined ? [] : [{Subnet: ipv6}])]},
  };
  const network = await target.docker.createNetwork(body);
  return {name: body.Name, network, address: (last) => subnet.replace('0/24', String(last))};
}

function on(network: string, settings: EndpointSettings) {
  return {HostConfig: {NetworkMode: network}, NetworkingConfig: {EndpointsConfig: {[network]: settings}}};
}

function runOn(target: Target, network: string, settings: EndpointSettings = {}): Promise<Container> {
  return target.run(on(network, settings));
}

async function networksOf(container: Container): Promise<Readonly<Record<string, EndpointSettings>>> {
  return (await container.inspect()).NetworkSettings.Networks;
}

async function run(container: Container, line: string): Promise<string> {
  const exec = await container.exec({Cmd: ['sh', '-c', line], AttachStdout: true, AttachStderr: true});
  return textOf((await exec.start()).output);
}
