import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

const stack = `name: walled
services:
  server: {image: busybox, command: ["sh", "-c", "echo hello > /tmp/index.html; exec httpd -f -p 80 -h /tmp"], init: true, ports: ["8080:80"]}
  client: {image: busybox, command: sleep 600, init: true}
`;

/** A peer on a network of the host: what "outside" is. Reached at 198.51.100.2; the host is 198.51.100.1 there. */
async function addPeer(
  host: TestHost,
): Promise<{run(...words: string[]): Promise<{code: number | null; stdout: string}>} & AsyncDisposable> {
  const peer = `${host.namespace}p`;
  const ip = (...words: string[]) => host.command('ip', words);
  await ip('netns', 'add', peer);
  await ip('link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', peer);
  await ip('addr', 'add', '198.51.100.1/24', 'dev', 'up0');
  await ip('link', 'set', 'up0', 'up');
  await ip('-n', peer, 'addr', 'add', '198.51.100.2/24', 'dev', 'eth0');
  await ip('-n', peer, 'link', 'set', 'eth0', 'up');
  await ip('-n', peer, 'link', 'set', 'lo', 'up');
  return {
    run: (...words) => host.command('nsenter', [`--net=/run/netns/${peer}`, '--', ...words]),
    async [Symbol.asyncDispose]() {
      await ip('link', 'del', 'up0');
      await ip('netns', 'del', peer);
    },
  };
}

/** What Docker or ufw leave behind: bridged packets are filtered, and what nobody accepts is dropped. */
async function dropForwarding(host: TestHost): Promise<void> {
  const rules = [
    ['-P', 'FORWARD', 'DROP'],
    ['-N', 'OTHER-USER'],
    ['-A', 'FORWARD', '-j', 'OTHER-USER'],
    ['-A', 'OTHER-USER', '-s', '203.0.113.0/24', '-j', 'ACCEPT'],
  ];
  for (const rule of rules) expect((await host.command('iptables', rule)).code).toBe(0);
  const sysctl = await host.command('sh', ['-c', 'echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables']);
  expect(sysctl).toMatchObject({code: 0, stderr: ''});
}

async function ruleset(host: TestHost): Promise<string> {
  const {stdout} = await host.command('iptables-save', []);
  return stdout.replace(/^#.*\n/gm, '').replace(/\[\d+:\d+\]/g, '[0:0]');
}

test('beside a firewall that drops forwarding everything works, and its rules come back byte for byte', async () => {
  await using host = await makeHost();
  await using peer = await addPeer(host);
  await dropForwarding(host);
  const before = await ruleset(host);
  await loadImages(host, ['busybox']);
  writeFileSync(join(host.directory, 'compose.yaml'), stack);

  const up = await host.tscompose(['up', '-d']);
  expect({code: up.code, stderr: up.code === 0 ? '' : up.stderr}).toEqual({code: 0, stderr: ''});
  const inside = (...words: string[]) => host.tscompose(['exec', '-T', 'client', ...words]);
  const request = "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 server 80";
  await eventually(async () => expect((await inside('sh', '-c', request)).stdout).toMatch(/hello\n$/));
  expect((await inside('ping', '-c', '1', '-W', '10', '198.51.100.2')).code).toBe(0);
  await eventually(async () =>
    expect((await peer.run('curl', '-sS', '--max-time', '2', 'http://198.51.100.1:8080/')).stdout).toBe('hello\n'),
  );
  expect((await host.command('curl', ['-sS', '--max-time', '20', 'http://127.0.0.1:8080/'])).stdout).toBe('hello\n');
  expect((await host.command('iptables', ['-S', 'FORWARD'])).code).toBe(0);

  expect((await host.tscompose(['down', '-v', '-t', '1'])).code).toBe(0);
  expect(await ruleset(host)).toBe(before);
  expect(host.leftovers().filter((line) => line !== 'interface up0')).toEqual([]);
});

test('what is not published cannot be reached from outside, and loopback ports only from loopback', async () => {
  await using host = await makeHost();
  await using peer = await addPeer(host);
  await loadImages(host, ['busybox']);
  writeFileSync(join(host.directory, 'compose.yaml'), stack.replace('8080:80', '127.0.0.1:8080:80'));
  expect((await host.tscompose(['up', '-d'])).code).toBe(0);
  await eventually(async () =>
    expect((await host.command('curl', ['-sS', '--max-time', '2', 'http://127.0.0.1:8080/'])).stdout).toBe('hello\n'),
  );

  const address = (await host.tscompose(['exec', '-T', 'server', 'hostname', '-i'])).stdout.trim();
  expect(address).toMatch(/^172\./);
  await peer.run('ip', 'route', 'add', 'default', 'via', '198.51.100.1');
  expect((await peer.run('curl', '-sS', '--max-time', '2', `http://${address}/`)).code).not.toBe(0);
  expect((await peer.run('curl', '-sS', '--max-time', '2', 'http://198.51.100.1:8080/')).code).not.toBe(0);
  await peer.run('ip', 'route', 'add', '127.0.0.0/8', 'via', '198.51.100.1', 'table', 'main');
  expect(
    (await peer.run('sh', '-c', 'ip link set lo down; curl -sS --max-time 2 --interface eth0 http://127.0.0.1:8080/'))
      .code,
  ).not.toBe(0);
  expect((await host.tscompose(['down', '-v', '-t', '1'])).code).toBe(0);
});
