import {expect, it} from 'vitest';
import type {ContainerCreateBody} from '../../src/api/types/container.ts';
import type {Container} from '../../src/client/container.ts';
import {textOf} from './output.ts';
import {describeTargets} from './targets.ts';

describeTargets('the default network', (target) => {
  it('is there without anybody having made it, and cannot be removed', async () => {
    const networks = await target.docker.listNetworks({filters: {type: ['builtin']}});
    expect(networks.map(({Name, Driver}) => [Name, Driver]).sort()).toEqual([
      ['bridge', 'bridge'],
      ['host', 'host'],
      ['none', 'null'],
    ]);
    const bridge = await target.docker.getNetwork('bridge').inspect();
    expect(bridge).toMatchObject({
      Scope: 'local',
      Internal: false,
      EnableIPv6: false,
      IPAM: {Config: [{Subnet: expect.stringMatching(/^[\d.]+\/16$/), Gateway: expect.stringMatching(/\.0\.1$/)}]},
      Options: {
        'com.docker.network.bridge.default_bridge': 'true',
        'com.docker.network.bridge.enable_icc': 'true',
        'com.docker.network.driver.mtu': '1500',
      },
    });
    expect(await target.docker.getNetwork(bridge.Id).inspect()).toMatchObject({Name: 'bridge', Id: bridge.Id});
    await expect(target.docker.getNetwork('bridge').remove()).rejects.toMatchObject({statusCode: 403});
    await expect(target.docker.createNetwork({Name: 'bridge'})).rejects.toMatchObject({statusCode: 403});
  });

  it('is where containers are that name none', async () => {
    const {IPAM} = await target.docker.getNetwork('bridge').inspect();
    const gateway = IPAM.Config?.[0]?.Gateway;
    for (const NetworkMode of ['', 'default', 'bridge']) {
      const container = await target.run({HostConfig: {NetworkMode}});
      const {HostConfig, NetworkSettings} = await container.inspect();
      expect(HostConfig.NetworkMode).toBe('bridge');
      expect(Object.keys(NetworkSettings.Networks)).toEqual(['bridge']);
      expect(NetworkSettings.Networks['bridge']).toMatchObject({Gateway: gateway, IPPrefixLen: 16, DNSNames: null});
      expect(await run(container, 'ip -4 route')).toContain(`default via ${gateway}`);
      const {Containers} = await target.docker.getNetwork('bridge').inspect();
      expect(Containers[container.id]?.IPv4Address).toBe(`${NetworkSettings.Networks['bridge']?.IPAddress}/16`);
      await container.remove({force: true});
    }
  });

  it('has addresses, but neither names nor aliases', async () => {
    const other = await target.run(named(target.name('unnamed')));
    const container = await target.run(named());
    const address = (await other.inspect()).NetworkSettings.Networks['bridge']?.IPAddress;
    expect(await run(container, `ping -c1 -W20 ${address}`)).toContain('1 packets received');
    // Docker asks servers outside, which are not there in a test.
    const words = `timeout 3 ping -c1 ${target.name('unnamed')} || echo nobody`;
    expect(await run(container, words)).toContain('nobody');
    const refused = {statusCode: 400, message: expect.stringContaining('user defined networks')};
    const create = (settings: object) =>
      target.create({...named(), NetworkingConfig: {EndpointsConfig: {bridge: settings}}});
    await expect(create({Aliases: ['x']})).rejects.toMatchObject(refused);
    await expect(create({IPAMConfig: {IPv4Address: '172.17.0.99'}})).rejects.toMatchObject(refused);
    await expect(target.docker.getNetwork('bridge').connect(container.id, {Aliases: ['x']})).rejects.toThrow();
  });

  it('publishes ports on all addresses', async () => {
    const container = await target.run({
      HostConfig: {NetworkMode: 'bridge', PortBindings: {'80/tcp': [{HostPort: ''}]}},
      ExposedPorts: {'80/tcp': {}},
    });
    const ports = (await container.inspect()).NetworkSettings.Ports['80/tcp'] ?? [];
    expect(ports.map(({HostIp}) => HostIp)).toEqual(['0.0.0.0', '::']);
    // The same port for both families.
    expect(new Set(ports.map(({HostPort}) => HostPort)).size).toBe(1);
  });

  it('links give a container the name, the ports and the variables of another one', async () => {
    const server = await target.run({
      ...named(target.name('server')),
      ExposedPorts: {'80/tcp': {}, '53/udp': {}},
      Env: ['COLOUR=blue', 'HOME=/elsewhere'],
    });
    const name = target.name('client');
    const client = await target.run({
      ...named(name),
      HostConfig: {NetworkMode: 'bridge', Links: [`${target.name('server')}:back-end`]},
    });
    const {IPAddress: address = ''} = (await server.inspect()).NetworkSettings.Networks['bridge'] ?? {};
    expect((await client.inspect()).HostConfig.Links).toEqual([`/${target.name('server')}:/${name}/back-end`]);
    expect(await run(client, 'cat /etc/hosts')).toContain(
      `${address}\tback-end ${server.id.slice(0, 12)} ${target.name('server')}\n`,
    );
    expect(await run(client, 'ping -c1 -W20 back-end')).toContain('1 packets received');
    const variables = (await run(client, 'env')).split('\n').filter((line) => line.startsWith('BACK_END_'));
    expect(variables.sort()).toEqual(
      [
        'BACK_END_ENV_COLOUR=blue',
        `BACK_END_NAME=/${name}/back-end`,
        `BACK_END_PORT=tcp://${address}:80`,
        ...[`53_UDP=udp://${address}:53`, `53_UDP_ADDR=${address}`, '53_UDP_PORT=53', '53_UDP_PROTO=udp'],
        ...[`80_TCP=tcp://${address}:80`, `80_TCP_ADDR=${address}`, '80_TCP_PORT=80', '80_TCP_PROTO=tcp'],
      ]
        .map((line) => (/^\d/.test(line) ? `BACK_END_PORT_${line}` : line))
        .sort(),
    );
    await server.stop({t: 0});
    await client.stop({t: 0});
    await expect(client.start()).rejects.toThrow(
      `Cannot link to a non running container: /${target.name('server')} AS /${name}/back-end`,
    );
  });

  it('links to nobody, and links in networks of others, are refused', async () => {
    await expect(target.create({HostConfig: {NetworkMode: 'bridge', Links: ['nobody-here:x']}})).rejects.toMatchObject({
      statusCode: 400,
      message: 'could not get container for nobody-here: No such container: nobody-here',
    });
    const other = await target.run(named());
    await expect(target.create({HostConfig: {NetworkMode: 'host', Links: [other.id]}})).rejects.toMatchObject({
      statusCode: 400,
      message: expect.stringContaining("can't be used with links"),
    });
  });
});

describeTargets('links in networks', (target) => {
  it('are names for one container alone', async () => {
    const [key = '', value = ''] = target.label.split('=');
    const {id} = await target.docker.createNetwork({Name: target.name('linked'), Labels: {[key]: value}});
    const on = (settings: object, name?: string) => ({
      ...(name === undefined ? {} : {name}),
      HostConfig: {NetworkMode: target.name('linked')},
      NetworkingConfig: {EndpointsConfig: {[target.name('linked')]: settings}},
    });
    const server = await target.run(on({}, target.name('store')));
    const Links = [`${target.name('store')}:db`];
    const client = await target.run(on({Links}));
    const other = await target.run(on({}));
    expect((await client.inspect()).NetworkSettings.Networks[target.name('linked')]?.Links).toEqual(Links);
    const ping = 'ping -c1 -W20 db';
    expect(await run(client, ping)).toContain('1 packets received');
    expect(await run(other, ping)).toMatch(/bad address/);
    // It is the container that is linked, not an address of it.
    await target.docker.getNetwork(id).disconnect(server.id);
    expect(await run(client, ping)).toMatch(/bad address/);
    await target.run(on({}));
    await target.docker.getNetwork(id).connect(server.id);
    expect(await run(client, ping)).toContain('1 packets received');
    // Also of one that is connected while it runs.
    await target.docker.getNetwork(id).disconnect(other.id);
    await target.docker.getNetwork(id).connect(other.id, {Links});
    expect(await run(other, ping)).toContain('1 packets received');
  });
});

function named(name?: string): Partial<ContainerCreateBody> & {readonly name?: string} {
  return {...(name === undefined ? {} : {name}), HostConfig: {NetworkMode: 'bridge'}};
}

async function run(container: Container, line: string): Promise<string> {
  const exec = await container.exec({Cmd: ['sh', '-c', line], AttachStdout: true, AttachStderr: true});
  return textOf((await exec.start()).output);
}
