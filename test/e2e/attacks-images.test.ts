import {chmodSync, readdirSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, test} from 'vitest';
import {makeTar, type RawEntry} from '../support/archive.ts';
import {down, inside, loadHostile, mustLoadHostile, mustUp, outputOf, writeStack} from './attacks/hostile.ts';
import {attackTargets, useAttacked} from './attacks/targets.ts';

/** What goes with every project that a test may have made. */
const stack = 'name: hostile\nservices: {a: {image: hostile, command: "true"}}\n';

describe.each(attackTargets)('an engine $engine', (target) => {
  const machine = useAttacked(target, stack);

  describe('archives of images', () => {
    // What the first command makes is there before.
    beforeAll(() => mustLoadHostile(machine.host, 'hostile', () => {}));

    test.each([
      ['a name that climbs', () => [{name: `${'../'.repeat(10)}${machine.outside.slice(1)}/pwn`, data: 'pwn'}]],
      [
        'a hard link to a file outside',
        () => [
          {name: 'link', type: '2', link: `/${machine.climbing()}`},
          {name: 'stolen', type: '1', link: 'link/secret'},
        ],
      ],
      ['a mark that hides the parent directory', () => [{name: 'd', type: '5'}, {name: 'd/.wh...'}]],
    ] satisfies readonly [string, () => readonly RawEntry[]][])('%s', async (_, entries) => {
      const archive = join(machine.host.directory, 'evil.tar');
      writeFileSync(archive, makeTar(entries()));
      const layers = () => readdirSync(join(machine.host.root, 'layers')).sort();
      const before = layers();
      const {code, stderr} = await machine.host.tscompose(['load', '-q', '-i', archive, '--import', 'evil']);
      expect(code).not.toBe(0);
      expect(stderr).toMatch(/^error: /);
      expect((await machine.host.tscompose(['images', '-a', '--format', 'json'])).stdout).not.toContain('evil');
      expect(layers()).toEqual(before);
    });

    test('what is written through a link of the image stays in the image', async () => {
      await mustLoadHostile(machine.host, 'hostile', (root) =>
        symlinkSync(`/${machine.climbing()}`, join(root, 'out')),
      );
      writeStack(
        machine.host,
        `name: hostile
services: {a: {image: hostile, command: [sh, -c, "mkdir -p /out; echo pwn > /out/pwn; ls /out"], volumes: ["named:/out/volume"]}}
volumes: {named: {}}
`,
      );
      expect((await outputOf(machine.host, 'a')).split('\n')).toContain('pwn');
    });

    test('programs of the machine are not taken from an image, and its settings are not believed', async () => {
      const {code, stderr} = await loadHostile(machine.host, 'hostile', () => {}, [
        'USER 1000x',
        'WORKDIR /x',
        'STOPSIGNAL SIGNONSENSE',
      ]);
      if (code === 0) {
        writeStack(machine.host, 'name: hostile\nservices: {a: {image: hostile, command: [id, -u]}}\n');
        expect((await machine.host.tscompose(['up', '-d'])).code).not.toBe(0);
      } else {
        expect(stderr).toMatch(/^error: /);
      }
    });
  });

  describe('names that climb', () => {
    beforeAll(() => mustLoadHostile(machine.host, 'hostile', () => {}));

    test.each([
      ['a container', 'services: {a: {image: hostile, command: "true", container_name: ../../etc}}', false],
      ['a project', 'name: ../up\nservices: {a: {image: hostile, command: "true"}}', true],
      [
        'a volume',
        'services: {a: {image: hostile, command: "true", volumes: ["v:/data"]}}\nvolumes: {v: {name: ../../../pwn}}',
        false,
      ],
      [
        'a network',
        'services: {a: {image: hostile, command: "true"}}\nnetworks: {default: {name: ../../../pwn}}',
        true,
      ],
      ['an image', 'services: {a: {image: ../../../pwn, command: "true"}}', false],
      ['a host name', 'services: {a: {image: hostile, command: "true", hostname: "../../x"}}', false],
    ])('%s', async (_, text, harmless) => {
      writeStack(machine.host, `${text.startsWith('name') ? '' : 'name: hostile\n'}${text}\n`);
      const places = [join(machine.host.root, '..'), '/', '/tmp', '/run', '/etc'];
      const before = places.map((place) => readdirSync(place).filter((name) => /pwn|^up/.test(name)));
      const {code, stderr} = await machine.host.tscompose(['up', '-d']);
      // Where it is kept by an id, or made into a name that does not climb, it is as good as any other.
      if (harmless) expect({code, stderr: code === 0 ? '' : stderr}).toEqual({code: 0, stderr: ''});
      else expect(stderr).toMatch(/error/);
      expect(code === 0).toBe(harmless);
      expect(places.map((place) => readdirSync(place).filter((name) => /pwn|^up/.test(name)))).toEqual(before);
      if (harmless) await down(machine.host);
      writeStack(machine.host, stack);
    });
  });

  test('nobody else on the machine enters what the engine keeps: programs with the set-user-ID bit of images lie there', async () => {
    await mustLoadHostile(machine.host, 'hostile', (root) => chmodSync(join(root, 'bin/try'), 0o4755));
    writeStack(
      machine.host,
      'name: hostile\nservices: {a: {image: hostile, command: sleep 600, init: true, volumes: ["v:/v"]}}\nvolumes: {v: {}}\n',
    );
    await mustUp(machine.host);
    chmodSync(machine.host.directory, 0o755);
    for (const directory of [machine.host.root, machine.host.run]) expect(statSync(directory).mode & 0o077).toBe(0);
    const {code} = await machine.host.command('setpriv', [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      'ls',
      machine.host.root,
    ]);
    expect(code).not.toBe(0);
    expect(await inside(machine.host, 'a', 'id', '-u')).toBe('0\n');
  });
});
