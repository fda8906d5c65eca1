import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {Container} from '../../src/client/container.ts';
import {eventually} from '../support/host.ts';
import {textOf} from './output.ts';
import {refusal, runOnce} from './run-once.ts';
import {describeTargets} from './targets.ts';

/** A directory of the machine for volumes to be. */
let machine: string;

beforeAll(() => {
  machine = mkdtempSync(join(tmpdir(), 'tsc-volume-options-'));
  mkdirSync(join(machine, 'content'));
  mkdirSync(join(machine, 'empty'));
  writeFileSync(join(machine, 'content/file'), 'of the machine\n');
});
afterAll(() => rmSync(machine, {recursive: true}));

function isMounted(place: string): boolean {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[4] === place);
}

describeTargets('volumes that are mounted', (target) => {
  const make = async (suffix: string, DriverOpts: Readonly<Record<string, string>>) => {
    const [label = '', value = ''] = target.label.split('=');
    return await target.docker.createVolume({Name: target.name(suffix), Labels: {[label]: value}, DriverOpts});
  };
  const run = async (name: string, line: string) => (await runOnce(target, line, {Binds: [`${name}:/m`]})).text;
  const said = async (container: Container, line: string) => {
    const exec = await container.exec({Cmd: ['sh', '-c', line], AttachStdout: true});
    return (await textOf((await exec.start()).output)).trim();
  };

  it('show their options and where they are', async () => {
    const options = {type: 'tmpfs', device: 'tmpfs', o: 'size=64k'};
    const volume = await make('shown', options);
    expect(volume).toMatchObject({Driver: 'local', Options: options, Scope: 'local'});
    expect(isMounted(volume.Mountpoint)).toBe(false);
    expect((await target.docker.listVolumes({filters: {name: [volume.Name]}})).Volumes).toEqual([volume]);
  });

  it('may be a directory of the machine', async () => {
    const {Name} = await make('bound', {type: 'none', o: 'bind', device: join(machine, 'content')});
    const written = `written-${Name}`;
    const Cmd = ['sh', '-c', `cat /m/file; touch /m/${written}`];
    const container = await target.create({Cmd, HostConfig: {Binds: [`${Name}:/m`]}});
    const next = container.wait({condition: 'next-exit'});
    await container.start();
    await next;
    expect(await textOf(await container.logs())).toBe('of the machine\n');
    await container.remove();
    expect(readdirSync(join(machine, 'content'))).toContain(written);
    await target.docker.getVolume(Name).remove();
    expect(readdirSync(join(machine, 'content'))).toContain('file');
  });

  it('take flags', async () => {
    const {Name} = await make('flags', {type: 'none', o: 'bind,ro', device: join(machine, 'content')});
    expect(await run(Name, 'touch /m/x')).toContain('Read-only file system');
    const memory = await make('memory-flags', {type: 'tmpfs', device: 'tmpfs', o: 'size=64k,uid=5,noexec'});
    expect(await run(memory.Name, 'awk \'$2 == "/m" {print $4}\' /proc/mounts; stat -c %u /m')).toMatch(
      /^rw,noexec,relatime,size=64k,uid=5(,inode64)?\n5$/,
    );
  });

  it('are filled from the image where they are empty', async () => {
    const {Name} = await make('filled', {type: 'none', o: 'bind', device: join(machine, 'empty')});
    const {text} = await runOnce(target, 'ls /etc', {Binds: [`${Name}:/etc`]});
    expect(text).toContain('passwd');
    expect(readdirSync(join(machine, 'empty'))).toEqual(expect.arrayContaining(['group', 'passwd']));
    rmSync(join(machine, 'empty'), {recursive: true});
    mkdirSync(join(machine, 'empty'));
  });

  it('are mounted from the first use to the last', async () => {
    const {Name, Mountpoint} = await make('memory', {type: 'tmpfs', device: 'tmpfs'});
    const HostConfig = {Binds: [`${Name}:/m`]};
    const first = await target.create({HostConfig});
    expect(isMounted(Mountpoint)).toBe(false);
    await first.start();
    expect(isMounted(Mountpoint)).toBe(true);
    await said(first, 'echo shared >/m/file');
    const second = await target.run({HostConfig});
    expect(await said(second, 'cat /m/file')).toBe('shared');
    await first.kill();
    await first.wait();
    expect(isMounted(Mountpoint)).toBe(true);
    expect(await said(second, 'cat /m/file')).toBe('shared');
    expect(await run(Name, 'cat /m/file')).toBe('shared');
    await second.kill();
    await eventually(() => expect(isMounted(Mountpoint)).toBe(false));
    expect(await run(Name, 'ls /m')).toBe('');
    await eventually(() => expect(isMounted(Mountpoint)).toBe(false));
  });

  it('are not removed while a container has them', async () => {
    const {Name} = await make('used', {type: 'tmpfs', device: 'tmpfs'});
    const container = await target.create({HostConfig: {Binds: [`${Name}:/m`]}});
    await expect(target.docker.getVolume(Name).remove()).rejects.toMatchObject({kind: 'conflict'});
    await container.remove();
    await target.docker.getVolume(Name).remove();
  });

  it('are left out of what takes space', async () => {
    const {Name} = await make('space', {type: 'tmpfs', device: 'tmpfs'});
    const plain = await make('plain', {});
    const names = (await target.docker.df({type: ['volume']})).Volumes?.map((volume) => volume.Name);
    expect(names).toContain(plain.Name);
    expect(names).not.toContain(Name);
  });

  it('are part by part', async () => {
    const {Name} = await make('parts', {type: 'none', o: 'bind', device: machine});
    const Mounts = [{Type: 'volume', Source: Name, Target: '/m', VolumeOptions: {Subpath: 'content'}} as const];
    expect((await runOnce(target, 'cat /m/file', {Mounts})).text).toBe('of the machine');
  });

  it.each([
    [{type: 'none', o: 'bind', device: '/nowhere/at/all'}, /no such file or directory/],
    [{type: 'tmpfs', device: 'tmpfs', o: 'not-an-option'}, /invalid argument/],
    [{type: 'nothing-like-it', device: 'x'}, /no such device|this kernel has no file system/],
    [{type: 'cifs', device: '//192.0.2.1/x', o: 'addr=192.0.2.1,password=secret'}, /password=\*{8}/],
  ])('say why they are not: %j', async (options, reason) => {
    const {Name, Mountpoint} = await make(`bad-${options.type}`, options as Readonly<Record<string, string>>);
    const said = await refusal(target, {Binds: [`${Name}:/m:nocopy`]});
    expect(said).toMatch(reason);
    expect(said).not.toContain('secret');
    expect(isMounted(Mountpoint)).toBe(false);
  });

  it.each([
    [{foo: 'x'}, 'invalid option: "foo"'],
    [{type: 'tmpfs'}, 'missing required option: "device"'],
    [{device: '/x'}, 'missing required option: "type"'],
    [{size: '10m'}, 'quota size requested but no quota support'],
  ])('are refused by option: %j', async (options, reason) => {
    const Name = target.name('refused');
    await expect(make('refused', options as unknown as Readonly<Record<string, string>>)).rejects.toMatchObject({
      message: `create ${Name}: ${reason}`,
    });
    await expect(target.docker.getVolume(Name).inspect()).rejects.toMatchObject({kind: 'notFound'});
  });
});
