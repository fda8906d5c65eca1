import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {exitCodes} from '../../src/base/errors.ts';
import {dockerArchive, makeImage} from '../engine/image/bed.ts';
import {eventually, makeHost, projectDirectory, type TestHost} from '../support/host.ts';
import {imageArchive, loadImages} from '../support/test-images.ts';

const sleeper = '{image: busybox, command: sleep 600, init: true';

async function hostWith(stack: string): Promise<TestHost> {
  const host = await makeHost();
  writeFileSync(join(host.directory, 'compose.yaml'), `name: bad\n${stack}`);
  await loadImages(host, ['busybox']);
  return host;
}

async function states(host: TestHost): Promise<Readonly<Record<string, string>>> {
  const {stdout} = await host.tscompose(['ps', '-a', '--format', 'json']);
  const lines = stdout.trim() === '' ? [] : stdout.trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => {
      const {Name, State} = JSON.parse(line) as {readonly Name: string; readonly State: string};
      return [Name, State];
    }),
  );
}

async function expectCleanDown(host: TestHost): Promise<void> {
  expect((await host.tscompose(['down', '-v', '-t', '1'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
}

test.each([
  [
    'malformed YAML',
    'services:\n  a: {image: x\n',
    exitCodes.invalidStack,
    /^error\[yaml-syntax\]: .*\n +--> compose\.yaml:\d+:\d+$/m,
  ],
  [
    'an unknown key',
    'services: {a: {image: x, enviroment: {}}}',
    exitCodes.invalidStack,
    /unknown attribute "enviroment"\n +--> compose\.yaml:2:26\n[\s\S]*did you mean "environment"\?/,
  ],
  [
    'a wrong type',
    'services: {a: {image: x, ports: 80}}',
    exitCodes.invalidStack,
    /services\.a\.ports[\s\S]*--> compose\.yaml:2:33/,
  ],
  [
    'a circle',
    'services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}}',
    exitCodes.invalidStack,
    /in a circle: a → b → a/,
  ],
  [
    'what is not supported',
    'services: {a: {image: x, storage_opt: {size: 1g}}}',
    exitCodes.invalidStack,
    /services\.a\.storage_opt is not supported yet: .*\n +--> compose\.yaml:2:26/,
  ],
  ['a missing env_file', 'services: {a: {image: x, env_file: none.env}}', exitCodes.invalidStack, /none\.env/],
  [
    'a missing config file',
    'services: {a: {image: x, configs: [c]}}\nconfigs: {c: {file: ./none.conf}}',
    exitCodes.invalidStack,
    /none\.conf/,
  ],
])('%s is refused with its place, and nothing is made', async (_name, stack, code, message) => {
  await using host = await hostWith(stack);
  const up = await host.tscompose(['up', '-d']);
  expect(up.stderr).toMatch(message);
  expect(up.stderr).not.toMatch(/\n\s+at .*:\d+:\d+/);
  expect(up.code).toBe(code);
  expect(host.leftovers()).toEqual([]);
});

test('a missing stack file', async () => {
  await using host = await makeHost();
  expect(await host.tscompose(['up', '-d'])).toMatchObject({
    code: exitCodes.invalidStack,
    stderr: expect.stringContaining('no stack file'),
  });
  expect(await host.tscompose(['-f', 'none.yaml', 'up', '-d'])).toMatchObject({
    code: exitCodes.invalidStack,
    stderr: 'error: cannot read stack file "none.yaml": no such file\nhint: check the path given to -f\n',
  });
});

test('a missing image that is never pulled is named with its place and the way out, and nothing is made', async () => {
  await using host = await hostWith(`services: {a: ${sleeper}}, b: {image: none, pull_policy: never}}`);
  expect(await host.tscompose(['up', '-d'])).toMatchObject({
    code: exitCodes.failure,
    stderr: expect.stringMatching(
      /^error\[not-found\]: service "b": image "none" is not on this machine, and is never pulled\n --> compose\.yaml:2:76\n.*load it with "tscompose load", or allow to pull it \(pull_policy, --pull\)\n$/s,
    ),
  });
  expect(host.leftovers()).toEqual([]);
});

test('a port in use is said to be used by whom; what is up stays up', async () => {
  await using host = await hostWith(
    `services: {good: ${sleeper}}, taken: ${sleeper}, ports: ["18099:80"]}, after: ${sleeper}, depends_on: [taken]}}`,
  );
  const listen =
    "import socket, time; s = socket.socket(); s.bind(('0.0.0.0', 18099)); s.listen(); print('ready', flush=True); time.sleep(60)";
  const holder = spawn('nsenter', [`--net=/run/netns/${host.namespace}`, '--', 'python3', '-c', listen], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  const up = await host.tscompose(['up', '-d']);
  expect(up.code).toBe(exitCodes.failure);
  expect(up.stderr).toMatch(
    /error: cannot start container "bad-taken-1": cannot publish 0\.0\.0\.0:18099\/tcp: port is already allocated by process python3 \(pid \d+\)\nhint: stop that process, or publish another port than 18099\n$/,
  );
  expect(up.stderr).toContain('container bad-after-1 skipped: needs container "bad-taken-1", which failed');
  expect(await states(host)).toEqual({'bad-good-1': 'running', 'bad-taken-1': 'created', 'bad-after-1': 'created'});
  holder.kill('SIGKILL');
  await once(holder, 'close');
  expect((await host.tscompose(['up', '-d'])).code).toBe(0);
  expect(await states(host)).toEqual({'bad-good-1': 'running', 'bad-taken-1': 'running', 'bad-after-1': 'running'});
  await expectCleanDown(host);
});

test('a network without a free address says so; what got one runs', async () => {
  await using host = await hostWith(
    `services: {a: ${sleeper}, deploy: {replicas: 3}}}\nnetworks: {default: {ipam: {config: [{subnet: 10.77.0.0/30}]}}}`,
  );
  const up = await host.tscompose(['up', '-d']);
  expect(up.code).toBe(exitCodes.failure);
  expect(up.stderr).toContain('network "bad_default" has no free address left in 10.77.0.0/30');
  expect(Object.values(await states(host)).sort()).toEqual(['created', 'created', 'running']);
  await expectCleanDown(host);
});

test('networks that overlap: the second is refused, the first is whole', async () => {
  await using host = await hostWith(
    `services: {a: ${sleeper}, networks: [x, y]}}
networks: {x: {ipam: {config: [{subnet: 10.78.0.0/24}]}}, y: {ipam: {config: [{subnet: 10.78.0.128/25}]}}}`,
  );
  const up = await host.tscompose(['up', '-d']);
  expect(up.code).toBe(exitCodes.failure);
  expect(up.stderr).toMatch(/subnet 10\.78\.0\.\d+\/2[45] overlaps with 10\.78\.0\.\d+\/2[45] of network "bad_[xy]"/);
  await expectCleanDown(host);
});

test('broken archives are refused, say why, and leave no image and no layer', async () => {
  await using host = await makeHost();
  const write = (name: string, bytes: Uint8Array): string => {
    const path = join(host.directory, name);
    writeFileSync(path, bytes);
    return path;
  };
  const whole = readFileSync(imageArchive('busybox'));
  const evil = makeImage({layers: [[{name: '../../etc/pwn', data: Buffer.from('x')}]]});
  const cases: readonly (readonly [string, RegExp])[] = [
    [write('cut.tar', whole.subarray(0, 100_000)), /^error: .*(damaged|end of data|broken)/],
    [write('text.tar', Buffer.from('hello\n')), /^error: the archive is damaged/],
    [
      write('evil.tar', dockerArchive([{image: evil, tags: ['evil:1']}])),
      /^error: image "evil:1": layer sha256:[0-9a-f]+ is broken: unpack \.\.\/\.\.\/etc\/pwn/,
    ],
  ];
  for (const [path, message] of cases) {
    const load = await host.tscompose(['load', '-i', path]);
    expect(load.stderr).toMatch(message);
    expect(load.code).toBe(exitCodes.invalidStack);
  }
  expect((await host.tscompose(['images', '-a', '--format', 'json'])).stdout).not.toMatch(/evil|busybox/);
  await loadImages(host, ['busybox']);
});

test('without permission the way out is named', async () => {
  await using host = await hostWith(`services: {a: ${sleeper}}}`);
  const nobody = await host.command(
    'setpriv',
    [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      process.execPath,
      join(projectDirectory, 'dist/cli.cjs'),
      '-f',
      '-',
      'up',
      '-d',
    ],
    {
      cwd: '/',
      input: `name: bad\nservices: {a: ${sleeper}}}\n`,
    },
  );
  expect(nobody.code).toBe(exitCodes.failure);
  expect(nobody.stderr).toBe(
    `error: cannot use ${host.root}/format: permission denied\nhint: choose another root with --root or TSCOMPOSE_ROOT, or run tscompose as root (sudo tscompose …)\n`,
  );
});

test('without cgroups nothing runs: there would be no limits', async () => {
  await using host = await hostWith(`services: {a: ${sleeper}}}`);
  const script = `mount --make-rprivate / && umount -R -l /sys/fs/cgroup && exec "$0" "$@"`;
  const up = await host.command('unshare', [
    '--mount',
    'sh',
    '-c',
    script,
    process.execPath,
    join(projectDirectory, 'dist/cli.cjs'),
    'up',
    '-d',
  ]);
  expect(up.code).not.toBe(0);
  expect(up.stderr).toContain(
    'cannot confine containers: no cgroup hierarchy is mounted\nhint: mount one: mount -t cgroup2 cgroup2 /sys/fs/cgroup',
  );
  await expectCleanDown(host);
});

test('a monitor that is lost is noticed, and its container dealt with by its policy', async () => {
  await using host = await hostWith(`services: {back: ${sleeper}, restart: always}, gone: ${sleeper}}}`);
  expect((await host.tscompose(['up', '-d'])).code).toBe(0);
  const ids = (await host.tscompose(['ps', '-q'])).stdout.trim().split('\n');
  for (const id of ids) {
    const {monitor} = JSON.parse(readFileSync(join(host.run, 'containers', id, 'state.json'), 'utf8')) as {
      readonly monitor: number;
    };
    process.kill(monitor, 'SIGKILL');
  }
  await eventually(async () => {
    const {stdout} = await host.tscompose(['ps', '-a', '--format', 'json']);
    expect(stdout).toContain('Exited (137)');
  });
  expect((await host.tscompose(['up', '-d'])).code).toBe(0);
  expect(await states(host)).toEqual({'bad-back-1': 'running', 'bad-gone-1': 'running'});
  await expectCleanDown(host);
});
