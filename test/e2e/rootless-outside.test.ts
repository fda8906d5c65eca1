import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually} from '../support/host.ts';
import {makeUserHost, type UserHost} from '../support/user-host.ts';
import type {UserPackage} from '../support/user-packages.ts';

/** An address of the machine that stands for the world outside, and a way there. */
const outside = '203.0.113.9';

/** Answers every question for an address with one, on the machine's loopback. */
const nameServer = `
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (question, from) => {
  const end = question.indexOf(0, 12) + 5;
  const head = Buffer.from([question[0], question[1], 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 9]);
  socket.send(Buffer.concat([head, question.subarray(12, end), answer]), from.port, from.address);
});
socket.bind(53, '127.0.0.53');
require('node:http').createServer((_, response) => response.end('from outside\\n')).listen(8000, '${outside}');
`;

async function makeWorld(host: UserHost): Promise<void> {
  const lines = [
    'ip link add out type veth peer name beyond',
    'ip link set beyond up',
    'ip addr add 192.0.2.1/24 dev out',
    'ip link set out up',
    'ip route add default via 192.0.2.254',
    `ip addr add ${outside}/32 dev lo`,
    'echo nameserver 127.0.0.53 > /etc/resolv.conf',
    `"${process.execPath}" -e "$1" </dev/null >/dev/null 2>&1 &`,
    'echo $!',
  ];
  const made = await host.asRoot('sh', ['-ec', lines.join('\n'), 'sh', nameServer]);
  expect(made).toMatchObject({code: 0, stderr: ''});
  world.push(Number(made.stdout));
}

const world: number[] = [];

async function ask(host: UserHost, url: string): Promise<string> {
  return (await host.tscompose(['exec', '-T', 'web', 'wget', '-q', '-T', '10', '-O-', url])).stdout;
}

const stack = `
services:
  web: {image: busybox, command: sleep 1000, stop_signal: SIGKILL}
`;

async function withStack(packages: readonly UserPackage[], work: (host: UserHost, told: string) => Promise<void>) {
  await using host = await makeUserHost(packages);
  try {
    await makeWorld(host);
    await host.loadImages(['busybox']);
    writeFileSync(join(host.directory, 'compose.yaml'), stack);
    const up = await host.tscompose(['up', '-d']);
    expect({code: up.code, stderr: up.code === 0 ? '' : up.stderr}).toEqual({code: 0, stderr: ''});
    await work(host, up.stderr);
    expect((await host.tscompose(['down', '-v'])).code).toBe(0);
    await eventually(() => expect(host.leftovers()).toEqual([]));
  } finally {
    for (const pid of world.splice(0)) process.kill(pid, 'SIGKILL');
  }
}

for (const program of ['pasta', 'slirp4netns'] as const) {
  test(`containers of an ordinary user reach the outside through ${program}, and names through the machine's own server`, async () => {
    await withStack([program], async (host, told) => {
      expect(told).not.toContain('reach nothing outside');
      await eventually(async () => expect(await ask(host, `http://${outside}:8000/`)).toBe('from outside\n'));
      expect(await ask(host, 'http://name.test:8000/')).toBe('from outside\n');
      expect(
        host
          .processes()
          .map(({words}) => words.split(' ')[0])
          .some((word) => word?.endsWith(`/${program}`)),
      ).toBe(true);
    });
  });
}

test('without either, that is told once, and names are known all the same', async () => {
  await withStack([], async (host, told) => {
    expect(told.match(/reach nothing outside/g)).toHaveLength(1);
    expect(told).toContain('install the package "passt"');
    expect(await ask(host, `http://${outside}:8000/`)).toBe('');
    const found = await host.tscompose(['exec', '-T', 'web', 'nslookup', 'name.test']);
    expect(found.stdout).toContain(outside);
  });
});
