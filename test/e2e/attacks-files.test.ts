import {mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {eventually} from '../support/host.ts';
import {inside, mustLoadHostile, mustUp, outputOf, writeStack} from './attacks/hostile.ts';
import {attackTargets, useAttacked} from './attacks/targets.ts';

/** What goes with every project that a test may have made. */
const stack = 'name: hostile\nservices: {a: {image: hostile, command: "true"}}\n';

describe.each(attackTargets)('an engine $engine', (target) => {
  const machine = useAttacked(target, stack);

  describe('descriptors that were left open (CVE-2024-21626)', () => {
    const numbers = Array.from({length: 28}, (_, index) => index + 3);

    test('as the working directory of containers', async () => {
      await mustLoadHostile(machine.host, 'hostile', (root) => {
        for (const number of numbers) symlinkSync(`/proc/self/fd/${number}`, join(root, `fd-${number}`));
      });
      const probe = `cat ${machine.climbing()}/secret 2>/dev/null; pwd`;
      writeStack(
        machine.host,
        `name: hostile
services:
${numbers
  .flatMap((number) => [
    `  fd${number}: {image: hostile, network_mode: none, working_dir: /proc/self/fd/${number}, command: [sh, -c, "${probe}"]}`,
    `  up${number}: {image: hostile, network_mode: none, working_dir: "/proc/self/fd/${number}/../../..", command: [sh, -c, "${probe}"]}`,
    `  link${number}: {image: hostile, network_mode: none, working_dir: /fd-${number}, command: [sh, -c, "${probe}"]}`,
  ])
  .join('\n')}
`,
      );
      await machine.host.tscompose(['up', '-d']);
      const {stdout: list} = await machine.host.tscompose(['ps', '-a', '--format', 'json']);
      expect(list.trim().split('\n')).toHaveLength(3 * numbers.length);
      const {stdout} = await machine.host.tscompose(['logs', '--no-log-prefix', '--no-color']);
      expect(stdout).not.toContain('of the machine');
      expect(stdout.split('\n').filter((line) => line !== '' && !line.startsWith('/'))).toEqual([]);
    });

    test('as the working directory of executed processes', async () => {
      await mustLoadHostile(machine.host, 'hostile', () => {});
      writeStack(
        machine.host,
        'name: hostile\nservices: {stays: {image: hostile, network_mode: none, command: sleep 600, init: true}}\n',
      );
      await mustUp(machine.host);
      for (const number of numbers) {
        const place = number % 2 === 0 ? `/proc/self/fd/${number}` : `/proc/self/fd/${number}/../../..`;
        const words = [
          'exec',
          '-T',
          '-w',
          place,
          'stays',
          'sh',
          '-c',
          `cat ${machine.climbing()}/secret 2>/dev/null; pwd`,
        ];
        const {code, stdout} = await machine.host.tscompose(words);
        expect(stdout).not.toContain('of the machine');
        if (code === 0) expect(stdout).toMatch(/^\//);
        else expect(code).toBeGreaterThanOrEqual(125);
      }
    });
  });

  test('a mount target that another container swaps for a link meanwhile (CVE-2021-30465)', async () => {
    const given = join(machine.host.directory, 'given');
    mkdirSync(given);
    await mustLoadHostile(machine.host, 'hostile', () => {});
    const victims = Array.from({length: 5}, (_, index) => `victim${index}`);
    writeStack(
      machine.host,
      `name: hostile
services:
  attacker:
    image: hostile
    init: true
    command: [sh, -c, "mkdir -p /shared/place; ln -sfn ${machine.climbing()} /shared/link; echo ready; exec try swap /shared/place /shared/link"]
    volumes: ["shared:/shared"]
${victims
  .map(
    (name) => `  ${name}:
    image: hostile
    command: [sh, -c, "echo written > /shared/place/inner/mark 2>/dev/null; cat /shared/place/secret /shared/link/secret 2>/dev/null; true"]
    volumes: ["shared:/shared", "${given}:/shared/place/inner", "./new:/shared/place/made"]`,
  )
  .join('\n')}
volumes: {shared: {}}
`,
    );
    await mustUp(machine.host, ['attacker']);
    for (let round = 0; round < 4; round += 1) {
      await machine.host.tscompose(['up', '-d', '--force-recreate', '--no-deps', ...victims]);
      expect(readdirSync(machine.outside)).toEqual(['secret']);
    }
    // It was at it all the time.
    const look =
      'until [ "$link$directory" = 11 ]; do [ -L /shared/place ] && link=1 || directory=1; done; echo $link$directory';
    expect(await inside(machine.host, 'attacker', 'sh', '-c', look)).toBe('11\n');
    const {stdout} = await machine.host.tscompose(['logs', '--no-color', ...victims]);
    expect(stdout).not.toContain('of the machine');
  });

  test('links in a volume that a container plants while the volume is filled from an image (CVE-2018-15664)', async () => {
    await mustLoadHostile(machine.host, 'hostile', (root) => {
      mkdirSync(join(root, 'data/inner'), {recursive: true});
      writeFileSync(join(root, 'data/inner/file'), 'from the image');
    });
    const victims = Array.from({length: 4}, (_, index) => `victim${index}`);
    writeStack(
      machine.host,
      `name: hostile
services:
  attacker: {image: hostile, init: true, command: [try, plant, /shared, "${machine.climbing()}"], volumes: ["shared:/shared"]}
${victims.map((name) => `  ${name}: {image: hostile, command: [sh, -c, "cat /data/inner/secret; true"], volumes: ["shared:/data"]}`).join('\n')}
volumes: {shared: {}}
`,
    );
    await mustUp(machine.host, ['attacker']);
    await eventually(async () => {
      expect((await machine.host.tscompose(['logs', '--no-log-prefix', 'attacker'])).stdout).toBe('planting\n');
    });
    for (let round = 0; round < 5; round += 1) {
      await machine.host.tscompose(['up', '-d', '--force-recreate', '--no-deps', ...victims]);
      expect(readdirSync(machine.outside)).toEqual(['secret']);
    }
    expect((await machine.host.tscompose(['ps', '-q', 'attacker'])).stdout).not.toBe('');
    expect((await machine.host.tscompose(['logs', '--no-color', ...victims])).stdout).not.toContain('of the machine');
  });

  describe('an image whose directories lead out', () => {
    test.each(['dev', 'proc', 'sys'])('/%s', async (name) => {
      await mustLoadHostile(machine.host, 'hostile', (root) => {
        rmSync(join(root, name), {recursive: true});
        symlinkSync(`/${machine.climbing()}`, join(root, name));
      });
      const {code, stderr} = await machine.host.tscompose(['up', '-d']);
      expect(code).toBe(1);
      expect(stderr).toContain(`mount /${name}: a symbolic link in the image, it must be a directory`);
    });

    test('beneath /dev: what is there is covered, and the console is the container’s terminal (CVE-2025-31133, CVE-2025-52565)', async () => {
      await mustLoadHostile(machine.host, 'hostile', (root) => {
        symlinkSync('/proc/sysrq-trigger', join(root, 'dev/null'));
        mkdirSync(join(root, 'dev/pts'));
        symlinkSync('/etc/passwd', join(root, 'dev/pts/0'));
        symlinkSync(`/${machine.climbing()}/secret`, join(root, 'dev/console'));
        symlinkSync(`/${machine.climbing()}`, join(root, 'dev/shm'));
      });
      writeStack(
        machine.host,
        `name: hostile
services:
  a:
    image: hostile
    tty: true
    command: [sh, -c, "stat -c '%F %t:%T' /dev/console /dev/null /dev/pts/0; stat -c %F /dev/shm; cat /proc/interrupts; echo over > /dev/console; (: > /proc/sys/kernel/core_pattern) 2>&1"]
`,
      );
      const lines = (await outputOf(machine.host, 'a')).split('\n');
      expect(lines).toEqual([
        'character special file 88:0',
        'character special file 1:3',
        'character special file 88:0',
        'directory',
        'over',
        expect.stringContaining('Read-only file system'),
        '',
      ]);
      expect(readFileSync(join(machine.outside, 'secret'), 'utf8')).toBe('of the machine');
    });

    test('places that the engine and the stack file write to', async () => {
      await mustLoadHostile(machine.host, 'hostile', (root) => {
        rmSync(join(root, 'etc/hosts'), {force: true});
        symlinkSync(`/${machine.climbing()}/hosts`, join(root, 'etc/hosts'));
        symlinkSync(`/${machine.climbing()}/resolv.conf`, join(root, 'etc/resolv.conf'));
        symlinkSync(`/${machine.climbing()}/mtab`, join(root, 'etc/mtab'));
        symlinkSync(`/${machine.climbing()}`, join(root, 'work'));
        symlinkSync(`/${machine.climbing()}`, join(root, 'data'));
        rmSync(join(root, 'run'), {recursive: true});
        symlinkSync(`/${machine.climbing()}`, join(root, 'run'));
      });
      writeStack(
        machine.host,
        `name: hostile
services:
  a:
    image: hostile
    command: [sh, -c, "cat /run/secrets/token; cat /data/secret /work/secret 2>/dev/null; grep -c localhost /etc/hosts; pwd -P"]
    working_dir: /work/deep
    volumes: ["named:/data/inner", "./given:/data/given"]
    tmpfs: [/data/temporary]
    secrets: [token]
secrets: {token: {file: ./token}}
volumes: {named: {}}
`,
      );
      writeFileSync(join(machine.host.directory, 'token'), 'token');
      const output = await outputOf(machine.host, 'a');
      expect(output).not.toContain('of the machine');
      expect(output).toMatch(/^token2\n/);
    });
  });

  describe("mounts at the container's /proc (CVE-2019-16884, CVE-2025-52881)", () => {
    test.each(['/proc', '/proc/self/attr', '/proc/sys/kernel', '/link', '/link/self'])(
      '%s is refused',
      async (target) => {
        await mustLoadHostile(machine.host, 'hostile', (root) => symlinkSync('/proc', join(root, 'link')));
        writeStack(
          machine.host,
          `name: hostile
services: {a: {image: hostile, command: "true", volumes: ["named:${target}"]}}
volumes: {named: {}}
`,
        );
        const {code, stderr} = await machine.host.tscompose(['up', '-d']);
        expect(code).toBe(1);
        expect(stderr).toContain(`${target}: it is inside the container's /proc`);
      },
    );
  });
});
