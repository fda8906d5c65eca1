import {statSync} from 'node:fs';
import {hostname} from 'node:os';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {inside, mustLoadHostile, mustUp, outputOf, writeStack} from './attacks/hostile.ts';
import {type AttackHost, attackTargets, closeAttacked} from './attacks/targets.ts';

/** Answers other than EPERM that deny as well. Files are read-only or hidden, and not every kernel has them. */
const denials: Readonly<Record<string, readonly string[]>> = {
  // Programs fall back to clone, whose flags a filter can see.
  clone3: ['ENOSYS'],
  nice: ['EACCES'],
  // The streams are pipes.
  push_input: ['ENOTTY'],
  // A user that was given no cgroups has none to show.
  cgroup: ['EROFS', 'EACCES', 'ENOENT'],
  core_pattern: ['EROFS', 'EACCES'],
  sysrq: ['EROFS', 'EACCES', 'ENOENT'],
  modprobe_path: ['EROFS', 'EACCES', 'ENOENT'],
  uevent_helper: ['EROFS', 'EACCES', 'ENOENT'],
  binfmt: ['EROFS', 'EACCES', 'ENOENT'],
  read_memory: ['ENODATA', 'ENOENT'],
  read_keys: ['ENODATA', 'ENOENT'],
  read_timers: ['ENODATA', 'ENOENT'],
  change_masked: ['EROFS', 'EPERM'],
  change_streams: ['ENODEV'],
};

/** What may be done since it concerns nobody else. */
const harmless: Readonly<Record<string, string>> = {
  // Marks of packets end with the network namespace.
  socket_mark: 'done',
  // The first process is its own parent where there is no init.
  trace_init: 'done',
  // The streams are the container's own null device, pipes or terminal.
  change_streams: 'done',
};

/** Lines of what was not denied, or denied in an unexpected way. */
function notDenied(output: string): string[] {
  const lines = output.split('\n').filter((line) => line !== '');
  expect(lines.length).toBeGreaterThan(60);
  return lines.filter((line) => {
    const [name = '', answer = ''] = line.split(/ (.*)/s);
    return answer !== 'EPERM' && !denials[name]?.includes(answer) && harmless[name] !== answer;
  });
}

describe.each(attackTargets)('an engine $engine', (target) => {
  let host: AttackHost;

  beforeAll(async () => {
    host = await target.open();
    await mustLoadHostile(host, 'hostile', () => {});
    writeStack(
      host,
      `name: hostile
services:
  root: {image: hostile, command: [try, all]}
  user: {image: hostile, command: [try, all], user: app}
  init: {image: hostile, command: [try, all], init: true}
  terminal: {image: hostile, command: [try, all], tty: true}
  stays: {image: hostile, command: sleep 600, init: true}
  stays-locked: {image: hostile, command: sleep 600, init: true, security_opt: ["no-new-privileges:true"]}
  stays-user: {image: hostile, command: sleep 600, init: true, user: app}
  tools:
    image: hostile
    command:
      - sh
      - -c
      - |
        unshare -Ur true; unshare -m true; nsenter -t 1 -m true; mount -t proc proc /tmp; dmesg; hostname owned
        date -s 2001-01-01; mknod /tmp/m c 1 1 && cat /tmp/m; echo 1 > /sys/fs/cgroup/memory/release_agent; cat /proc/keys | wc -l
`,
    );
    await mustUp(host, ['stays', 'stays-user', 'stays-locked']);
  });
  afterAll(() => closeAttacked(host));

  describe('what the kernel could be asked for is denied', () => {
    test('to root', async () => expect(notDenied(await outputOf(host, 'root'))).toEqual([]));

    test('to another user', async () => expect(notDenied(await outputOf(host, 'user'))).toEqual([]));

    test('under init, which cannot be traced', async () => {
      const output = await outputOf(host, 'init');
      expect(notDenied(output)).toEqual([]);
      expect(output).toContain('trace_init EPERM\n');
    });

    test('with a terminal; what is pushed into it stays in it', async () => {
      const lines = notDenied(await outputOf(host, 'terminal'));
      expect(lines.filter((line) => !/^(push_input done|echo pushed)$/.test(line))).toEqual([]);
    });

    test.each(['stays', 'stays-user', 'stays-locked'])('to a process executed in %s', async (service) =>
      expect(notDenied(await inside(host, service, 'try', 'all'))).toEqual([]),
    );

    test('to the tools that ask for it', async () => {
      const before = Date.now();
      const output = await outputOf(host, 'tools');
      // Words differ between versions of the tools; `date` prints what it was asked for even so.
      // What comes on standard output and on standard error has no order between the two.
      const lines = output.split('\n').filter((line) => line !== '');
      expect(lines.filter((line) => /not permitted|permission denied/i.test(line))).toHaveLength(8);
      expect(lines.filter((line) => / 2001$/.test(line))).toHaveLength(1);
      expect(lines.filter((line) => /can't create .*release_agent/.test(line))).toHaveLength(1);
      expect(lines).toContain('0');
      expect(lines).toHaveLength(11);
      expect(Date.now()).toBeGreaterThanOrEqual(before);
      expect(hostname()).not.toBe('owned');
    });
  });

  describe("the machine's null device stands behind masked files and spare streams, and cannot be changed through them", () => {
    const node = () => {
      const {mode, uid, gid, mtimeMs} = statSync('/dev/null');
      return {mode, uid, gid, mtimeMs};
    };

    test('a masked file', async () => {
      const before = node();
      const output = await inside(
        host,
        'stays',
        'sh',
        '-c',
        'touch -d "2001-01-01 00:00" /proc/interrupts; chown 0:0 /proc/interrupts; echo gone > /proc/interrupts && echo written',
      );
      expect(output.split('\n').sort()).toEqual([
        '',
        'chown: /proc/interrupts: Read-only file system',
        'touch: /proc/interrupts: Read-only file system',
        'written',
      ]);
      expect(node()).toEqual(before);
    });

    test('the streams of a process, in a container that took its own null device away', async () => {
      const before = node();
      await inside(host, 'stays', 'rm', '/dev/null');
      const {code} = await host.tscompose(['exec', '-d', 'stays', 'sh', '-c', 'try change_streams > /tmp/answer']);
      expect(code).toBe(0);
      const answer = await inside(
        host,
        'stays',
        'sh',
        '-c',
        'while [ ! -s /tmp/answer ]; do sleep 0.1; done; cat /tmp/answer',
      );
      // It is not the user's own either.
      expect(answer).toBe(`change_streams ${target.rootless ? 'EPERM' : 'EROFS'}\n`);
      expect(node()).toEqual(before);
    });
  });

  test('a container sees its own processes, sockets and cgroup only', async () => {
    const output = await inside(
      host,
      'stays',
      'sh',
      '-c',
      'ls -d /proc/[0-9]* | wc -l; wc -l < /proc/net/unix; cat /proc/1/cgroup | cut -d: -f3 | sort -u; cat /proc/self/mountinfo | grep -c docker; ls /sys/fs/cgroup/*/monitors /sys/fs/cgroup/monitors 2>/dev/null | wc -l',
    );
    const [processes = '', sockets = '', cgroups = '', mounts = '', monitors = ''] = output.split('\n');
    expect(Number(processes)).toBeLessThan(8);
    expect({sockets, cgroups, mounts, monitors}).toEqual({sockets: '1', cgroups: '/', mounts: '0', monitors: '0'});
  });
});
