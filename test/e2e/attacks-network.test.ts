import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {eventually} from '../support/host.ts';
import {inside, mustLoadHostile, mustUp, writeStack} from './attacks/hostile.ts';
import {type AttackHost, attackTargets, closeAttacked} from './attacks/targets.ts';

describe.each(attackTargets)('an engine $engine', (target) => {
  let host: AttackHost;
  const services: AsyncDisposable[] = [];

  /** A service of the machine that answers with a line, on all of its addresses. */
  async function serveOnMachine(port: number, text: string): Promise<void> {
    const program = join(host.directory, `serve-${port}.py`);
    writeFileSync(
      program,
      `
import socket
server = socket.socket(socket.AF_INET6)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(('::', ${port}))
server.listen()
while True:
    connection, _ = server.accept()
    connection.sendall(b'${text}\\n')
    connection.close()
`,
    );
    let stop: (() => void) | undefined;
    const ended = host.command('python3', [program], {
      timeoutMs: 600_000,
      onSpawn: (process) => {
        stop = () => process.kill('SIGKILL');
      },
    });
    services.push({
      async [Symbol.asyncDispose]() {
        stop?.();
        await ended;
      },
    });
    await eventually(async () => {
      expect((await host.command('busybox', ['nc', '-w', '1', '127.0.0.1', String(port)])).stdout).toBe(`${text}\n`);
    });
  }

  beforeAll(async () => {
    host = await target.open();
    await mustLoadHostile(host, 'hostile', () => {});
    writeStack(
      host,
      `name: nets
x-server: &server {image: hostile, init: true, command: [nc, -ll, -p, "80", -e, echo, reached]}
services:
  mine: {<<: *server, networks: {mine: {ipv4_address: 10.98.1.10, aliases: [shared-name]}}}
  neighbour: {<<: *server, networks: {mine: {ipv4_address: 10.98.1.11}}}
  foreign: {<<: *server, networks: {foreign: {ipv4_address: 10.98.2.10, aliases: [shared-name, hidden]}}, ports: ["127.0.0.1:18090:80"]}
  closed: {<<: *server, networks: {closed: {ipv4_address: 10.98.3.10}}}
networks:
  mine: {ipam: {config: [{subnet: 10.98.1.0/24}]}}
  foreign: {ipam: {config: [{subnet: 10.98.2.0/24}]}}
  closed: {internal: true, ipam: {config: [{subnet: 10.98.3.0/24}]}}
`,
    );
    await mustUp(host);
    await serveOnMachine(18091, 'machine');
  });
  afterAll(async () => {
    for (const service of services) await service[Symbol.asyncDispose]();
    await closeAttacked(host);
  });

  const connect = (from: string, address: string, port: number) =>
    inside(host, from, 'sh', '-c', `timeout 2 nc -w 1 ${address} ${port} </dev/null 2>/dev/null; true`);

  const resolve = async (from: string, name: string) =>
    (await inside(host, from, 'nslookup', '-type=a', name, '127.0.0.11')).match(/(?<=Address: )10\.98\.\S+/g) ?? [];

  describe('networks', () => {
    test('reach their own containers', async () => {
      await eventually(async () => expect(await connect('mine', '10.98.1.11', 80)).toBe('reached\n'));
    });

    test.each([
      ['mine', '10.98.2.10'],
      ['foreign', '10.98.1.10'],
      ['mine', '10.98.3.10'],
      ['closed', '10.98.1.10'],
      ['closed', '10.98.2.10'],
    ])('%s does not reach %s of another', async (from, address) => {
      expect(await connect(from, address, 80)).toBe('');
    });

    test('a route set up by hand makes no way either', async () => {
      // NET_ADMIN is not given, so the routes stay as they are.
      expect(await inside(host, 'mine', 'ip', 'route', 'add', '10.98.2.0/24', 'via', '10.98.1.1')).toMatch(
        /not permitted/,
      );
      expect(await connect('mine', '10.98.2.10', 80)).toBe('');
    });

    test('an internal network reaches nothing of the machine, an ordinary one does, as with Docker', async () => {
      // Without root the bridges are not the machine's.
      if (target.rootless) expect(await connect('mine', '10.98.1.1', 18091)).toBe('');
      else await eventually(async () => expect(await connect('mine', '10.98.1.1', 18091)).toBe('machine\n'));
      expect(await connect('closed', '10.98.3.1', 18091)).toBe('');
      expect(await connect('closed', '10.98.1.1', 18091)).toBe('');
    });

    test('what is published on loopback is the machine’s alone', async () => {
      await eventually(async () =>
        expect((await host.command('busybox', ['nc', '-w', '1', '127.0.0.1', '18090'])).stdout).toBe('reached\n'),
      );
      expect(await connect('mine', '10.98.1.1', 18090)).toBe('');
      expect(await connect('mine', '10.98.2.1', 18090)).toBe('');
      expect(await connect('foreign', '10.98.2.1', 18090)).toBe('');
    });
  });

  /** Sources of the datagrams that reach a port of the machine while something is done. */
  async function datagramsDuring(port: number, action: () => Promise<void>): Promise<string> {
    const program = join(host.directory, 'datagrams.py');
    writeFileSync(
      program,
      `
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(('0.0.0.0', ${port}))
server.settimeout(100)
while True:
    data, source = server.recvfrom(100)
    if data == b'end': break
    print(source[0], data.decode().strip('\\0'), flush=True)
`,
    );
    const listening = host.atBridges('python3', [program]);
    await eventually(async () => {
      const {stdout} = await host.atBridges('cat', ['/proc/net/udp']);
      expect(stdout).toContain(`:${port.toString(16).toUpperCase().padStart(4, '0')} `);
    });
    await action();
    const end =
      "import socket, sys; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'end', ('127.0.0.1', int(sys.argv[1])))";
    await host.atBridges('python3', ['-c', end, String(port)]);
    return (await listening).stdout;
  }

  test('false source addresses do not get past the network of the container', async () => {
    const received = await datagramsDuring(18092, async () => {
      for (const source of ['10.98.1.10', '10.98.2.10', '10.98.3.10', '127.0.0.1', '203.0.113.5'])
        expect(await inside(host, 'mine', 'try', 'spoof', source, '10.98.1.1', '18092')).toBe('spoof done\n');
    });
    expect(received).toBe('10.98.1.10 spoofed\n');
  });

  describe('names', () => {
    test('of the own network are answered, of others not', async () => {
      expect(await resolve('mine', 'neighbour')).toEqual(['10.98.1.11']);
      for (const name of [
        'foreign',
        'hidden',
        'nets-foreign-1',
        'foreign.nets_foreign',
        'closed',
        'closed.nets_closed',
      ])
        expect(await resolve('mine', name)).toEqual([]);
      for (const name of ['mine', 'foreign', 'hidden', 'neighbour']) expect(await resolve('closed', name)).toEqual([]);
    });

    test('that two networks share stay apart', async () => {
      expect(await resolve('mine', 'shared-name')).toEqual(['10.98.1.10']);
      expect(await resolve('foreign', 'shared-name')).toEqual(['10.98.2.10']);
    });

    test('of addresses in foreign networks are not told', async () => {
      expect(await inside(host, 'mine', 'nslookup', '10.98.1.11', '127.0.0.11')).toContain('nets-neighbour-1');
      expect(await inside(host, 'mine', 'nslookup', '10.98.2.10', '127.0.0.11')).not.toContain('foreign');
    });

    test('are asked at the own resolver only: it does not listen on the network', async () => {
      expect(
        await inside(host, 'neighbour', 'sh', '-c', 'timeout 3 nslookup neighbour 10.98.1.10 2>&1; true'),
      ).not.toMatch(/10\.98\.1\.11/);
    });
  });
});
