import {execFileSync} from 'node:child_process';
import {mkdirSync, rmSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, test} from 'vitest';
import {mustLoadHostile, mustUp, writeStack} from './attacks/hostile.ts';
import {attackTargets, useAttacked} from './attacks/targets.ts';

/** What goes with every project that a test may have made. */
const stack = 'name: hostile\nservices: {a: {image: hostile, command: "true"}}\n';

describe.each(attackTargets)('an engine $engine', (target) => {
  const machine = useAttacked(target, stack);

  describe('user files that are traps (CVE-2024-9676, CVE-2023-0778)', () => {
    const traps: Readonly<Record<string, (path: string) => void>> = {
      'a pipe': (path) => execFileSync('mkfifo', [path]),
      'an endless device': (path) => symlinkSync('/dev/zero', path),
      'a device node': (path) => execFileSync('mknod', [path, 'c', '1', '5']),
      'a directory': (path) => mkdirSync(path),
      'a link to itself': (path) => symlinkSync('passwd', path),
      'a file of the machine': (path) => symlinkSync(`/${machine.climbing()}/secret`, path),
      'more than anybody writes': (path) => execFileSync('truncate', ['-s', '5M', path]),
    };

    test.each(Object.keys(traps))('%s', async (name) => {
      await mustLoadHostile(machine.host, 'hostile', (root) => {
        rmSync(join(root, 'etc/passwd'));
        traps[name]?.(join(root, 'etc/passwd'));
      });
      writeStack(machine.host, 'name: hostile\nservices: {a: {image: hostile, user: app, command: [id, -u]}}\n');
      const {code, stderr} = await machine.host.tscompose(['up', '-d'], {timeoutMs: 50_000});
      expect(code).toBe(1);
      expect(stderr).toMatch(/passwd/);
      expect(stderr).not.toContain('of the machine');
    });
  });

  describe('users', () => {
    beforeAll(() => mustLoadHostile(machine.host, 'hostile', () => {}));

    test.each(['1000x', '-1', '4294967296', '0x0', ' 0', '1000:-1', 'root:4294967296', '2147483648'])(
      'user "%s" is nobody, and not root (CVE-2026-30892)',
      async (user) => {
        writeStack(
          machine.host,
          `name: hostile\nservices:\n  a: {image: hostile, user: "${user}", command: [id, -u]}\n  b: {image: hostile, command: sleep 600, init: true}\n`,
        );
        expect((await machine.host.tscompose(['up', '-d', 'a'])).code).not.toBe(0);
        expect((await machine.host.tscompose(['logs', '--no-log-prefix', 'a'])).stdout).toBe('');
        await mustUp(machine.host, ['b']);
        const {code, stdout} = await machine.host.tscompose(['exec', '-T', '-u', user, 'b', 'id', '-u']);
        expect(stdout).toBe('');
        expect(code).toBe(125);
      },
    );
  });
});
