import {expect, it} from 'vitest';
import type {NetworkCreateBody} from '../../src/api/types/network.ts';
import {textOf} from './output.ts';
import {describeTargets, type Target} from './targets.ts';

describeTargets('networks', (target) => {
  it('are created, found and removed', async () => {
    const name = target.name('plain');
    const network = await make(target, {Name: name, Labels: {tier: 'web'}});
    expect(network.id).toMatch(/^[0-9a-f]{64}$/);
    for (const reference of [network.id, network.id.slice(0, 12), name]) {
      const found = await target.docker.getNetwork(reference).inspect();
      expect(found).toMatchObject({
        Id: network.id,
        Name: name,
        Driver: 'bridge',
        Scope: 'local',
        Internal: false,
        EnableIPv6: false,
        Containers: {},
        IPAM: {
          Driver: 'default',
          Config: [{Subnet: expect.stringMatching(/^[\d.]+\/\d+$/), Gateway: expect.stringMatching(/^[\d.]+/)}],
        },
      });
      expect(found.Labels).toMatchObject({tier: 'web'});
    }
    const found = async (filters: Readonly<Record<string, readonly string[]>>) =>
      (
        await target.docker.listNetworks({filters: {...filters, label: [target.label, ...(filters['label'] ?? [])]}})
      ).map(({Id}) => Id);
    expect(await found({name: [name]})).toEqual([network.id]);
    expect(await found({name: [name.slice(0, -2)]})).toEqual([network.id]);
    expect(await found({id: [network.id.slice(0, 12)]})).toEqual([network.id]);
    expect(await found({label: ['tier=web']})).toEqual([network.id]);
    expect(await found({label: ['tier=data']})).toEqual([]);
    expect(await found({driver: ['bridge'], name: [name]})).toEqual([network.id]);
    await network.remove();
    await expect(network.inspect()).rejects.toMatchObject({kind: 'notFound'});
    await expect(network.remove()).rejects.toMatchObject({kind: 'notFound'});
  });

  it('have a name that no other has', async () => {
    const name = target.name('taken');
    await make(target, {Name: name});
    await expect(make(target, {Name: name})).rejects.toMatchObject({kind: 'conflict'});
  });

  it('have the addresses that they state', async () => {
    const network = await make(target, {
      Name: target.name('pool'),
      IPAM: {Config: [{Subnet: '10.213.7.0/24', Gateway: '10.213.7.9', IPRange: '10.213.7.128/25'}]},
    });
    expect((await network.inspect()).IPAM.Config).toMatchObject([
      {Subnet: '10.213.7.0/24', Gateway: '10.213.7.9', IPRange: '10.213.7.128/25'},
    ]);
    const {container, endpoint} = await join(target, network.id, {});
    expect(endpoint).toMatchObject({
      Gateway: '10.213.7.9',
      IPPrefixLen: 24,
      IPAddress: expect.stringMatching(/^10\.213\.7\.(12[89]|1[3-9]\d|2\d\d)$/),
    });
    const fixed = await join(target, network.id, {IPAMConfig: {IPv4Address: '10.213.7.200'}});
    expect(fixed.endpoint.IPAddress).toBe('10.213.7.200');
    await expect(
      make(target, {Name: target.name('overlap'), IPAM: {Config: [{Subnet: '10.213.7.0/25'}]}}),
    ).rejects.toMatchObject({
      statusCode: expect.any(Number),
    });
    const {Containers} = await network.inspect();
    expect(Containers[container.id]).toMatchObject({
      IPv4Address: `${endpoint.IPAddress}/24`,
      MacAddress: endpoint.MacAddress,
    });
    const run = await container.exec({Cmd: ['ip', '-4', 'route'], AttachStdout: true});
    const routes = await textOf((await run.start()).output);
    expect(routes).toContain('default via 10.213.7.9');
  });

  it('know their containers by name and alias', async () => {
    const network = await make(target, {Name: target.name('names')});
    const server = await join(target, network.id, {Aliases: ['web', 'api']}, target.name('server'));
    const client = await join(target, network.id, {});
    const lookUp = async (name: string) => {
      const exec = await client.container.exec({
        Cmd: ['ping', '-c', '1', '-W', '20', name],
        AttachStdout: true,
        AttachStderr: true,
      });
      return textOf((await exec.start()).output);
    };
    const id = server.container.id.slice(0, 12);
    for (const name of ['web', 'api', target.name('server'), id]) {
      expect(await lookUp(name)).toContain(`PING ${name} (${server.endpoint.IPAddress})`);
      expect(await lookUp(name)).toContain('1 packets received');
    }
    expect(await lookUp('nobody')).toMatch(/bad address/);
  });

  it('without an address of the outside have no way there', async () => {
    const network = await make(target, {Name: target.name('inside'), Internal: true});
    expect((await network.inspect()).Internal).toBe(true);
    const {container} = await join(target, network.id, {});
    const exec = await container.exec({Cmd: ['ip', '-4', 'route'], AttachStdout: true});
    expect(await textOf((await exec.start()).output)).not.toContain('default');
  });

  it('are not removed while containers are on them', async () => {
    const network = await make(target, {Name: target.name('used')});
    const {container} = await join(target, network.id, {});
    // An engine may call it a conflict, or forbid it.
    await expect(network.remove()).rejects.toMatchObject({kind: expect.stringMatching(/conflict|forbidden/)});
    await container.remove({force: true});
    await network.remove();
  });

  it('that are not there stop a container from starting', async () => {
    const start = async () => (await target.create({HostConfig: {NetworkMode: target.name('nowhere')}})).start();
    await expect(start()).rejects.toMatchObject({kind: 'notFound'});
  });

  it('publish ports of their containers', async () => {
    const network = await make(target, {Name: target.name('ports')});
    const container = await target.run({
      ExposedPorts: {'80/tcp': {}, '53/udp': {}},
      HostConfig: {
        NetworkMode: network.id,
        PortBindings: {'80/tcp': [{HostIp: '127.0.0.1', HostPort: ''}]},
      },
    });
    const {Ports} = (await container.inspect()).NetworkSettings;
    expect(Ports['80/tcp']).toMatchObject([{HostIp: '127.0.0.1', HostPort: expect.stringMatching(/^\d+$/)}]);
    expect(Ports['53/udp']).toBeNull();
    const [summary] = await target.docker.listContainers({filters: {id: [container.id]}});
    const port = Number(Ports['80/tcp']?.[0]?.HostPort);
    expect(summary?.Ports).toContainEqual({IP: '127.0.0.1', PrivatePort: 80, PublicPort: port, Type: 'tcp'});
    expect(summary?.Ports).toContainEqual({PrivatePort: 53, Type: 'udp'});
  });

  it('none and host need no network', async () => {
    const none = await target.run({Cmd: ['ip', '-o', 'link'], HostConfig: {NetworkMode: 'none'}});
    await none.wait();
    expect((await textOf(await none.logs())).trim().split('\n')).toEqual([expect.stringContaining(': lo:')]);
    const host = await target.run({HostConfig: {NetworkMode: 'host'}});
    expect((await host.inspect()).HostConfig.NetworkMode).toBe('host');
  });
});

function make(target: Target, body: NetworkCreateBody) {
  const [key = '', value = ''] = target.label.split('=');
  return target.docker.createNetwork({...body, Labels: {...body.Labels, [key]: value}});
}

/** A running container on a network, and its end of it. */
async function join(target: Target, network: string, settings: Parameters<typeof endpoints>[1], name?: string) {
  const container = await target.run({
    ...(name === undefined ? {} : {name}),
    HostConfig: {NetworkMode: network},
    NetworkingConfig: {EndpointsConfig: endpoints(network, settings)},
  });
  const [endpoint] = Object.values((await container.inspect()).NetworkSettings.Networks);
  if (endpoint === undefined) throw new Error('the container is on no network');
  return {container, endpoint};
}

function endpoints(
  network: string,
  settings: {readonly Aliases?: readonly string[]; readonly IPAMConfig?: {readonly IPv4Address: string}},
) {
  return {[network]: settings};
}
