import {chmodSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {describe, expect, test} from 'vitest';
import {hasKind} from '../../src/base/errors.ts';
import {makeTar, type RawEntry} from '../support/archive.ts';
import {eventually} from '../support/host.ts';
import {bytesOf} from '../support/read-tar.ts';
import {inside, mustLoadHostile, mustUp, outputOf, writeStack} from './attacks/hostile.ts';
import {serveAttacked} from './attacks/served.ts';
import {attackTargets, ofTheMachine, useAttacked} from './attacks/targets.ts';

/** What goes with every project that a test may have made. */
const stack = 'name: hostile\nservices: {a: {image: hostile, command: "true"}}\n';

const asleep = 'image: hostile, init: true, command: sleep 600';

/** Succeeds once the name was seen as a directory and as a link: somebody is swapping them. */
const sawBoth = 'until [ "$link$directory" = 11 ]; do [ -L /w/place ] && link=1 || directory=1; done';

async function* compressed(...entries: readonly RawEntry[]): AsyncGenerator<Uint8Array> {
  yield gzipSync(makeTar(entries));
}

describe.each(attackTargets)('an engine $engine', (target) => {
  const machine = useAttacked(target, stack);

  test('changes the files of names where it put them, whatever a container made of its own /etc', async () => {
    const {host} = machine;
    await mustLoadHostile(host, 'hostile', () => {});
    const lead = (file: string) =>
      `umount /etc/${file} && rm -f /etc/${file} && ln -s ${machine.climbing()}/secret /etc/${file}`;
    writeStack(
      host,
      `name: hostile
services:
  links: {image: hostile, init: true, cap_add: [SYS_ADMIN], command: [sh, -c, "${lead('hosts')} && ${lead('resolv.conf')} && echo ready; exec sleep 600"], networks: [one]}
  large: {image: hostile, init: true, command: [sh, -c, "dd if=/dev/zero bs=1M count=3 | tr '\\\\0' x >/etc/hosts; echo ready; exec sleep 600"], networks: [one]}
  sparse: {image: hostile, init: true, command: [sh, -c, "truncate -s 1G /etc/hosts /etc/resolv.conf; echo ready; exec sleep 600"], networks: [one]}
  closed: {image: hostile, init: true, command: [sh, -c, "chmod 0 /etc/hosts; echo ready; exec sleep 600"], networks: [one]}
  other: {${asleep}, networks: [two]}
networks: {one: {}, two: {}}
`,
    );
    await mustUp(host);
    const hostile = ['links', 'large', 'sparse', 'closed'];
    await eventually(async () => {
      const {stdout} = await host.tscompose(['logs', '--no-log-prefix', '--no-color', ...hostile]);
      expect(stdout.match(/^ready$/gm)).toHaveLength(hostile.length);
    });
    await using served = await serveAttacked(host);
    const network = served.docker.getNetwork('hostile_two');
    const interfaces = async (service: string) =>
      (await inside(host, service, 'sh', '-c', 'ls /sys/class/net | grep -c eth')).trim();
    for (let round = 0; round < 3; round++) {
      for (const service of hostile) {
        await network.connect(`hostile-${service}-1`);
        expect({service, interfaces: await interfaces(service)}).toEqual({service, interfaces: '2'});
      }
      for (const service of hostile) await network.disconnect(`hostile-${service}-1`);
    }
    for (const service of hostile) expect(await interfaces(service)).toBe('1');
    expect(await inside(host, 'links', 'cat', '/etc/hosts')).not.toContain(ofTheMachine);
    expect((await inside(host, 'large', 'sh', '-c', 'wc -c </etc/hosts')).trim()).toBe(String(3 << 20));
    // The next run has files of its own again.
    const {code} = await host.tscompose(['restart', '-t', '0', 'closed', 'other']);
    expect(code).toBe(0);
    expect(await inside(host, 'other', 'grep', '-c', 'localhost', '/etc/hosts')).toBe('2\n');
  });

  test('makes images and archives of a container that lays traps of nothing but its own', async () => {
    const {host} = machine;
    await mustLoadHostile(host, 'hostile', (root) => {
      for (const name of ['bin/gzip', 'bin/gunzip', 'bin/unpigz', 'bin/tar', 'bin/xz']) {
        rmSync(join(root, name), {force: true});
        writeFileSync(join(root, name), '#!/bin/sh\necho >/ran\n', {mode: 0o755});
      }
    });
    const traps = [
      'mkdir -p /w/place /w/deep',
      'echo own >/w/place/own',
      `ln -s ${machine.climbing()} /w/link`,
      `ln -s /${machine.climbing()}/secret /w/file`,
      'rm -f /etc/shadow',
      `ln -s /${machine.climbing()}/secret /etc/shadow`,
      'mkfifo /w/pipe',
      'touch /w/set',
      'chmod 4755 /w/set',
      'touch /w/$(printf "new\\\\nline")',
      'echo ready',
      'exec try swap /w/place /w/link',
    ];
    writeStack(
      host,
      `name: hostile
services:
  a: {image: hostile, init: true, network_mode: none, command: [sh, -c, '${traps.join('; ').replaceAll("'", "''")}']}
`,
    );
    await mustUp(host);
    await inside(host, 'a', 'sh', '-c', sawBoth);
    await using served = await serveAttacked(host);
    const container = served.docker.getContainer('hostile-a-1');
    let read = 0;
    let written = 0;
    for (let round = 0; round < 5 || Math.min(read, written) === 0; round++) {
      await container.commit({repo: 'committed'});
      for (const path of ['/w', '/w/place/.', '/etc/shadow']) {
        try {
          const text = (await bytesOf((await container.getArchive({path})).archive)).toString('latin1');
          expect(text).not.toContain(ofTheMachine);
          if (text.includes('own\n')) read++;
        } catch (error) {
          // The link leads nowhere inside the container; what is swapped once the answer has begun cuts it off.
          if (!hasKind(error, 'notFound', 'invalid', 'unavailable')) throw error;
        }
      }
      for (const [path, prefix] of [
        ['/w/place', ''],
        ['/w', 'place/'],
        ['/', 'w/place/'],
      ] as const) {
        try {
          await container.putArchive(compressed({name: `${prefix}secret`, data: 'put'}), {path});
          written++;
        } catch (error) {
          if (!hasKind(error, 'notFound', 'invalid', 'conflict')) throw error;
        }
      }
      expect(readdirSync(machine.outside)).toEqual(['secret']);
    }
    expect(Math.min(read, written)).toBeGreaterThan(0);
    // The archives came compressed: the container's programs for that are not the engine's.
    expect(await inside(host, 'a', 'ls', '/')).not.toContain('ran');
    await inside(host, 'a', 'sh', '-c', sawBoth);
    await host.tscompose(['kill', 'a']);
    writeStack(
      host,
      `name: hostile
services:
  a: {image: committed, network_mode: none, user: "0", command: [sh, -c, "cat /w/file /w/link/secret /w/place/secret /etc/shadow 2>/dev/null; cat /w/*/own; ls /w/pipe"]}
`,
    );
    const output = await outputOf(host, 'a');
    expect(output).not.toContain(ofTheMachine);
    expect(output).toContain('own\n');
    expect(output).toContain('/w/pipe\n');
  });

  test('mounts the part of a volume that was asked for, or nothing, while somebody swaps it for a link', async () => {
    const {host} = machine;
    await mustLoadHostile(host, 'hostile', (root) => {
      mkdirSync(join(root, 'sub'));
      writeFileSync(join(root, 'sub/copied'), 'copied');
      chmodSync(join(root, 'sub/copied'), 0o644);
    });
    const victims = Array.from({length: 4}, (_, index) => `victim${index}`);
    const seen = 'cat /sub/secret; echo written >/sub/mark; [ -e /sub/own ] && echo mounted; true';
    const mount = (copy: boolean) =>
      `{type: volume, source: shared, target: /sub, volume: {subpath: place, nocopy: ${!copy}}}`;
    writeStack(
      host,
      `name: hostile
services:
  attacker: {image: hostile, init: true, command: [sh, -c, "mkdir -p /w/place; echo own >/w/place/own; ln -sfn ${machine.climbing()} /w/link; exec try swap /w/place /w/link"], volumes: ["shared:/w"]}
${victims.map((name, index) => `  ${name}: {image: hostile, command: [sh, -c, "${seen}"], volumes: [${mount(index % 2 === 0)}]}`).join('\n')}
volumes: {shared: {}}
`,
    );
    await mustUp(host, ['attacker']);
    await inside(host, 'attacker', 'sh', '-c', sawBoth);
    let output = '';
    for (let round = 0; round < 4 || !output.includes('mounted'); round++) {
      await host.tscompose(['up', '-d', '--force-recreate', '--no-deps', ...victims]);
      expect(readdirSync(machine.outside)).toEqual(['secret']);
      output = (await host.tscompose(['logs', '--no-color', ...victims])).stdout;
      expect(output).not.toContain(ofTheMachine);
    }
    await inside(host, 'attacker', 'sh', '-c', sawBoth);
  });

  test.each(['part', 'part/.', 'deep/part', 'deep/../part'])(
    'mounts nothing of the machine for the part "%s" of an image',
    async (subpath) => {
      const {host} = machine;
      await mustLoadHostile(host, 'hostile', () => {});
      await mustLoadHostile(host, 'leads', (root) => {
        rmSync(join(root, 'part'), {recursive: true, force: true});
        symlinkSync(`/${machine.climbing()}`, join(root, 'part'));
        mkdirSync(join(root, 'deep'));
        symlinkSync(machine.climbing(), join(root, 'deep/part'));
      });
      writeStack(
        host,
        `name: hostile
services: {a: {image: hostile, command: [sh, -c, "cat /sub/secret"], volumes: [{type: image, source: leads, target: /sub, image: {subpath: "${subpath}"}}]}}
`,
      );
      const {code, stderr} = await host.tscompose(['up', '-d']);
      expect(code).not.toBe(0);
      expect(stderr).toMatch(/subpath .* of image: .*(a link in it leads out of the image|no such file)/);
    },
  );
});
