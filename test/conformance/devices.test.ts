import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {DeviceMapping, HostConfig} from '../../src/api/types/container.ts';
import {refusal, runOnce} from './run-once.ts';
import {describeTargets} from './targets.ts';

/** A device that no driver has: to open it is "no such device" where a container may, else "not permitted". */
const unused = [240, 7] as const;
const may = 'No such device or address';
const mayNot = 'Operation not permitted';

/** Devices of the machine, in a directory of ours. */
let machine: string;

beforeAll(() => {
  machine = mkdtempSync(join(tmpdir(), 'tsc-devices-'));
  mkdirSync(join(machine, 'all/sub/fd'), {recursive: true});
  const make = (name: string, type: string, major: number, minor: number, mode = '600') =>
    execFileSync('mknod', ['-m', mode, join(machine, name), type, String(major), String(minor)]);
  make('unused', 'c', ...unused);
  make('owned', 'c', ...unused, '640');
  execFileSync('chown', ['12:34', join(machine, 'owned')]);
  make('all/one', 'c', 240, 11);
  make('all/block', 'b', 240, 12);
  make('all/sub/two', 'c', 240, 13);
  make('all/sub/fd/three', 'c', 1, 5);
  symlinkSync('/dev/zero', join(machine, 'all/link'));
  symlinkSync('sub', join(machine, 'all/directory-link'));
  writeFileSync(join(machine, 'all/file'), '');
  writeFileSync(join(machine, 'file'), '');
  mkdirSync(join(machine, 'empty'));
  symlinkSync('unused', join(machine, 'link'));
  symlinkSync(join(machine, 'all'), join(machine, 'link-to-all'));
});
afterAll(() => rmSync(machine, {recursive: true}));

const map = (name: string, PathInContainer: string, CgroupPermissions = 'rwm'): HostConfig => ({
  Devices: [{PathOnHost: name.startsWith('/') ? name : join(machine, name), PathInContainer, CgroupPermissions}],
});
/** Mode, owner, numbers. */
const show = (path: string): string => `stat -c '%A %u:%g %t,%T' ${path}`;

describeTargets('devices', (target) => {
  const run = async (host: HostConfig, line: string): Promise<string> => (await runOnce(target, line, host)).text;

  it('are made with mode and owner of the machine’s', async () => {
    expect(await run(map('owned', '/dev/mine'), show('/dev/mine'))).toBe('crw-r----- 12:34 f0,7');
    expect(await run(map('unused', '/dev/deep/er/mine'), show('/dev/deep/er/mine'))).toBe('crw------- 0:0 f0,7');
    expect(await run(map('unused', '/etc/mine'), show('/etc/mine'))).toBe('crw------- 0:0 f0,7');
  });

  it('are opened as far as is permitted', async () => {
    const open = 'head -c1 /dev/mine; echo x >/dev/mine; mknod /tmp/mine c 240 7; echo $?';
    expect(await run(map('unused', '/dev/mine'), open)).toMatch(new RegExp(`${may}\\n.*${may}\\n0$`));
    expect(await run(map('unused', '/dev/mine', 'r'), open)).toMatch(new RegExp(`${may}\\n.*${mayNot}\\n0$`));
    expect(await run(map('unused', '/dev/mine', 'w'), open)).toMatch(new RegExp(`${mayNot}\\n.*${may}\\n0$`));
    // Making a node is allowed to all, opening it is not.
    expect(await run({}, 'mknod /tmp/mine c 240 7; head -c1 /tmp/mine')).toContain(mayNot);
  });

  it('are found through links', async () => {
    expect(await run(map('link', '/dev/mine'), show('/dev/mine'))).toBe('crw------- 0:0 f0,7');
  });

  it.each(['all', 'link-to-all'])('are all those in a directory: %s', async (name) => {
    const line = `cd /dev/mine; find . | sort; ${show('one')}; head -c1 one; mknod /tmp/b b 240 12; head -c1 /tmp/b`;
    const text = await run(map(name, '/dev/mine/', 'r'), line);
    expect(text.split('\n').slice(0, 8)).toEqual([
      ...['.', './block', './one', './sub', './sub/fd', './sub/fd/three', './sub/two', 'crw------- 0:0 f0,b'],
    ]);
    expect(text.match(new RegExp(may, 'g'))).toHaveLength(2);
  });

  it('are shown by inspect as they were asked for', async () => {
    const asked = {...map('unused', '/dev/mine', 'r'), DeviceCgroupRules: ['c 1:3 r']};
    expect((await (await target.create({HostConfig: asked})).inspect()).HostConfig).toMatchObject(asked);
  });

  it('are there after a restart, outside of /dev, too', async () => {
    const container = await target.run({HostConfig: map('unused', '/etc/mine')});
    await container.stop({t: 0});
    await container.start();
    expect((await container.inspect()).State.Running).toBe(true);
  });

  it.each([
    ['none', 'no such file or directory'],
    ['file', 'not a device node'],
    ['empty', 'not a device node'],
  ])('are refused: %s', async (name, reason) => {
    expect(await refusal(target, map(name, '/dev/mine'))).toContain(
      `error gathering device information while adding custom device "${join(machine, name)}": ${reason}`,
    );
  });

  it('are refused without permissions', async () => {
    expect(await refusal(target, map('unused', '/dev/mine', ''))).not.toBe('it runs');
  });

  it('of a privileged container come besides the machine’s', async () => {
    const host = {...map('owned', '/dev/mine', 'r'), Privileged: true};
    expect(await run(host, `${show('/dev/mine')}; echo x >/dev/mine`)).toMatch(
      new RegExp(`^crw-r----- 12:34 f0,7\\n.*${may}$`),
    );
    expect(await refusal(target, {...map('none', '/dev/mine'), Privileged: true})).toContain('error gathering');
  });

  it('do not replace what is in the container', async () => {
    const mapping: DeviceMapping = {
      PathOnHost: join(machine, 'unused'),
      PathInContainer: '/etc/passwd',
      CgroupPermissions: 'r',
    };
    const said = await runOnce(target, 'grep -c root /etc/passwd', {Devices: [mapping]}).catch((error: Error) => error);
    // Docker starts without the device, we say why not.
    if (said instanceof Error) expect(said.message).toContain('device /etc/passwd');
    else expect(said.text).toBe('1');
  });
});

describeTargets('rules for devices', (target) => {
  const open = async (host: HostConfig, type = 'c'): Promise<string> =>
    (await runOnce(target, `mknod /tmp/mine ${type} 240 7; head -c1 /tmp/mine; echo x >/tmp/mine`, host)).text;

  it.each([
    ['c 240:7 r', 'c', [may, mayNot]],
    ['c 240:7 rw', 'c', [may, may]],
    ['c 240:* wr', 'c', [may, may]],
    ['c *:7 w', 'c', [mayNot, may]],
    ['c 240:8 rwm', 'c', [mayNot, mayNot]],
    ['b 240:7 rwm', 'c', [mayNot, mayNot]],
    ['b 240:7 rrr', 'b', [may, mayNot]],
    ['a *:* rwm', 'c', [may, may]],
  ] as const)('%s, type %s', async (rule, type, [read, write]) => {
    expect(await open({DeviceCgroupRules: [rule]}, type)).toMatch(new RegExp(`${read}\\n.*${write}$`));
  });

  it('add up', async () => {
    const text = await open({DeviceCgroupRules: ['c 240:7 r', 'c 240:7 w']});
    expect(text).toMatch(new RegExp(`${may}\\n.*${may}$`));
  });

  it.each(['', 'c', 'c 1:3', 'c 1:3 x', 'x 1:3 r', ' c 1:3 r', 'c 1:3 rwmr', 'c 1:3 ', 'C 1:3 r', 'a'])(
    'refused: "%s"',
    async (rule) => {
      expect(await refusal(target, {DeviceCgroupRules: [rule]})).toContain(
        `invalid device cgroup rule format: '${rule}'`,
      );
    },
  );
});
