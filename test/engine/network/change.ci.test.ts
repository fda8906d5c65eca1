import {spawn} from 'node:child_process';
import {randomInt} from 'node:crypto';
import {once} from 'node:events';
import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {build} from 'esbuild';
import {afterAll, beforeAll, expect, test} from 'vitest';
import type {ContainerCreateBody} from '../../../src/api/types/container.ts';
import {locateHelper} from '../../../src/engine/helper/locate.ts';
import {createLayout, type Layout} from '../../../src/engine/layout.ts';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {taggedArchive} from '../../conformance/image.ts';
import {textOf} from '../../conformance/output.ts';
import {eventually} from '../../support/host.ts';

let bed: TestEngine;
let layout: Layout;
beforeAll(async () => {
  bed = await openTestEngine({encode: false});
  layout = createLayout({root: bed.host.root, run: bed.host.run});
  await bed.docker.followProgress(await bed.docker.loadImage(taggedArchive('busybox')));
});
afterAll(async () => {
  for (const {Id} of await bed.docker.listContainers({all: true}))
    await bed.docker.getContainer(Id).remove({force: true});
  for (const {Id, Name} of await bed.docker.listNetworks())
    if (!['bridge', 'host', 'none'].includes(Name)) await bed.docker.getNetwork(Id).remove();
  await bed.close();
});

async function start(network: string, body: ContainerCreateBody = {}): Promise<string> {
  const Cmd = ['sh', '-c', 'trap "exit 0" TERM; sleep 1000 & wait'];
  const HostConfig = {NetworkMode: network, ...body.HostConfig};
  const container = await bed.docker.createContainer({Image: 'busybox', Cmd, ...body, HostConfig});
  await container.start();
  return container.id;
}

async function run(container: string, line: string): Promise<string> {
  const exec = await bed.docker.getContainer(container).exec({Cmd: ['sh', '-c', line], AttachStdout: true});
  return textOf((await exec.start()).output);
}

/** Everything about a container's networks that others see: record, leases, names, interfaces, hosts. */
async function everything(container: string): Promise<unknown> {
  const {NetworkSettings} = await bed.docker.getContainer(container).inspect();
  const leases = readdirSync(layout.networks).flatMap((id) => {
    const {names, endpoints} = layout.network(id);
    return [names, endpoints].flatMap((directory) =>
      existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : [],
    );
  });
  return {
    NetworkSettings,
    record: readFileSync(layout.container(container).config, 'utf8'),
    left: readdirSync(layout.container(container).directory).filter((name) => name.startsWith('.tmp-')),
    leases: leases.map((path) => [path, readFileSync(path, 'utf8')]),
    inside: await run(container, 'ip -o addr; ip route; ip -6 route; cat /etc/hosts /etc/resolv.conf'),
    machine: (await bed.host.command('ip', ['-o', 'link'])).stdout.split('\n').map((line) => line.split(':')[1]),
    rules: (await bed.host.command('nft', ['list', 'ruleset'])).stdout,
  };
}

test('what fails at any step leaves everything as it was', async () => {
  const create = (Name: string, Subnet: string, address: string) =>
    bed.engine.networks.create({
      Name,
      Options: {'com.docker.network.bridge.host_binding_ipv4': address},
      IPAM: {Config: [{Subnet}]},
    });
  await create('whole', '10.55.1.0/24', '127.0.0.8');
  await create('bound', '10.55.2.0/24', '127.0.0.9');
  const PortBindings = {'80/tcp': [{HostPort: '18055'}]};
  const container = await start('whole', {HostConfig: {PortBindings}});
  const other = await start('bound', {});
  const before = await everything(container);
  const connect = (EndpointConfig: object) =>
    bed.engine.networks.connect('bound', {Container: container, EndpointConfig});

  // Decided before anything is made.
  const address = (await bed.docker.getContainer(other).inspect()).NetworkSettings.Networks['bound']?.IPAddress;
  await expect(connect({IPAMConfig: {IPv4Address: address}})).rejects.toMatchObject({kind: 'conflict'});
  expect(await everything(container)).toEqual(before);
  // A published address that another process has: the first thing that the monitor does.
  const holder = spawn('nsenter', [
    `--net=/run/netns/${bed.host.namespace}`,
    ...['--', 'python3', join(import.meta.dirname, 'support/serve.py'), 'text', '127.0.0.9', '18055', 'taken'],
  ]);
  await once(holder.stdout, 'data');
  await expect(connect({GwPriority: 5})).rejects.toMatchObject({
    kind: 'conflict',
    message: expect.stringContaining('cannot publish 127.0.0.9:18055/tcp: port is already allocated by'),
  });
  expect(await everything(container)).toEqual(before);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  // A setting that the kernel refuses, when the interface is there and the route has moved.
  const sysctls = {'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.forwarding=none'};
  await expect(connect({GwPriority: 5, DriverOpts: sysctls})).rejects.toThrow(/sysctl .*forwarding/);
  expect(await everything(container)).toEqual(before);

  await connect({GwPriority: 5});
  expect((await bed.docker.getContainer(container).inspect()).NetworkSettings.Ports['80/tcp']).toEqual([
    {HostIp: '127.0.0.9', HostPort: '18055'},
  ]);
  await bed.engine.networks.disconnect('bound', {Container: container});
  expect((await bed.docker.getContainer(container).inspect()).NetworkSettings.Ports['80/tcp']).toEqual([
    {HostIp: '127.0.0.8', HostPort: '18055'},
  ]);
});

test('connections through a published port outlive a change of networks', async () => {
  await bed.engine.networks.create({Name: 'kept'});
  await bed.engine.networks.create({Name: 'second'});
  const container = await start('kept', {
    Cmd: ['sh', '-c', 'while :; do nc -l -p 80 -e cat; done'],
    HostConfig: {PortBindings: {'80/tcp': [{HostIp: '127.0.0.1', HostPort: '18056'}]}},
  });
  await eventually(async () => expect(await run(container, 'netstat -ltn')).toContain(':80'));
  const open = () =>
    spawn('nsenter', [`--net=/run/netns/${bed.host.namespace}`, '--', 'busybox', 'nc', '127.0.0.1', '18056']);
  const client = open();
  const say = async (to: typeof client, text: string) => {
    to.stdin.write(text);
    const [answer] = await once(to.stdout, 'data');
    return String(answer);
  };
  expect(await say(client, 'one')).toBe('one');
  await bed.engine.networks.connect('second', {Container: container});
  expect(await say(client, 'two')).toBe('two');
  await bed.engine.networks.disconnect('second', {Container: container});
  expect(await say(client, 'three')).toBe('three');
  client.kill('SIGKILL');
  await once(client, 'exit');
  // The container's server takes the next one when it has noticed.
  await eventually(async () => expect(await run(container, 'netstat -ltn')).toContain(':80'));
  const later = open();
  expect(await say(later, 'four')).toBe('four');
  later.kill('SIGKILL');
  await once(later, 'exit');
});

test("a place that nobody completed is nobody's", async () => {
  const {Id} = await bed.engine.networks.create({Name: 'half', IPAM: {Config: [{Subnet: '10.55.3.0/24'}]}});
  await bed.engine.networks.create({Name: 'apart'});
  const container = await start('apart');
  const {endpoints, names} = layout.network(Id);
  for (const directory of [endpoints, names]) mkdirSync(directory, {recursive: true});
  const lease = {
    ...{v: 1, container, name: 'x', endpoint: 'e', interface: 'eth1', mac: '02:42:0a:37:03:02'},
    ...{addresses: ['10.55.3.2'], names: ['x'], ports: [], joining: true},
  };
  writeFileSync(join(endpoints, container), JSON.stringify(lease));
  writeFileSync(join(endpoints, `.tmp-${container}`), JSON.stringify({...lease, joining: undefined}));
  writeFileSync(join(names, `.tmp-${container}`), '10.55.3.2 | x\n');
  expect((await bed.engine.networks.inspect('half')).Containers).toEqual({});
  // Whoever wants the address has it.
  const taker = await start('half');
  expect((await bed.engine.networks.inspect('half')).Containers).toMatchObject({
    [taker]: {IPv4Address: expect.stringMatching(/^10\.55\.3\./)},
  });
  writeFileSync(join(endpoints, container), JSON.stringify({...lease, addresses: ['10.55.3.99']}));
  const other = await bed.another();
  await other.networks.create({Name: 'sweeps'});
  expect(readdirSync(endpoints)).toEqual([taker]);
  expect(readdirSync(names)).toEqual([taker]);
});

test('a command that is killed at any moment leaves the container on a network wholly or not at all', async () => {
  await bed.engine.networks.create({Name: 'base', IPAM: {Config: [{Subnet: '10.55.4.0/24'}]}});
  await bed.engine.networks.create({Name: 'killed', IPAM: {Config: [{Subnet: '10.55.5.0/24'}]}});
  const container = await start('base', {HostConfig: {PortBindings: {'80/tcp': [{HostPort: '18057'}]}}});
  const program = join(bed.host.directory, 'reconnect.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'reconnect.ts')],
    ...{outfile: program, bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error'},
    banner: {js: "import {createRequire} from 'node:module'; const require = createRequire(import.meta.url);"},
  });
  const {root, run: runDirectory, cgroupParent, namespace} = bed.host;
  const helper = await locateHelper(process.env['TSCOMPOSE_HELPER']);
  for (let round = 0; round < 12; round += 1) {
    const words = [process.execPath, program, root, runDirectory, cgroupParent, container, 'killed'];
    const child = spawn('nsenter', [`--net=/run/netns/${namespace}`, '--', ...words], {
      env: {...process.env, TSCOMPOSE_HELPER: helper},
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    expect(String((await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]))[0])).toBe('ready\n');
    const afterMs = randomInt(250);
    await delay(afterMs);
    child.kill('SIGKILL');
    await once(child, 'exit');
    // The next command that changes anything puts it right.
    const next = await bed.another();
    await next.networks.remove((await next.networks.create({Name: `round-${round}`})).Id);
    await expectConsistent(container, `killed ${afterMs} ms after it was ready`);
  }
});

/** Record, leases, names, interfaces, route, hosts and published port all say the same. */
async function expectConsistent(container: string, when: string): Promise<void> {
  const {NetworkSettings} = await bed.docker.getContainer(container).inspect();
  const isThere = 'killed' in NetworkSettings.Networks;
  const {Id, Containers} = await bed.engine.networks.inspect('killed');
  const {endpoints, names} = layout.network(Id);
  const list = (directory: string) => (existsSync(directory) ? readdirSync(directory) : []);
  const inside = await run(container, 'ip -4 -o addr; ip -4 route; cat /etc/hosts');
  const address = NetworkSettings.Networks['killed']?.IPAddress || '10.55.5.';
  expect(
    {
      inspected: container in Containers,
      leases: list(endpoints),
      names: list(names),
      interface: inside.includes(`inet ${address}`),
      route: inside.includes('default via 10.55.5.1'),
      hosts: inside.includes(`${address}\t`),
      port: NetworkSettings.Ports['80/tcp']?.[0]?.HostPort,
      rule: (
        await bed.host.command('nft', ['list', 'map', 'inet', `tscompose_${layout.rootHash}`, 'any4'])
      ).stdout.includes(isThere ? ` : ${address}` : ' : 10.55.4.'),
    },
    when,
  ).toEqual({
    inspected: isThere,
    leases: isThere ? [container] : [],
    names: isThere ? [container] : [],
    interface: isThere,
    route: isThere,
    hosts: isThere,
    port: '18057',
    rule: true,
  });
}
