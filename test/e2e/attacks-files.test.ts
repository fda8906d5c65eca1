import {execFileSync} from 'node:child_process';
import {chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {makeTar, type RawEntry} from '../support/archive.ts';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {down, inside, loadHostile, mustLoadHostile, mustUp, outputOf, writeStack} from './attacks/hostile.ts';

let host: TestHost;
/** A directory of the machine with a file that no container may see or change. */
let outside: string;

/** What goes with every project that a test may have made. */
const stack = 'name: hostile\nservices: {a: {image: hostile, command: "true"}}\n';

beforeEach(async () => {
  host = await makeHost();
  writeStack(host, stack);
  outside = join(host.directory, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'of the machine');
});
afterEach(async () => {
  await down(host);
  const left = host.leftovers();
  const files = readdirSync(outside);
  const mounts = readFileSync('/proc/self/mounts', 'utf8');
  await host[Symbol.asyncDispose]();
  expect(left).toEqual([]);
  expect(files).toEqual(['secret']);
  expect(mounts).not.toContain(outside);
});

/** As a path that climbs out of anywhere. */
const climbing = () => `${'../'.repeat(20)}${outside.slice(1)}`;

describe('descriptors that were left open (CVE-2024-21626)', () => {
  const numbers = Array.from({length: 28}, (_, index) => index + 3);

  test('as the working directory of containers', {timeout: 120_000}, async () => {
    await mustLoadHostile(host, 'hostile', (root) => {
      for (const number of numbers) symlinkSync(`/proc/self/fd/${number}`, join(root, `fd-${number}`));
    });
    const probe = `cat ${climbing()}/secret 2>/dev/null; pwd`;
    writeStack(
      host,
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
    await host.tscompose(['up', '-d']);
    const {stdout: list} = await host.tscompose(['ps', '-a', '--format', 'json']);
    expect(list.trim().split('\n')).toHaveLength(3 * numbers.length);
    const {stdout} = await host.tscompose(['logs', '--no-log-prefix', '--no-color']);
    expect(stdout).not.toContain('of the machine');
    expect(stdout.split('\n').filter((line) => line !== '' && !line.startsWith('/'))).toEqual([]);
  });

  test('as the working directory of executed processes', {timeout: 120_000}, async () => {
    await mustLoadHostile(host, 'hostile', () => {});
    writeStack(
      host,
      'name: hostile\nservices: {stays: {image: hostile, network_mode: none, command: sleep 600, init: true}}\n',
    );
    await mustUp(host);
    for (const number of numbers) {
      const place = number % 2 === 0 ? `/proc/self/fd/${number}` : `/proc/self/fd/${number}/../../..`;
      const words = ['exec', '-T', '-w', place, 'stays', 'sh', '-c', `cat ${climbing()}/secret 2>/dev/null; pwd`];
      const {code, stdout} = await host.tscompose(words);
      expect(stdout).not.toContain('of the machine');
      if (code === 0) expect(stdout).toMatch(/^\//);
      else expect(code).toBeGreaterThanOrEqual(125);
    }
  });
});

test('a mount target that another container swaps for a link meanwhile (CVE-2021-30465)', {
  timeout: 120_000,
}, async () => {
  const given = join(host.directory, 'given');
  mkdirSync(given);
  await mustLoadHostile(host, 'hostile', () => {});
  const victims = Array.from({length: 5}, (_, index) => `victim${index}`);
  writeStack(
    host,
    `name: hostile
services:
  attacker:
    image: hostile
    init: true
    command: [sh, -c, "mkdir -p /shared/place; ln -sfn ${climbing()} /shared/link; echo ready; exec try swap /shared/place /shared/link"]
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
  await mustUp(host, ['attacker']);
  for (let round = 0; round < 4; round += 1) {
    await host.tscompose(['up', '-d', '--force-recreate', '--no-deps', ...victims]);
    expect(readdirSync(outside)).toEqual(['secret']);
  }
  // It was at it all the time.
  const look =
    'until [ "$link$directory" = 11 ]; do [ -L /shared/place ] && link=1 || directory=1; done; echo $link$directory';
  expect(await inside(host, 'attacker', 'sh', '-c', look)).toBe('11\n');
  const {stdout} = await host.tscompose(['logs', '--no-color', ...victims]);
  expect(stdout).not.toContain('of the machine');
});

test('links in a volume that a container plants while the volume is filled from an image (CVE-2018-15664)', {
  timeout: 120_000,
}, async () => {
  await mustLoadHostile(host, 'hostile', (root) => {
    mkdirSync(join(root, 'data/inner'), {recursive: true});
    writeFileSync(join(root, 'data/inner/file'), 'from the image');
  });
  const victims = Array.from({length: 4}, (_, index) => `victim${index}`);
  writeStack(
    host,
    `name: hostile
services:
  attacker: {image: hostile, init: true, command: [try, plant, /shared, "${climbing()}"], volumes: ["shared:/shared"]}
${victims.map((name) => `  ${name}: {image: hostile, command: [sh, -c, "cat /data/inner/secret; true"], volumes: ["shared:/data"]}`).join('\n')}
volumes: {shared: {}}
`,
  );
  await mustUp(host, ['attacker']);
  await eventually(async () => {
    expect((await host.tscompose(['logs', '--no-log-prefix', 'attacker'])).stdout).toBe('planting\n');
  });
  for (let round = 0; round < 5; round += 1) {
    await host.tscompose(['up', '-d', '--force-recreate', '--no-deps', ...victims]);
    expect(readdirSync(outside)).toEqual(['secret']);
  }
  expect((await host.tscompose(['ps', '-q', 'attacker'])).stdout).not.toBe('');
  expect((await host.tscompose(['logs', '--no-color', ...victims])).stdout).not.toContain('of the machine');
});

describe('an image whose directories lead out', () => {
  test.each(['dev', 'proc', 'sys'])('/%s', async (name) => {
    await mustLoadHostile(host, 'hostile', (root) => {
      rmSync(join(root, name), {recursive: true});
      symlinkSync(`/${climbing()}`, join(root, name));
    });
    const {code, stderr} = await host.tscompose(['up', '-d']);
    expect(code).toBe(1);
    expect(stderr).toContain(`mount /${name}: a symbolic link in the image, it must be a directory`);
  });

  test('beneath /dev: what is there is covered, and the console is the container’s terminal (CVE-2025-31133, CVE-2025-52565)', async () => {
    await mustLoadHostile(host, 'hostile', (root) => {
      symlinkSync('/proc/sysrq-trigger', join(root, 'dev/null'));
      mkdirSync(join(root, 'dev/pts'));
      symlinkSync('/etc/passwd', join(root, 'dev/pts/0'));
      symlinkSync(`/${climbing()}/secret`, join(root, 'dev/console'));
      symlinkSync(`/${climbing()}`, join(root, 'dev/shm'));
    });
    writeStack(
      host,
      `name: hostile
services:
  a:
    image: hostile
    tty: true
    command: [sh, -c, "stat -c '%F %t:%T' /dev/console /dev/null /dev/pts/0; stat -c %F /dev/shm; cat /proc/interrupts; echo over > /dev/console; (: > /proc/sys/kernel/core_pattern) 2>&1"]
`,
    );
    const lines = (await outputOf(host, 'a')).split('\n');
    expect(lines).toEqual([
      'character special file 88:0',
      'character special file 1:3',
      'character special file 88:0',
      'directory',
      'over',
      expect.stringContaining('Read-only file system'),
      '',
    ]);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('of the machine');
  });

  test('places that the engine and the stack file write to', async () => {
    await mustLoadHostile(host, 'hostile', (root) => {
      rmSync(join(root, 'etc/hosts'), {force: true});
      symlinkSync(`/${climbing()}/hosts`, join(root, 'etc/hosts'));
      symlinkSync(`/${climbing()}/resolv.conf`, join(root, 'etc/resolv.conf'));
      symlinkSync(`/${climbing()}/mtab`, join(root, 'etc/mtab'));
      symlinkSync(`/${climbing()}`, join(root, 'work'));
      symlinkSync(`/${climbing()}`, join(root, 'data'));
      rmSync(join(root, 'run'), {recursive: true});
      symlinkSync(`/${climbing()}`, join(root, 'run'));
    });
    writeStack(
      host,
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
    writeFileSync(join(host.directory, 'token'), 'token');
    const output = await outputOf(host, 'a');
    expect(output).not.toContain('of the machine');
    expect(output).toMatch(/^token2\n/);
  });
});

describe("mounts at the container's /proc (CVE-2019-16884, CVE-2025-52881)", () => {
  test.each(['/proc', '/proc/self/attr', '/proc/sys/kernel', '/link', '/link/self'])(
    '%s is refused',
    async (target) => {
      await mustLoadHostile(host, 'hostile', (root) => symlinkSync('/proc', join(root, 'link')));
      writeStack(
        host,
        `name: hostile
services: {a: {image: hostile, command: "true", volumes: ["named:${target}"]}}
volumes: {named: {}}
`,
      );
      const {code, stderr} = await host.tscompose(['up', '-d']);
      expect(code).toBe(1);
      expect(stderr).toContain(`${target}: it is inside the container's /proc`);
    },
  );
});

describe('user files that are traps (CVE-2024-9676, CVE-2023-0778)', () => {
  const traps: Readonly<Record<string, (path: string) => void>> = {
    'a pipe': (path) => execFileSync('mkfifo', [path]),
    'an endless device': (path) => symlinkSync('/dev/zero', path),
    'a device node': (path) => execFileSync('mknod', [path, 'c', '1', '5']),
    'a directory': (path) => mkdirSync(path),
    'a link to itself': (path) => symlinkSync('passwd', path),
    'a file of the machine': (path) => symlinkSync(`/${climbing()}/secret`, path),
    'more than anybody writes': (path) => execFileSync('truncate', ['-s', '5M', path]),
  };

  test.each(Object.keys(traps))('%s', async (name) => {
    await mustLoadHostile(host, 'hostile', (root) => {
      rmSync(join(root, 'etc/passwd'));
      traps[name]?.(join(root, 'etc/passwd'));
    });
    writeStack(host, 'name: hostile\nservices: {a: {image: hostile, user: app, command: [id, -u]}}\n');
    const {code, stderr} = await host.tscompose(['up', '-d'], {timeoutMs: 50_000});
    expect(code).toBe(1);
    expect(stderr).toMatch(/passwd/);
    expect(stderr).not.toContain('of the machine');
  });

  test.each(['1000x', '-1', '4294967296', '0x0', ' 0', '1000:-1', 'root:4294967296', '2147483648'])(
    'user "%s" is nobody, and not root (CVE-2026-30892)',
    async (user) => {
      await mustLoadHostile(host, 'hostile', () => {});
      writeStack(
        host,
        `name: hostile\nservices:\n  a: {image: hostile, user: "${user}", command: [id, -u]}\n  b: {image: hostile, command: sleep 600, init: true}\n`,
      );
      expect((await host.tscompose(['up', '-d', 'a'])).code).not.toBe(0);
      expect((await host.tscompose(['logs', '--no-log-prefix', 'a'])).stdout).toBe('');
      await mustUp(host, ['b']);
      const {code, stdout} = await host.tscompose(['exec', '-T', '-u', user, 'b', 'id', '-u']);
      expect(stdout).toBe('');
      expect(code).toBe(125);
    },
  );
});

describe('archives of images', () => {
  test.each([
    ['a name that climbs', () => [{name: `${'../'.repeat(10)}${outside.slice(1)}/pwn`, data: 'pwn'}]],
    [
      'a hard link to a file outside',
      () => [
        {name: 'link', type: '2', link: `/${climbing()}`},
        {name: 'stolen', type: '1', link: 'link/secret'},
      ],
    ],
    ['a mark that hides the parent directory', () => [{name: 'd', type: '5'}, {name: 'd/.wh...'}]],
  ] satisfies readonly [string, () => readonly RawEntry[]][])('%s', async (_, entries) => {
    const archive = join(host.directory, 'evil.tar');
    writeFileSync(archive, makeTar(entries()));
    const {code, stderr} = await host.tscompose(['load', '-q', '-i', archive, '--import', 'evil']);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^error: /);
    expect((await host.tscompose(['images', '-a', '--format', 'json'])).stdout).not.toContain('evil');
    expect(readdirSync(join(host.root, 'layers')).filter((name) => !name.startsWith('host-'))).toEqual([]);
  });

  test('what is written through a link of the image stays in the image', async () => {
    await mustLoadHostile(host, 'hostile', (root) => symlinkSync(`/${climbing()}`, join(root, 'out')));
    writeStack(
      host,
      `name: hostile
services: {a: {image: hostile, command: [sh, -c, "mkdir -p /out; echo pwn > /out/pwn; ls /out"], volumes: ["named:/out/volume"]}}
volumes: {named: {}}
`,
    );
    expect((await outputOf(host, 'a')).split('\n')).toContain('pwn');
  });

  test('programs of the machine are not taken from an image, and its settings are not believed', async () => {
    const {code, stderr} = await loadHostile(host, 'hostile', () => {}, [
      'USER 1000x',
      'WORKDIR /x',
      'STOPSIGNAL SIGNONSENSE',
    ]);
    if (code === 0) {
      writeStack(host, 'name: hostile\nservices: {a: {image: hostile, command: [id, -u]}}\n');
      expect((await host.tscompose(['up', '-d'])).code).not.toBe(0);
    } else {
      expect(stderr).toMatch(/^error: /);
    }
  });
});

describe('names that climb', () => {
  test.each([
    ['a container', 'services: {a: {image: hostile, command: "true", container_name: ../../etc}}', false],
    ['a project', 'name: ../up\nservices: {a: {image: hostile, command: "true"}}', true],
    [
      'a volume',
      'services: {a: {image: hostile, command: "true", volumes: ["v:/data"]}}\nvolumes: {v: {name: ../../../pwn}}',
      false,
    ],
    ['a network', 'services: {a: {image: hostile, command: "true"}}\nnetworks: {default: {name: ../../../pwn}}', true],
    ['an image', 'services: {a: {image: ../../../pwn, command: "true"}}', false],
    ['a host name', 'services: {a: {image: hostile, command: "true", hostname: "../../x"}}', false],
  ])('%s', async (_, text, harmless) => {
    await mustLoadHostile(host, 'hostile', () => {});
    writeStack(host, `${text.startsWith('name') ? '' : 'name: hostile\n'}${text}\n`);
    const places = [join(host.root, '..'), '/', '/tmp', '/run', '/etc'];
    const before = places.map((place) => readdirSync(place).filter((name) => /pwn|^up/.test(name)));
    const {code, stderr} = await host.tscompose(['up', '-d']);
    // Where it is kept by an id, or made into a name that does not climb, it is as good as any other.
    if (harmless) expect({code, stderr: code === 0 ? '' : stderr}).toEqual({code: 0, stderr: ''});
    else expect(stderr).toMatch(/error/);
    expect(code === 0).toBe(harmless);
    expect(places.map((place) => readdirSync(place).filter((name) => /pwn|^up/.test(name)))).toEqual(before);
    if (harmless) await down(host);
    writeStack(host, stack);
  });
});

test('nobody else on the machine enters what the engine keeps: programs with the set-user-ID bit of images lie there', async () => {
  await mustLoadHostile(host, 'hostile', (root) => chmodSync(join(root, 'bin/try'), 0o4755));
  writeStack(
    host,
    'name: hostile\nservices: {a: {image: hostile, command: sleep 600, init: true, volumes: ["v:/v"]}}\nvolumes: {v: {}}\n',
  );
  await mustUp(host);
  chmodSync(host.directory, 0o755);
  for (const directory of [host.root, host.run]) expect(statSync(directory).mode & 0o077).toBe(0);
  const {code} = await host.command('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', 'ls', host.root]);
  expect(code).not.toBe(0);
  expect(await inside(host, 'a', 'id', '-u')).toBe('0\n');
});
