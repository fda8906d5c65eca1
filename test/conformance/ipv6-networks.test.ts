import {expect, it} from 'vitest';
import type {EndpointSettings, HostConfig} from '../../src/api/types/container.ts';
import type {NetworkCreateBody} from '../../src/api/types/network.ts';
import type {Container} from '../../src/client/container.ts';
import {textOf} from './output.ts';
import {describeTargets, type Target} from './targets.ts';

describeTargets('networks of IPv6', (target) => {
  const create = (body: NetworkCreateBody) => {
    const [key = '', value = ''] = target.label.split('=');
    return target.docker.createNetwork({...body, Labels: {[key]: value}});
  };

  it('alone give IPv6 addresses alone, chosen or asked for', async () => {
    const network = await create({
      Name: target.name('six'),
      EnableIPv4: false,
      EnableIPv6: true,
      IPAM: {Config: [{Subnet: 'fd71:1::/64'}]},
    });
    expect(await network.inspect()).toMatchObject({EnableIPv4: false, EnableIPv6: true});
    const web = await runOn(target, network.id, {}, {PortBindings: {'80/tcp': [{HostIp: '::1', HostPort: ''}]}});
    expect(await endpointOf(web)).toMatchObject({
      IPAddress: '',
      IPPrefixLen: 0,
      Gateway: '',
      GlobalIPv6Address: 'fd71:1::2',
      GlobalIPv6PrefixLen: 64,
      IPv6Gateway: 'fd71:1::1',
    });
    expect((await web.inspect()).NetworkSettings.Ports['80/tcp']).toMatchObject([
      {HostIp: '::1', HostPort: expect.stringMatching(/^\d+$/)},
    ]);
    const fixed = await runOn(target, network.id, {IPAMConfig: {IPv6Address: 'fd71:1::99'}, Aliases: ['fixed']});
    expect(await endpointOf(fixed)).toMatchObject({GlobalIPv6Address: 'fd71:1::99'});
    expect(await output(web, ['ip', '-6', 'route'])).toContain('default via fd71:1::1 dev eth0');
    expect(await output(web, ['ip', '-4', 'addr', 'show', 'eth0'])).not.toContain('inet ');
    expect(await output(web, ['ping', '-c', '1', '-W', '20', 'fixed'])).toContain('PING fixed (fd71:1::99)');
  });

  it('beside IPv4 give both, and names answer each family', async () => {
    const network = await create({
      Name: target.name('both'),
      EnableIPv6: true,
      IPAM: {Config: [{Subnet: '10.214.3.0/24'}, {Subnet: 'fd71:2::/64', Gateway: 'fd71:2::9'}]},
    });
    const web = await runOn(target, network.id, {Aliases: ['web']});
    expect(await endpointOf(web)).toMatchObject({
      IPAddress: '10.214.3.2',
      Gateway: '10.214.3.1',
      GlobalIPv6Address: 'fd71:2::1',
      IPv6Gateway: 'fd71:2::9',
    });
    const asked = async (type: string) => await output(web, ['nslookup', `-type=${type}`, 'web', '127.0.0.11']);
    expect(await asked('a')).toContain('Address: 10.214.3.2');
    expect(await asked('a')).not.toContain('fd71');
    expect(await asked('aaaa')).toContain('Address: fd71:2::1');
    expect(await asked('aaaa')).not.toContain('10.214');
    const {Containers} = await network.inspect();
    expect(Containers[web.id]).toMatchObject({IPv4Address: '10.214.3.2/24', IPv6Address: 'fd71:2::1/64'});
  });

  it('that are switched off leave names without an address of theirs, which is no error', async () => {
    const network = await create({Name: target.name('four')});
    const web = await runOn(target, network.id, {Aliases: ['web']});
    const asked = await output(web, ['nslookup', '-type=aaaa', 'web', '127.0.0.11']);
    expect(asked).not.toMatch(/can't find|NXDOMAIN|SERVFAIL/);
    expect(asked).not.toMatch(/Address: [0-9a-f]+:/);
  });

  it('need a family, and an address that is of them', async () => {
    await expect(create({Name: target.name('none'), EnableIPv4: false})).rejects.toThrow(
      'IPv4 or IPv6 must be enabled',
    );
    const network = await create({
      Name: target.name('wrong'),
      EnableIPv6: true,
      IPAM: {Config: [{Subnet: 'fd71:3::/64'}]},
    });
    const start = async (IPv6Address: string) => {
      await runOn(target, network.id, {IPAMConfig: {IPv6Address}});
    };
    await expect(start('fd71:4::1')).rejects.toThrow(
      /no configured subnet (or ip-range )?contain(s)? the IP address fd71:4::1/,
    );
  });

  it.each([
    ['isolated', "gateway mode 'isolated' can only be used for an internal network"],
    ['bogus', 'failed to parse com.docker.network.bridge.gateway_mode_ipv6 value: bogus (unknown gateway mode bogus)'],
  ])('refuse gateway mode %s', async (mode, message) => {
    const Options = {'com.docker.network.bridge.gateway_mode_ipv6': mode};
    await expect(create({Name: target.name('mode'), EnableIPv6: true, Options})).rejects.toThrow(message);
  });
});

async function runOn(
  target: Target,
  network: string,
  settings: EndpointSettings,
  host: HostConfig = {},
): Promise<Container> {
  return target.run({
    ExposedPorts: Object.fromEntries(Object.keys(host.PortBindings ?? {}).map((port) => [port, {}])),
    HostConfig: {NetworkMode: network, ...host},
    NetworkingConfig: {EndpointsConfig: {[network]: settings}},
  });
}

async function endpointOf(container: Container): Promise<EndpointSettings | undefined> {
  return Object.values((await container.inspect()).NetworkSettings.Networks)[0];
}

async function output(container: Container, Cmd: readonly string[]): Promise<string> {
  const exec = await container.exec({Cmd, AttachStdout: true, AttachStderr: true});
  return textOf((await exec.start()).output);
}
