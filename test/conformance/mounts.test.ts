import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {HostConfig, Mount} from '../../src/api/types/container.ts';
import {makeTar} from '../support/archive.ts';
import {layeredArchive} from './image.ts';
import {textOf} from './output.ts';
import {refusal, runOnce} from './run-once.ts';
import {describeTargets} from './targets.ts';

/** `plain` is on a private mount, `shared` is a shared one; each has a file system mounted below it. */
let machine: string;

const mounted = ['plain/below', 'shared', 'shared/below'];

beforeAll(() => {
  machine = mkdtempSync(join(tmpdir(), 'tsc-mounts-'));
  mkdirSync(join(machine, 'plain/below'), {recursive: true});
  mkdirSync(join(machine, 'shared'));
  // Of its own, so that nothing depends on how the machine's root is mounted.
  mount('--bind', machine, machine);
  mount('--make-private', machine);
  for (const place of mounted) {
    mkdirSync(join(machine, place), {recursive: true});
    mount('-t', 'tmpfs', 'tmpfs', join(machine, place));
    mount(place.startsWith('shared') ? '--make-shared' : '--make-private', join(machine, place));
  }
  writeFileSync(join(machine, 'plain/file'), 'a file\n');
  symlinkSync('plain', join(machine, 'link'));
});
afterAll(() => {
  execFileSync('umount', ['-R', '-l', machine]);
  rmSync(machine, {recursive: true});
});

function mount(...words: readonly string[]): void {
  execFileSync('mount', words);
}

const writes = 'for f in /m/x /m/below/x; do touch $f 2>/dev/null && echo writable || echo read-only; done';
/** How the mount at a place spreads, as the container sees it. */
const spread = (place: string) =>
  `awk '$5 == "${place}" {print $7 == "-" ? "private" : $7}' /proc/self/mountinfo | sed s/:.*//`;

describeTargets('mounts', (target) => {
  const run = async (host: HostConfig, line: string): Promise<string> => (await runOnce(target, line, host)).text;
  const bind = (source: string, options: Mount['BindOptions'] = {}, ReadOnly = false): HostConfig => ({
    Mounts: [{Type: 'bind', Source: join(machine, source), Target: '/m', ReadOnly, BindOptions: options}],
  });

  describe('of paths', () => {
    it.each([
      ['with what is mounted below', {}, false, 'writable\nwritable', 2],
      ['without', {NonRecursive: true}, false, 'writable\nwritable', 1],
      ['read-only, with what is mounted below', {}, true, 'read-only\nread-only', 2],
      ['read-only, without', {NonRecursive: true}, true, 'read-only\nread-only', 1],
      ['read-only, apart from what is below', {ReadOnlyNonRecursive: true}, true, 'read-only\nwritable', 2],
      ['read-only all of it', {ReadOnlyForceRecursive: true}, true, 'read-only\nread-only', 2],
    ] as const)('%s', async (_, options, readOnly, text, count) => {
      const seen = "; grep -c ' /m[ /]' /proc/mounts; rm -f /m/x /m/below/x 2>/dev/null";
      expect(await run(bind('plain', options, readOnly), writes + seen)).toBe(`${text}\n${count}`);
    });

    it('of the short form are read-only with what is mounted below', async () => {
      expect(await run({Binds: [`${join(machine, 'plain')}:/m:ro`]}, writes)).toBe('read-only\nread-only');
    });

    it.each([
      [{ReadOnlyNonRecursive: true}, false, '!ReadOnly && BindOptions.ReadOnlyNonRecursive'],
      [{ReadOnlyForceRecursive: true}, false, '!ReadOnly && BindOptions.ReadOnlyForceRecursive'],
      [
        {ReadOnlyNonRecursive: true, ReadOnlyForceRecursive: true},
        true,
        'ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive',
      ],
    ] as const)('are refused with options that contradict each other: %o', async (options, readOnly, what) => {
      expect(await refusal(target, bind('plain', options, readOnly))).toBe(`mount options conflict: ${what}`);
    });

    it('may be files, and are found through links', async () => {
      const file = {Mounts: [{Type: 'bind', Source: join(machine, 'link/file'), Target: '/etc/file'}]} as const;
      expect(await run(file, 'cat /etc/file')).toBe('a file');
    });

    it('are made where that is asked, as directories', async () => {
      const made = target.name('made').replaceAll(':', '-');
      expect(await run(bind(`plain/${made}/deep`, {CreateMountpoint: true}), 'ls -ld /m | cut -c1-10')).toBe(
        'drwxr-xr-x',
      );
      expect(statSync(join(machine, 'plain', made, 'deep')).isDirectory()).toBe(true);
    });

    it.each(['z', 'Z', 'ro,z', 'cached', 'rprivate,Z,rw'])('take the option "%s"', async (mode) => {
      const container = await target.run({HostConfig: {Binds: [`${join(machine, 'plain')}:/m:${mode}`]}});
      const {Mounts} = await container.inspect();
      await container.remove({force: true});
      expect(Mounts).toEqual([
        {
          Type: 'bind',
          Source: join(machine, 'plain'),
          Destination: '/m',
          Mode: mode,
          RW: !mode.includes('ro,'),
          Propagation: 'rprivate',
        },
      ]);
    });

    it.each(['ro,rw', 'ro,ro', 'z,Z', 'private,slave', 'cached,delegated', 'exec', 'rbind'])(
      'refuse the option "%s"',
      async (mode) => {
        expect(await refusal(target, {Binds: [`/tmp:/m:${mode}`]})).toBe(`invalid mode: ${mode}`);
      },
    );

    it.each([
      ['/m:', "invalid volume specification: '/m:'"],
      [':/m', "invalid volume specification: ':/m'"],
      ['/m:ro', "invalid volume specification: '/m:ro'"],
      ['a:b:c:d', "invalid volume specification: 'a:b:c:d'"],
      ['/tmp:m', /invalid mount config for type "bind": invalid mount path: 'm' mount path must be absolute$/],
      ['/tmp:/', /invalid mount config for type "bind": invalid specification: destination can't be '\/'$/],
      ['/tmp:/m:nocopy', /invalid mount config for type "bind": field VolumeOptions must not be specified$/],
      ['name:/m:private', /invalid mount config for type "volume": field BindOptions must not be specified$/],
      ['x:/m', 'create x: volume name is too short, names should be at least two alphanumeric characters'],
      ['./x:/m', /^create \.\/x: "\.\/x" includes invalid characters for a local volume name/],
    ])('are refused as "%s"', async (text, message) => {
      const said = await refusal(target, {Binds: [text]});
      if (typeof message === 'string') expect(said).toBe(message);
      else expect(said).toMatch(message);
    });
  });

  describe('that spread', () => {
    it.each([
      ['private', 'private', 'private'],
      ['rprivate', 'private', 'private'],
      ['slave', 'master', 'master'],
      ['rslave', 'master', 'master'],
      ['shared', 'shared', 'shared'],
      ['rshared', 'shared', 'shared'],
    ])('%s', async (Propagation, top) => {
      const container = await target.run({HostConfig: bind('shared', {Propagation})});
      const said = async (line: string) => {
        const exec = await container.exec({Cmd: ['sh', '-c', line], AttachStdout: true});
        return (await textOf((await exec.start()).output)).trim();
      };
      expect(await said(spread('/m'))).toBe(top);
      // What the machine mounts later is seen, or is not.
      const name = target.name(`later-${Propagation}`);
      const later = join(machine, 'shared', name);
      mkdirSync(later);
      mount('-t', 'tmpfs', 'tmpfs', later);
      try {
        writeFileSync(join(later, 'file'), '');
        expect(await said(`ls /m/${name}`)).toBe(top === 'private' ? '' : 'file');
      } finally {
        execFileSync('umount', [later]);
        await container.remove({force: true});
      }
    });

    it.each(['private', 'slave'])('never from a container that must not: %s', async (Propagation) => {
      const host = {...bind('shared', {Propagation}), CapAdd: ['SYS_ADMIN'], SecurityOpt: ['apparmor=unconfined']};
      const name = target.name(`never-${Propagation}`);
      const line = `mkdir -p /m/${name} /m/below/${name} && mount -t tmpfs tmpfs /m/${name} && mount -t tmpfs tmpfs /m/below/${name} && touch /m/${name}/in /m/below/${name}/in && echo done; sleep 1000 & wait`;
      const container = await target.run({Cmd: ['sh', '-c', line], HostConfig: host});
      for await (const {data} of await container.logs({follow: true})) {
        expect(Buffer.from(data).toString()).toBe('done\n');
        break;
      }
      expect(existsSync(join(machine, 'shared', name, 'in'))).toBe(false);
      expect(existsSync(join(machine, 'shared/below', name, 'in'))).toBe(false);
      await container.remove({force: true});
    });

    it('shared to the machine, where that is asked', async () => {
      const host = {...bind('shared', {Propagation: 'shared'}), CapAdd: ['SYS_ADMIN']};
      const name = target.name('to-the-machine');
      const line = `mkdir /m/${name} && mount -t tmpfs tmpfs /m/${name} && touch /m/${name}/in && echo done`;
      expect(await run(host, line)).toBe('done');
      expect(existsSync(join(machine, 'shared', name, 'in'))).toBe(true);
      execFileSync('umount', [join(machine, 'shared', name)]);
    });

    it.each([
      ['shared', 'shared mount'],
      ['rshared', 'shared mount'],
      ['slave', 'shared or slave mount'],
      ['rslave', 'shared or slave mount'],
    ])('are refused where the machine’s do not: %s', async (Propagation, missing) => {
      const source = join(machine, 'plain');
      expect(await refusal(target, bind('plain', {Propagation}))).toBe(
        `path ${source} is mounted on ${machine} but it is not a ${missing}`,
      );
    });

    it('in no way that there is not', async () => {
      expect(await refusal(target, bind('plain', {Propagation: 'all'}))).toBe(
        'invalid mount config for type "bind": invalid propagation mode: all',
      );
    });
  });

  describe('of parts of a volume', () => {
    const labels = () => Object.fromEntries([target.label.split('=')]) as Record<string, string>;
    const part = (name: string, Subpath: string, more: Partial<Mount> = {}): HostConfig => ({
      Mounts: [
        {Type: 'volume', Source: target.name(name), Target: '/m', VolumeOptions: {Subpath, NoCopy: true}, ...more},
      ],
    });
    const fill = async (name: string, line: string) => {
      await target.docker.createVolume({Name: target.name(name), Labels: labels()});
      expect((await runOnce(target, `cd /v && ${line}`, {Binds: [`${target.name(name)}:/v:nocopy`]})).code).toBe(0);
    };

    it('are directories or files, writable or not', async () => {
      await fill('parts', 'mkdir -p a/b && echo one >a/b/one && ln -s a/b link');
      for (const subpath of ['a/b', 'a/../a/b/', 'link'])
        expect(await run(part('parts', subpath), 'cat /m/one; ls /m')).toBe('one\none');
      expect(await run(part('parts', 'a/b/one'), 'cat /m; echo two >/m')).toBe('one');
      expect(await run(part('parts', 'a'), 'cat /m/b/one; touch /m/new && ls /m')).toBe('two\nb\nnew');
      expect(await run(part('parts', 'a', {ReadOnly: true}), 'touch /m/x')).toContain('Read-only file system');
      const container = await target.run({HostConfig: part('parts', 'a')});
      expect((await container.inspect()).Mounts).toMatchObject([
        {Type: 'volume', Name: target.name('parts'), Destination: '/m', RW: true},
      ]);
      await container.remove({force: true});
    });

    it('lead nowhere but into the volume', async () => {
      await fill(
        'hostile',
        'ln -s / root && ln -s ../../../../../../.. up && ln -s /etc etc && ln -s /proc/self/root magic',
      );
      for (const subpath of ['root', 'up', 'etc', 'magic', 'up/etc', 'root/etc'])
        expect(await refusal(target, part('hostile', subpath))).toMatch(
          /leads out of the volume|escapes the base directory|no such file/,
        );
      const missing = await target.create({HostConfig: part('hostile', 'nowhere/at/all')});
      await expect(missing.start()).rejects.toMatchObject({kind: 'notFound'});
    });

    it.each(['../x', '/x', 'a/../../x', '..'])('are never above it: %s', async (subpath) => {
      expect(await refusal(target, part('above', subpath))).toBe(
        'invalid mount config for type "volume": subpath must be a relative path within the volume',
      );
    });

    it('need a name', async () => {
      const mount = (more: Partial<Mount>) => refusal(target, {Mounts: [{Type: 'volume', Target: '/m', ...more}]});
      const prefix = 'invalid mount config for type "volume": must not set';
      expect(await mount({VolumeOptions: {Subpath: 'a'}})).toBe(`${prefix} Subpath when using anonymous volumes`);
      expect(await mount({ReadOnly: true})).toBe(`${prefix} ReadOnly mode when using anonymous volumes`);
    });
  });

  describe('of images', () => {
    const loadLayered = async (suffix: string): Promise<string> => {
      const reference = `${target.image}-${suffix}`;
      const layers = [
        [
          {name: 'both', data: 'lower\n'},
          {name: 'lower', data: 'lower\n'},
          {name: 'gone', data: suffix},
        ],
        [
          {name: 'both', data: 'upper\n'},
          {name: 'upper', data: 'upper\n'},
          {name: '.wh.gone', data: ''},
        ],
      ].map(makeTar);
      await target.docker.followProgress(await target.docker.loadImage(layeredArchive(reference, layers)));
      return reference;
    };
    const image = (options: Mount['ImageOptions'] = {}, Source = target.image): HostConfig => ({
      Mounts: [{Type: 'image', Source, Target: '/m', ImageOptions: options}],
    });

    it('are read-only', async () => {
      const line = 'cmp /m/bin/busybox /bin/busybox && cmp /m/etc/passwd /etc/passwd && touch /m/x';
      expect(await run(image(), line)).toContain('/m/x: Read-only file system');
    });

    it('may be of a part', async () => {
      expect(await run(image({Subpath: 'etc'}), 'cmp /m/passwd /etc/passwd && touch /m/x')).toContain(
        'Read-only file system',
      );
      expect(await run(image({Subpath: 'etc/passwd'}), 'cmp /m /etc/passwd && echo same')).toBe('same');
      const missing = await target.create({HostConfig: image({Subpath: 'nowhere'})});
      await expect(missing.start()).rejects.toMatchObject({kind: 'notFound'});
      expect(await refusal(target, image({Subpath: '../x'}))).toContain('subpath must be a relative path within');
    });

    it('are shown by inspect', async () => {
      const container = await target.create({HostConfig: image()});
      expect((await container.inspect()).Mounts).toMatchObject([
        {Type: 'image', Name: target.image, Destination: '/m', RW: false, Propagation: 'rprivate'},
      ]);
    });

    it('must be there', async () => {
      const created = target.create({HostConfig: image({}, 'nobody/has:this')});
      await expect(created).rejects.toMatchObject({kind: 'notFound', message: 'No such image: nobody/has:this'});
      expect(await refusal(target, image({}, ''))).toBe(
        'invalid mount config for type "image": field Source must not be empty',
      );
    });

    it('show all layers of theirs', async () => {
      const Source = await loadLayered('layered');
      expect(await run(image({}, Source), 'cat /m/both /m/lower /m/upper; ls /m')).toBe(
        'upper\nlower\nupper\nboth\nlower\nupper',
      );
    });
  });

  describe('of memory', () => {
    const listed = 'awk \'$2 == "/m" {print $4}\' /proc/mounts';
    const memory = (TmpfsOptions: Mount['TmpfsOptions'], ReadOnly = false): HostConfig => ({
      Mounts: [{Type: 'tmpfs', Target: '/m', ReadOnly, ...(TmpfsOptions ? {TmpfsOptions} : {})}],
    });

    it.each([
      ['', 'rw,nosuid,nodev,noexec,relatime'],
      ['ro', 'ro,nosuid,nodev,noexec,relatime'],
      ['exec,suid,dev', 'rw,relatime'],
      ['noexec,exec', 'rw,nosuid,nodev,relatime'],
      ['size=64k,nr_inodes=10', 'rw,nosuid,nodev,noexec,relatime,size=64k,nr_inodes=10'],
      ['size=1m,size=2m', 'rw,nosuid,nodev,noexec,relatime,size=2048k'],
      ['uid=100,gid=200,mode=700', 'rw,nosuid,nodev,noexec,relatime,mode=700,uid=100,gid=200'],
      ['strictatime', 'rw,nosuid,nodev,noexec'],
      ['sync', 'rw,sync,nosuid,nodev,noexec,relatime'],
      ['dirsync,nodiratime', 'rw,dirsync,nosuid,nodev,noexec,nodiratime,relatime'],
      ['defaults,async,nomand', 'rw,nosuid,nodev,noexec,relatime'],
    ])('with the options "%s"', async (options, shown) => {
      expect((await run({Tmpfs: {'/m': options}}, listed)).replace(/,inode64$/, '')).toBe(shown);
    });

    it.each(['private', 'shared'])('that spread: %s', async (options) => {
      expect(await run({Tmpfs: {'/m': options}}, spread('/m'))).toBe(options);
    });

    it.each(['foo', 'size', 'noswap', 'x=y'])('never with the option "%s"', async (option) => {
      expect(await refusal(target, {Tmpfs: {'/m': option}})).toContain('invalid tmpfs option');
    });

    it('of the long form', async () => {
      const shown = async (host: HostConfig) => (await run(host, listed)).replace(/,inode64$/, '');
      expect(await shown(memory({SizeBytes: 65536, Mode: 0o1750}))).toBe(
        'rw,nosuid,nodev,noexec,relatime,size=64k,mode=1750',
      );
      expect(await shown(memory({Options: [['exec']]}))).toBe('rw,nosuid,nodev,relatime');
      expect(await shown(memory(undefined, true))).toBe('ro,nosuid,nodev,noexec,relatime');
      expect(await refusal(target, memory({Options: [['nr_inodes', '10']]}))).toBe(
        'invalid mount config for type "tmpfs": invalid option: nr_inodes',
      );
      expect(await refusal(target, memory({Options: [['exec', 'x', 'y']]}))).toBe(
        'invalid mount config for type "tmpfs": invalid option array length',
      );
    });
  });

  it.each([
    ['bind', 'VolumeOptions', 'VolumeOptions must not be specified on mount type "bind"'],
    ['bind', 'ImageOptions', 'invalid mount config for type "bind": field ImageOptions must not be specified'],
    ['volume', 'BindOptions', 'BindOptions must not be specified on mount type "volume"'],
    ['tmpfs', 'BindOptions', 'BindOptions must not be specified on mount type "tmpfs"'],
    ['image', 'TmpfsOptions', 'TmpfsOptions must not be specified on mount type "image"'],
  ] as const)('of type %s take no %s', async (Type, member, message) => {
    const Source = Type === 'tmpfs' ? '' : Type === 'bind' ? '/tmp' : target.image;
    expect(await refusal(target, {Mounts: [{Type, Source, Target: '/m', [member]: {}}]})).toBe(message);
  });

  it.each(['npipe', 'cluster', 'other'])('of type %s are refused by name', async (Type) => {
    const Mounts = [{Type: Type as Mount['Type'], Source: 'x', Target: '/m'}];
    expect(await refusal(target, {Mounts})).toContain(`type "${Type}"`);
  });
});
