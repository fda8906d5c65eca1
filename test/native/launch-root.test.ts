import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {TscomposeError} from '../../src/base/errors.ts';
import {type LaunchMachine, openLaunchMachine, runToEnd} from './launch-machine.ts';

let machine: LaunchMachine;

beforeAll(async () => {
  machine = await openLaunchMachine();
});

afterAll(async () => {
  await machine.close();
});

const shell = (script: string) => ['sh', '-c', script];

async function failure(promise: Promise<unknown>): Promise<TscomposeError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof TscomposeError) return error;
    throw error;
  }
  throw new Error('nothing went wrong');
}

describe('root file system', () => {
  test('what is written stays in the upper directory', async () => {
    const container = machine.container({words: shell('echo data > /written; rm /etc/group')});
    await container.launch();
    await container.ended();
    expect(readFileSync(join(container.paths.upper, 'written'), 'utf8')).toBe('data\n');
    expect(existsSync(join(machine.rootfs, 'etc/group'))).toBe(true);
  });

  test('read-only: nothing can be written, what is mounted can', async () => {
    const {stdout} = await runToEnd(machine, {
      words: shell(
        'touch /x 2>&1; touch /tmp/x && echo tmp; touch /made/deep/x 2>&1; pwd; grep " / " /proc/mounts | cut -d" " -f4 2>/dev/null | cut -c1-2; grep -c "^overlay / overlay ro," /proc/mounts',
      ),
      mounts: [
        {kind: 'mount', type: 'tmpfs', source: 'tmpfs', target: '/tmp', flags: '', data: ''},
        {kind: 'readonlyRoot'},
      ],
      process: [{kind: 'workdir', target: '/made/deep'}],
    });
    expect(stdout).toContain('touch: /x: Read-only file system');
    expect(stdout).toContain('\ntmp\n');
    expect(stdout).toContain('touch: /made/deep/x: Read-only file system\n/made/deep\n');
    expect(stdout.trim().endsWith('1')).toBe(true);
  });

  test('layers lie over each other, the first on top; strange names do no harm', async () => {
    const top = join(machine.directory, 'to:p,1\\');
    const middle = join(machine.directory, 'middle');
    for (const [path, text] of [
      [top, 'top'],
      [middle, 'middle'],
    ] as const) {
      mkdirSync(join(path, 'layer'), {recursive: true});
      writeFileSync(join(path, 'layer/same'), text);
      writeFileSync(join(path, 'layer', text), '');
    }
    const {stdout} = await runToEnd(machine, {
      words: shell('cat /layer/same; ls /layer'),
      lowers: [top, middle, machine.rootfs],
    });
    expect(stdout).toBe('topmiddle\nsame\ntop\n');
  });

  test('a part of a directory is bound, whose links lead nowhere else', async () => {
    const source = join(machine.directory, 'parts');
    mkdirSync(join(source, 'a/b'), {recursive: true});
    writeFileSync(join(source, 'a/b/file'), 'part');
    symlinkSync('a/b', join(source, 'link'));
    symlinkSync('/etc', join(source, 'out'));
    symlinkSync('../..', join(source, 'up'));
    const bind = (subpath: string) =>
      runToEnd(machine, {
        words: shell('cat /m/file; touch /m/x 2>&1'),
        mounts: [{kind: 'bindBeneath', source, subpath, target: '/m', flags: 'rec,ro', create: 'auto'}],
      });
    for (const subpath of ['a/b', 'link', 'a/../link/.'])
      expect((await bind(subpath)).stdout).toBe('parttouch: /m/x: Read-only file system\n');
    for (const subpath of ['out', 'up', '../parts', 'link/../../..'])
      expect(await failure(bind(subpath))).toMatchObject({
        kind: 'invalid',
        message: `subpath ${subpath} of ${source}: a link in it leads out of the volume`,
      });
    expect(await failure(bind('a/nothing'))).toMatchObject({kind: 'notFound'});
  });

  test('layers of another image are mounted, read-only, and lie nowhere else', async () => {
    const lowers = ['upper', 'lower'].map((name) => join(machine.directory, 'image', name));
    for (const layer of lowers) {
      mkdirSync(join(layer, 'part'), {recursive: true});
      writeFileSync(join(layer, 'part/same'), layer.endsWith('upper') ? 'upper' : 'lower');
      writeFileSync(join(layer, layer.endsWith('upper') ? 'one' : 'two'), '');
    }
    const {stdout} = await runToEnd(machine, {
      words: shell('ls /all /single; cat /all/part/same /part/same; touch /all/x /single/x 2>&1; touch /written'),
      mounts: [
        {kind: 'imageMount', target: '/all', subpath: '', lowers},
        {kind: 'imageMount', target: '/part', subpath: 'part', lowers},
        {kind: 'imageMount', target: '/single', subpath: '', lowers: lowers.slice(0, 1)},
      ],
    });
    const refused = (path: string) => `touch: ${path}: Read-only file system\n`;
    expect(stdout).toBe(
      `/all:\none\npart\ntwo\n\n/single:\none\npart\nupperupper${refused('/all/x')}${refused('/single/x')}`,
    );
  });

  test('only the mount itself is read-only where that is asked', async () => {
    const source = join(machine.directory, 'flat');
    mkdirSync(join(source, 'below'), {recursive: true});
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(source, 'below')]);
    try {
      const {stdout} = await runToEnd(machine, {
        words: shell('touch /m/x 2>&1; touch /m/below/x && echo below; touch /n/x 2>&1'),
        mounts: [
          {kind: 'bind', source, target: '/m', flags: 'rec,rotop', create: 'auto'},
          {kind: 'bind', source, target: '/n', flags: 'roall', create: 'auto'},
        ],
      });
      expect(stdout).toBe('touch: /m/x: Read-only file system\nbelow\ntouch: /n/x: Read-only file system\n');
    } finally {
      execFileSync('umount', [join(source, 'below')]);
    }
  });

  test('more layers than a page of mount options holds', async () => {
    const layers = Array.from({length: 100}, (_, index) =>
      join(machine.directory, 'many', `${'x'.repeat(60)}-${index}`),
    );
    for (const [index, layer] of layers.entries()) {
      mkdirSync(layer, {recursive: true});
      writeFileSync(join(layer, `file-${index}`), '');
    }
    const {stdout} = await runToEnd(machine, {
      words: shell('ls / | grep -c file-'),
      lowers: [...layers, machine.rootfs],
    });
    expect(stdout).toBe('100\n');
  });

  test('a volatile root can be used again', async () => {
    const container = machine.container({
      words: ['true'],
      overlayOptions: 'volatile',
      monitor: [{kind: 'restart', policy: 'on-failure', maxRetries: 1}],
    });
    await container.launch();
    await container.ended();
    await container.launch();
    expect(await container.ended()).toMatchObject({exitCode: 0});
  });

  test('a missing layer is named', async () => {
    const error = await failure(machine.container({lowers: ['/no/such/layer', machine.rootfs]}).launch());
    expect(error).toMatchObject({
      kind: 'notFound',
      message: 'overlay /no/such/layer: no such file or directory',
      exitCode: 125,
    });
  });
});

describe('mounts', () => {
  test('binds a directory, writable and read-only, and makes the target', async () => {
    const source = join(machine.directory, 'shared');
    mkdirSync(source, {recursive: true});
    writeFileSync(join(source, 'given'), 'given');
    const {stdout} = await runToEnd(machine, {
      words: shell('cat /a/b/given; echo back > /a/b/back; touch /ro/x 2>&1; grep -E " /(a/b|ro) " /proc/mounts'),
      mounts: [
        {kind: 'bind', source, target: '/a/b', flags: 'rec', create: 'auto'},
        {kind: 'bind', source, target: '/ro', flags: 'rec,ro,nosuid', create: 'directory'},
      ],
    });
    expect(stdout).toContain('given');
    expect(stdout).toContain('touch: /ro/x: Read-only file system');
    expect(stdout).toMatch(/ \/a\/b \w+ rw,/);
    expect(stdout).toMatch(/ \/ro \w+ ro,nosuid,/);
    expect(readFileSync(join(source, 'back'), 'utf8')).toBe('back\n');
  });

  test('binds a file over a dangling link inside the root', async () => {
    const source = join(machine.directory, 'one-file');
    writeFileSync(source, 'content');
    const image = join(machine.directory, 'dangling');
    mkdirSync(image, {recursive: true});
    symlinkSync('/../../../srv/real/place', join(image, 'link'));
    const {stdout} = await runToEnd(machine, {
      words: shell('cat /link; ls -l /srv/real/place | cut -c1; grep -c " /srv/real/place " /proc/mounts'),
      lowers: [image, machine.rootfs],
      mounts: [{kind: 'bind', source, target: '/link', flags: 'ro', create: 'file'}],
    });
    expect(stdout).toBe('content-\n1\n');
    expect(existsSync('/srv/real')).toBe(false);
  });

  test('a missing source is named', async () => {
    const error = await failure(
      machine
        .container({mounts: [{kind: 'bind', source: '/no/such/source', target: '/x', flags: '', create: 'auto'}]})
        .launch(),
    );
    expect(error).toMatchObject({kind: 'notFound', message: 'bind /no/such/source: no such file or directory'});
  });

  test.each([
    ['directory', '/etc/passwd', 'the source is a directory, and a file is there in the container'],
    ['file', '/tmp', 'the source is a file, and a directory is there in the container'],
  ])('a %s that is to be mounted onto the other kind is refused', async (kind, target, reason) => {
    const directory = mkdtempSync(join(machine.directory, 'kind-'));
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const source = kind === 'file' ? file : directory;
    const error = await failure(
      machine.container({mounts: [{kind: 'bind', source, target, flags: '', create: 'auto'}]}).launch(),
    );
    expect(error).toMatchObject({kind: 'invalid', message: `bind onto ${target}: ${reason}`});
  });

  test('copies a file read-only with owner and mode, also under a read-only root', async () => {
    const source = join(machine.directory, 'secret');
    writeFileSync(source, 'whisper', {mode: 0o600});
    const {stdout} = await runToEnd(machine, {
      words: shell(
        'cat /run/secrets/token; stat -c "%a %u %g" /run/secrets/token; echo x 2>&1 > /run/secrets/token; grep " /run/secrets/token " /proc/mounts',
      ),
      process: [{kind: 'user', user: 'app'}],
      mounts: [
        {kind: 'file', source, target: '/run/secrets/token', mode: '440', uid: 7, gid: 1001},
        {kind: 'readonlyRoot'},
      ],
    });
    expect(stdout).toContain('whisper440 7 1001\n');
    expect(stdout).toMatch(/^tmpfs \/run\/secrets\/token tmpfs ro,nosuid,nodev,noexec/m);
  });

  test('masks files and directories, makes paths read-only, and overlooks what is not there', async () => {
    const {stdout, stderr} = await runToEnd(machine, {
      words: shell(
        'cat /proc/timer_list | wc -c; ls /proc/bus | wc -l; ls -A /home | wc -l; touch /home/x; echo 1 > /proc/sys/kernel/core_pattern; stat -c "%t:%T" /proc/timer_list',
      ),
      mounts: [
        {kind: 'readonly', target: '/proc/sys'},
        {kind: 'readonly', target: '/no/such'},
        {kind: 'mask', target: '/proc/timer_list'},
        {kind: 'mask', target: '/home'},
        {kind: 'mask', target: '/proc/bus'},
        {kind: 'mask', target: '/no/such'},
      ],
    });
    expect(stdout).toBe('0\n0\n0\n1:3\n');
    expect(stderr).toContain('/home/x: Read-only file system');
    expect(stderr).toContain("can't create /proc/sys/kernel/core_pattern: Read-only file system");
  });

  test('nothing of it is mounted on the machine', async () => {
    // Others mount as well: what is looked at are this machine's directories, and layers that are named by descriptors.
    const mounts = () =>
      readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((line) => line.includes(machine.directory) || line.includes('/proc/self/fd/'));
    const before = mounts();
    const container = machine.container({
      words: ['sleep', '30'],
      mounts: [{kind: 'file', source: '/etc/hostname', target: '/x', mode: '444', uid: 0, gid: 0}],
    });
    await container.launch();
    expect(mounts()).toEqual(before);
    await container.stop({graceMs: 0});
    expect(mounts()).toEqual(before);
  });

  test('a memory file system has the mode of the directory it hides, unless another is asked for', async () => {
    const tmpfs = (target: string, data = '') =>
      ({kind: 'mount', type: 'tmpfs', source: 'tmpfs', target, flags: '', data}) as const;
    const {stdout} = await runToEnd(machine, {
      words: shell('stat -c %a /home /made /etc; ls -A /etc | wc -l'),
      mounts: [tmpfs('/home'), tmpfs('/made'), tmpfs('/etc', 'size=100k,mode=711')],
    });
    expect(stdout).toBe('755\n1777\n711\n0\n');
  });

  test('an unknown flag is refused', async () => {
    const error = await failure(
      machine
        .container({mounts: [{kind: 'bind', source: '/tmp', target: '/x', flags: 'ro,sticky', create: 'auto'}]})
        .launch(),
    );
    expect(error).toMatchObject({kind: 'invalid', message: 'bind /x: unknown mount flag'});
  });
});
