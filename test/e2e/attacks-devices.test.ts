import {mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {makeHost, type TestHost} from '../support/host.ts';
import {down, inside, mustLoadHostile, mustUp, outputOf, writeStack} from './attacks/hostile.ts';

let host: TestHost;
/** A directory of the machine that no container is given. */
let outside: string;

beforeAll(async () => {
  host = await makeHost();
  outside = join(host.directory, 'outside');
  mkdirSync(outside);
});
afterAll(async () => {
  const left = host.leftovers();
  await host[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

/** A path to the directory that also leads out of any depth. */
const climbing = (): string => `${'../'.repeat(12)}${outside.slice(1)}`;

test('device files are made where an image’s links lead inside of it, and nowhere else (CVE-2026-41579)', async () => {
  await mustLoadHostile(host, 'links', (root) => {
    symlinkSync(climbing(), join(root, 'away'));
    symlinkSync(`/${climbing()}/zero`, join(root, 'file'));
  });
  await mustLoadHostile(host, 'dev', (root) => {
    rmSync(join(root, 'dev'), {recursive: true, force: true});
    symlinkSync(`/${climbing()}`, join(root, 'dev'));
  });
  writeStack(
    host,
    `name: hostile
services:
  links: {image: links, command: [sh, -c, "stat -c %F /away/zero"], devices: ["/dev/zero:/away/zero:r", "/dev/full:/away/deep/er/full"]}
  file: {image: links, command: "true", devices: ["/dev/zero:/file"]}
  dev: {image: dev, command: "true", privileged: true}
`,
  );
  expect(await outputOf(host, 'links')).toBe('character special file\n');
  const file = await host.tscompose(['up', '-d', 'file']);
  expect(file.code).not.toBe(0);
  expect(file.stderr).toContain('device /file: file exists');
  const dev = await host.tscompose(['up', '-d', 'dev']);
  expect(dev.code).not.toBe(0);
  expect(dev.stderr).toContain('/dev: a symbolic link in the image');
  expect(readdirSync(outside)).toEqual([]);
  await down(host);
});

test('a directory for a device that another container swaps for a link meanwhile', async () => {
  await mustLoadHostile(host, 'hostile', () => {});
  const victims = Array.from({length: 4}, (_, index) => `victim${index}`);
  writeStack(
    host,
    `name: hostile
services:
  attacker:
    image: hostile
    init: true
    command: [sh, -c, "mkdir -p /shared/place; ln -sfn ${climbing()} /shared/link; echo ready; exec try swap /shared/place /shared/link"]
    volumes: ["shared:/shared"]
${victims.map((name) => `  ${name}: {image: hostile, command: "true", volumes: ["shared:/shared"], devices: ["/dev/zero:/shared/place/${name}"]}`).join('\n')}
volumes: {shared: {}}
`,
  );
  await mustUp(host, ['attacker']);
  for (let round = 0; round < 4; round += 1) {
    await host.tscompose(['up', '-d', '--force-recreate', '--no-deps', ...victims]);
    expect(readdirSync(outside)).toEqual([]);
  }
  const look =
    'until [ "$link$directory" = 11 ]; do [ -L /shared/place ] && link=1 || directory=1; done; echo $link$directory';
  expect(await inside(host, 'attacker', 'sh', '-c', look)).toBe('11\n');
  await down(host);
});

test('a file of the machine at the place of a device is neither replaced nor changed', async () => {
  const given = join(host.directory, 'given');
  mkdirSync(given);
  writeFileSync(join(given, 'mine'), 'of the machine', {mode: 0o640});
  writeStack(
    host,
    `name: hostile
services:
  web: {image: hostile, command: "true", volumes: ["${given}:/given"], devices: ["/dev/zero:/given/mine"]}
`,
  );
  const up = await host.tscompose(['up', '-d']);
  expect(up.code).not.toBe(0);
  expect(up.stderr).toContain('device /given/mine: file exists');
  expect(up.stderr).toContain('check "devices" of the service');
  expect(readFileSync(join(given, 'mine'), 'utf8')).toBe('of the machine');
  expect(statSync(join(given, 'mine')).mode & 0o777).toBe(0o640);
  await down(host);
});

test('what a privileged container changes of its own cgroup is nobody else’s, and goes with it', async () => {
  writeStack(
    host,
    `name: hostile
services:
  mighty: {image: hostile, command: sleep 600, init: true, privileged: true}
  weak: {image: hostile, command: sleep 600, init: true, security_opt: [writable-cgroups]}
`,
  );
  await mustUp(host);
  // Groups of its own below its own; it cannot see those above.
  const groups =
    'd=/sys/fs/cgroup/pids; [ -d $d ] || d=/sys/fs/cgroup; mkdir $d/inner && ls -d $d/../../tscompose* 2>/dev/null; cat /proc/self/cgroup | grep -vc ":/$"';
  expect(await inside(host, 'mighty', 'sh', '-c', groups)).toBe('0\n');
  expect(await inside(host, 'weak', 'sh', '-c', groups)).toBe('0\n');
  // It may not give itself devices.
  const devices =
    'echo a > /sys/fs/cgroup/devices/devices.allow; mknod /tmp/memory c 1 1; head -c1 /tmp/memory; echo end';
  const tried = await inside(host, 'weak', 'sh', '-c', devices);
  expect(tried).toMatch(/memory: Operation not permitted/);
  // No program is called in the name of the machine when a group empties.
  expect(await inside(host, 'weak', 'sh', '-c', 'ls /sys/fs/cgroup/*/release_agent 2>/dev/null; true')).toBe('');
  await down(host);
});
