import {readdirSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {eventually} from '../support/host.ts';
import {makeUserHost, type UserHost} from '../support/user-host.ts';
import type {UserPackage} from '../support/user-packages.ts';
import {inside, mustUp, writeStack} from './attacks/hostile.ts';
import {closeAttacked} from './attacks/targets.ts';

/** An address of the machine that is not its loopback: whoever reaches the outside reaches it. */
const open = '198.51.100.7';

/**
 * Servers on the machine: one at the open address; on each loopback address one that must not be reached, and a name server.
 */
const servers = `
const net = require('node:net');
const {createSocket} = require('node:dgram');
const serve = (host, text) => net.createServer((socket) => socket.on('error', () => {}).end(text)).listen(18095, host);
serve('${open}', 'open\\n');
for (const host of ['127.0.0.1', '127.0.0.53', '::1']) serve(host, 'loopback\\n');
const names = createSocket('udp4');
names.on('message', (question, from) => {
  const end = question.indexOf(0, 12) + 5;
  const head = Buffer.from([question[0], question[1], 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 9]);
  names.send(Buffer.concat([head, question.subarray(12, end), answer]), from.port, from.address);
});
names.bind(53, '127.0.0.53');
`;

/** Where programs that lead outside, and runtimes that use them, have been known to put the machine's loopback. */
const suspects = [
  '127.0.0.1 127.0.0.2 127.0.0.53 0.0.0.0 ::1 ::ffff:127.0.0.1',
  '10.0.2.2 10.0.2.3 10.0.2.15 10.0.2.255 192.0.2.1 192.0.2.254 192.0.2.255',
  '169.254.1.1 169.254.1.2 fd00::2 fd00::3 100.64.0.1',
]
  .join(' ')
  .split(' ');

async function asRoot(host: UserHost, ...lines: readonly string[]): Promise<string> {
  const {code, stdout, stderr} = await host.asRoot('sh', ['-ec', lines.join('\n')]);
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  return stdout;
}

const asleep = 'image: busybox, init: true, command: sleep 600';

let host: UserHost;
const processes: number[] = [];

async function openUser(packages: readonly UserPackage[]): Promise<void> {
  host = await makeUserHost(packages);
  writeStack(host, `name: hostile\nservices: {a: {${asleep}}}\n`);
  await host.loadImages(['busybox']);
}

afterEach(async () => {
  for (const pid of processes.splice(0)) process.kill(pid, 'SIGKILL');
  await closeAttacked(host);
});

test.each(['pasta', 'slirp4netns'] as const)(
  'through %s, containers reach the outside and not what the machine has on its loopback',
  async (program) => {
    await openUser(['ids', program]);
    await asRoot(
      host,
      'ip link add out type veth peer name far',
      'ip link set far up',
      `ip addr add 192.0.2.1/24 dev out`,
      'ip link set out up',
      'ip route add default via 192.0.2.254',
      `ip addr add ${open}/32 dev lo`,
      'echo nameserver 127.0.0.53 > /etc/resolv.conf',
    );
    const script = join(host.directory, 'servers.cjs');
    writeFileSync(script, servers);
    const started = await asRoot(host, `"${process.execPath}" ${script} </dev/null >/dev/null 2>&1 & echo $!`);
    processes.push(Number(started));
    for (const address of ['127.0.0.1', '127.0.0.53', '::1'])
      await eventually(async () =>
        expect((await host.command('busybox', ['nc', '-w', '1', address, '18095'])).stdout).toBe('loopback\n'),
      );

    writeStack(
      host,
      `name: hostile
services:
  weak: {${asleep}}
  mighty: {${asleep}, privileged: true}
`,
    );
    await mustUp(host);
    const ask = 'timeout 3 nc -w 2 $address 18095 </dev/null 2>/dev/null';
    for (const service of ['weak', 'mighty']) {
      await eventually(async () =>
        // On a busy machine pasta gives a line more than once.
        expect(await inside(host, service, 'sh', '-c', `address=${open}; ${ask}`)).toMatch(/^(?:open\n)+$/),
      );
      const gateway = (
        await inside(host, service, 'sh', '-c', "ip route | sed -n 's/^default via \\([^ ]*\\).*/\\1/p'")
      ).trim();
      expect(gateway).toMatch(/^\d/);
      const all = [...suspects, gateway].join(' ');
      expect(await inside(host, service, 'sh', '-c', `for address in ${all}; do ${ask} & done; wait`)).toBe('');
      // Names are asked for at the own resolver; no other way leads to the one of the machine.
      const names =
        'for at in 10.0.2.3 10.0.2.2 192.0.2.254; do timeout 3 nslookup -type=a own.test $at 2>/dev/null; done';
      expect(await inside(host, service, 'sh', '-c', `${names}; true`)).not.toContain('203.0.113.9');
      await eventually(async () =>
        expect(await inside(host, service, 'nslookup', '-type=a', 'own.test')).toContain('203.0.113.9'),
      );
    }
  },
);

describe('the process that keeps the namespaces', () => {
  beforeEach(() => openUser(['ids']));

  test('gives containers the ids of their user, and of nobody else', async () => {
    const maps = async () => (await asRoot(host, 'cat /etc/subuid')).trim().split('\n').filter(Boolean);
    const own = (await maps()).at(-1) ?? '';
    const [, first = '', count = ''] = own.split(':');
    // Lines of others, and such as are none.
    await asRoot(
      host,
      'for file in /etc/subuid /etc/subgid; do',
      `printf 'root:0:65536\\n${host.userId}9:0:1000\\nx${own}\\n:0:1\\n*:0:1\\n${host.userId}:-1:5\\n${host.userId}:0x0:1\\n' >>$file`,
      'done',
    );
    await mustUp(host);
    const wanted = [`0 ${host.userId} 1`, `1 ${first} ${count}`];
    for (const map of ['uid_map', 'gid_map']) {
      const lines = (await inside(host, 'a', 'cat', `/proc/self/${map}`)).trim().split('\n');
      expect(lines.map((line) => line.trim().replaceAll(/\s+/g, ' '))).toEqual(wanted);
    }
  });

  test('is closed to others, as is all that it writes', async () => {
    await mustUp(host);
    const names = readdirSync(host.run).filter((name) => name.startsWith('keeper'));
    expect(names.sort()).toEqual(['keeper-use.lock', 'keeper.json', 'keeper.lock', 'keeper.sock']);
    for (const name of names) {
      const {mode, uid} = statSync(join(host.run, name));
      expect({name, mode: mode & 0o777, uid}).toEqual({name, mode: 0o600, uid: host.userId});
    }
    expect(statSync(host.run).mode & 0o777).toBe(0o700);
    // Its memory, its descriptors and its namespaces: another user may look at none of them.
    for (const {pid, name} of host.processes().filter(({name}) => name.startsWith('tscompose-'))) {
      const look = `cat /proc/${pid}/environ; readlink /proc/${pid}/ns/user; ls /proc/${pid}/fd; dd if=/proc/${pid}/mem bs=1 count=1`;
      const seen = await asRoot(
        host,
        `setpriv --reuid=65534 --regid=65534 --clear-groups sh -c '${look}' 2>/dev/null || true`,
      );
      expect({name, seen}).toEqual({name, seen: ''});
    }
  });

  test('is nowhere to be seen by a container, not even by one with all rights over its namespace', async () => {
    writeStack(host, `name: hostile\nservices: {a: {${asleep}, privileged: true}}\n`);
    await mustUp(host);
    const look = [
      'mkdir /p; mount -t proc proc /p',
      'cat /p/*/comm /proc/*/comm',
      'find / -xdev -name "keeper*"',
      'cat /proc/net/unix | grep keeper',
      // Namespaces of others are taken from their processes, and there are none.
      'for pid in $(ls /p | grep "^[0-9]"); do readlink /p/$pid/ns/net; done | sort -u | wc -l',
    ];
    const output = await inside(host, 'a', 'sh', '-c', `${look.join('; ')}; true`);
    expect(output).not.toMatch(/keep/);
    expect(output.trim().split('\n').at(-1)).toBe('1');
  });

  test('goes on whatever is sent to its socket', async () => {
    await mustUp(host);
    const script = `
import os, socket, struct, sys
def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(20)
    s.connect(sys.argv[1])
    return s
size = 8 + 128
messages = [b'', b'x', b'\\0' * size, b'\\xff' * size, b'\\0' * (size - 1), b'\\0' * (size + 1), b'x' * 60000]
for family in (0, 1, 2, 10, 16, 17, 38, 40, 65535):
    for what in (0, 1, 2, -1):
        for protocol in (0, 1, 6, 17, 132, 255, -1):
            messages.append(struct.pack('=iiH', what, protocol, family).ljust(size, b'\\0'))
for message in messages:
    s = connect()
    try:
        s.send(message)
        answer, passed, _, _ = socket.recv_fds(s, 16, 4)
        for fd in passed:
            kind = socket.socket(fileno=fd)
            if kind.family not in (socket.AF_INET, socket.AF_INET6) or kind.type == socket.SOCK_RAW:
                print('given', kind)
            kind.close()
    except (BrokenPipeError, ConnectionResetError):
        pass
    s.close()
silent = [connect() for _ in range(2)]
print('sent')
`;
    const keeper = () =>
      host
        .processes()
        .filter(({name}) => name === 'tscompose-keep')
        .map(({pid}) => pid);
    const before = keeper();
    expect(before).toHaveLength(2);
    const sent = await host.command('python3', ['-c', script, join(host.run, 'keeper.sock')]);
    expect(sent).toMatchObject({code: 0, stdout: 'sent\n'});
    expect(keeper()).toEqual(before);
    // It serves whom it is there for.
    writeStack(
      host,
      `name: hostile
services: {a: {image: busybox, init: true, command: nc -ll -p 80 -e echo reached, ports: ["127.0.0.1:18096:80"]}}
`,
    );
    await mustUp(host);
    await eventually(async () =>
      expect((await host.command('busybox', ['nc', '-w', '1', '127.0.0.1', '18096'])).stdout).toBe('reached\n'),
    );
  });
});
