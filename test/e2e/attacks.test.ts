import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually, execute, makeHost, projectDirectory, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

const sleeper = 'image: busybox, command: sleep 600, init: true';

async function hostWith(stack: string, env: Readonly<Record<string, string>> = {}): Promise<TestHost> {
  const host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(join(host.directory, 'compose.yaml'), `name: hostile\n${stack}`);
  const probe = await execute('cc', [
    '-static',
    '-O1',
    '-o',
    join(host.directory, 'probe'),
    join(projectDirectory, 'test/e2e/attacks/probe.c'),
  ]);
  expect({code: probe.code, stderr: probe.code === 0 ? '' : probe.stderr}).toEqual({code: 0, stderr: ''});
  const up = await host.tscompose(['up', '-d'], {env});
  expect({code: up.code, stderr: up.code === 0 ? '' : up.stderr}).toEqual({code: 0, stderr: ''});
  return host;
}

/** What each try must be answered. Masked files read as empty. */
const denials: Readonly<Record<string, readonly string[]>> = {
  'unshare-user': ['EPERM'],
  'unshare-mount': ['EPERM'],
  mount: ['EPERM'],
  remount: ['EPERM'],
  umount: ['EPERM'],
  setns: ['EPERM'],
  'raw-disk': ['EPERM'],
  dmesg: ['EPERM'],
  hostname: ['EPERM'],
  clock: ['EPERM'],
  'add-key': ['EPERM'],
  keyctl: ['EPERM'],
  'alg-socket': ['EPERM'],
  'vsock-socket': ['EPERM'],
  'packet-on-host': ['EPERM'],
  'io-uring': ['EPERM', 'ENOSYS'],
  userfaultfd: ['EPERM'],
  bpf: ['EPERM'],
  perf: ['EPERM'],
  module: ['EPERM'],
  kexec: ['EPERM'],
  reboot: ['EPERM'],
  tiocsti: ['ENOTTY', 'EIO', 'EPERM'],
  'core-pattern': ['EROFS'],
  sysrq: ['EROFS', 'ENOENT'],
  'uevent-helper': ['EROFS', 'ENOENT'],
  'release-agent': ['EROFS', 'ENOENT'],
  cgroup: ['EROFS'],
  kcore: ['ENODATA', 'ENOENT'],
  keys: ['ENODATA'],
  latency: ['ENODATA', 'ENOENT'],
};

test.each([
  ['the process of a service', 'as root', ['logs', '--no-log-prefix', 'prober']],
  ['an exec session', 'as root', ['exec', '-T', 'victim', '/probe']],
  ['an exec session', 'with new privileges forbidden', ['exec', '-T', 'locked', '/probe']],
])('%s %s is denied what would reach the machine', async (_who, _how, words) => {
  await using host = await hostWith(`services:
  victim: {${sleeper}, volumes: ["./probe:/probe:ro"]}
  locked: {${sleeper}, volumes: ["./probe:/probe:ro"], security_opt: ["no-new-privileges:true"]}
  prober: {image: busybox, command: /probe, volumes: ["./probe:/probe:ro"]}
`);
  if (words[0] === 'logs') await host.command('sleep', ['1']);
  const {stdout} = await host.tscompose(words);
  const answers = Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
  expect(Object.keys(answers).sort()).toEqual(Object.keys(denials).sort());
  const wrong = Object.entries(answers).filter(([name, answer]) => denials[name]?.includes(answer) !== true);
  expect(wrong).toEqual([]);
  expect((await host.tscompose(['down', '-v', '-t', '1'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});

test('a user that is no user is refused, never root', async () => {
  await using host = await hostWith(`services: {victim: {${sleeper}}}`);
  for (const user of ['1000x', '-1', '4294967296', 'nobody-knows', '0:nobody-knows', '']) {
    const result = await host.tscompose(['exec', '-T', `--user=${user}`, 'victim', 'id', '-u']);
    if (user === '') expect(result.stdout).toBe('0\n');
    else expect({user, ok: result.code === 0, stdout: result.stdout}).toEqual({user, ok: false, stdout: ''});
  }
});

test('a secret is seen by its service alone', async () => {
  const secret = 'a-secret-that-is-nowhere-else';
  await using host = await hostWith(
    `services: {victim: {${sleeper}, secrets: [key]}}\nsecrets: {key: {environment: KEY}}`,
    {KEY: secret},
  );
  const inside = await host.tscompose(
    ['exec', '-T', 'victim', 'sh', '-c', 'cat /run/secrets/key; grep -c " /run/secrets/key tmpfs ro" /proc/mounts'],
    {env: {KEY: 'x'}},
  );
  expect(inside.stdout).toBe(`${secret}1\n`);
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const seen = processes.flatMap((pid) =>
    ['environ', 'cmdline'].filter((file) => {
      try {
        return readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(secret);
      } catch {
        return false;
      }
    }),
  );
  expect(seen).toEqual([]);
  const found = await host.command('grep', ['-rlF', secret, host.root, host.run]);
  expect(
    found.stdout
      .trim()
      .split('\n')
      .map((path) => path.replace(/^.*\/containers\/[0-9a-f]+\//, '')),
  ).toEqual(['files/0']);
  const {stdout: modes} = await host.command('sh', [
    '-c',
    `stat -c %a ${host.root} ${host.root}/containers/*/files ${host.root}/containers/*/files/0`,
  ]);
  expect(modes.trim().split('\n')).toEqual(['700', '700', '600']);
});

test('names and addresses of another network are out of reach', async () => {
  await using host = await hostWith(`services:
  here: {${sleeper}, networks: [a]}
  there: {image: busybox, command: ["sh", "-c", "while :; do echo reached | nc -l -p 7000; done"], init: true, networks: [b]}
  both: {${sleeper}, networks: [a, b]}
networks: {a: {}, b: {}}
`);
  const address = (await host.tscompose(['exec', '-T', 'there', 'hostname', '-i'])).stdout.trim();
  const from = (service: string, target: string) =>
    host.tscompose(['exec', '-T', service, 'sh', '-c', `nc -w 2 ${target} 7000 </dev/null`]);
  await eventually(async () => expect((await from('both', 'there')).stdout).toBe('reached\n'));
  expect((await from('here', address)).stdout).toBe('');
  const lookup = await host.tscompose(['exec', '-T', 'here', 'nslookup', 'there']);
  expect(lookup.stdout).not.toContain(address);
  expect((await host.tscompose(['exec', '-T', 'here', 'nslookup', 'both'])).stdout).toMatch(/Address: 172\./);
});
