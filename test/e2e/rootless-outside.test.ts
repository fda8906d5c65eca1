import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {type CommandResult, eventually, makeHost, type TestHost} from '../support/host.ts';
import {makeUserHost, type UserHost} from '../support/user-host.ts';
import type {UserPackage} from '../support/user-packages.ts';

/** An address of the world outside. */
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
`;

const webServer = `
require('node:http').createServer((_, response) => response.end('from outside\\n')).listen(8000, '${outside}');
`;

/** Another machine, `beyond`, at the other end of a cable: a server there, and a name server on this machine's loopback. */
async function makeWorld(host: UserHost, beyond: TestHost): Promise<readonly number[]> {
  const start = (script: string) => `"${process.execPath}" -e ${quote(script)} </dev/null >/dev/null 2>&1 & echo $!`;
  const run = async (made: Promise<CommandResult>) => {
    const {code, stdout, stderr} = await made;
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    return stdout.trim() === '' ? [] : [Number(stdout)];
  };
  const here = [
    `ip link add out type veth peer name far netns ${beyond.namespace}`,
    'ip addr add 192.0.2.1/24 dev out',
    'ip link set out up',
    'ip route add default via 192.0.2.254',
    'echo nameserver 127.0.0.53 > /etc/resolv.conf',
    start(nameServer),
  ];
  const there = [
    'ip addr add 192.0.2.254/24 dev far',
    'ip link set far up',
    `ip addr add ${outside}/32 dev lo`,
    start(webServer),
  ];
  return [
    ...(await run(host.asRoot('sh', ['-ec', here.join('\n')]))),
    ...(await run(beyond.command('sh', ['-ec', there.join('\n')]))),
  ];
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

async function ask(host: UserHost, url: string): Promise<string> {
  return (await host.tscompose(['exec', '-T', 'web', 'timeout', '10', 'wget', '-q', '-O-', url])).stdout;
}

const stack = `
services:
  web: {image: busybox, command: sleep 1000, stop_signal: SIGKILL}
`;

async function withStack(packages: readonly UserPackage[], work: (host: UserHost, told: string) => Promise<void>) {
  // First, so that the other one sees its network namespace.
  await using beyond = await makeHost();
  await using host = await makeUserHost(packages);
  const world = await makeWorld(host, beyond);
  try {
    await host.loadImages(['busybox']);
    writeFileSync(join(host.directory, 'compose.yaml'), stack);
    const up = await host.tscompose(['up', '-d']);
    expect({code: up.code, stderr: up.code === 0 ? '' : up.stderr}).toEqual({code: 0, stderr: ''});
    await work(host, up.stderr);
    expect((await host.tscompose(['down', '-v'])).code).toBe(0);
    await eventually(() => expect(host.leftovers()).toEqual([]));
  } finally {
    for (const pid of world) process.kill(pid, 'SIGKILL');
  }
}

for (const program of ['pasta', 'slirp4netns'] as const) {
  test(`containers of an ordinary user reach the outside through ${program}, and names through the machine's own server`, async () => {
    await withStack([program], async (host, told) => {
      expect(told).not.toContain('reach nothing outside');
      await eventually(async () => expect(await ask(host, `http://${outside}:8000/`)).toBe('from outside\n'));
      await eventually(async () => expect(await ask(host, 'http://name.test:8000/')).toBe('from outside\n'));
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
    await eventually(async () => {
      const found = await host.tscompose(['exec', '-T', 'web', 'nslookup', 'name.test']);
      expect(found.stdout).toContain(outside);
    });
  });
});
