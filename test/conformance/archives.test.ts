import {gzipSync} from 'node:zlib';
import {expect, it} from 'vitest';
import type {Container} from '../../src/client/container.ts';
import {makeTar, type RawEntry} from '../support/archive.ts';
import {readTar} from '../support/read-tar.ts';
import {textOf} from './output.ts';
import {describeTargets, type Target} from './targets.ts';

/** Of Go's `os.FileMode`. */
const go = {directory: 2 ** 31, link: 2 ** 27, pipe: 2 ** 25, setUserId: 2 ** 23, sticky: 2 ** 20};

const tree = [
  'mkdir -p /t/d/e',
  'cd /t',
  'echo hi >f',
  'chmod 4755 f',
  'ln f h',
  'echo x >d/e/x',
  'chown 1234:5678 d/e/x',
  'chmod 1777 d',
  'ln -s d ld',
  'ln -s /t/d/e abs',
  'ln -s ../../../../etc up',
  'ln -s nope broken',
  'ln -s loop loop',
  'mkfifo p',
].join('\n');

/** A container that has made the tree, running or not. */
async function withTree(target: Target, state: 'running' | 'exited', more = ''): Promise<Container> {
  const end = state === 'running' ? 'echo ready\ntrap "exit 0" TERM; sleep 1000 & wait' : '';
  const container = await target.run({Cmd: ['sh', '-c', [tree, more, end].join('\n')]});
  if (state === 'exited') expect(await container.wait()).toMatchObject({StatusCode: 0});
  else await expect.poll(async () => await textOf(await container.logs())).toBe('ready\n');
  return container;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const archiveOf = (...entries: readonly RawEntry[]) => once(makeTar(entries));

/** What commands print in a running container. */
async function inside(container: Container, script: string): Promise<string> {
  const exec = await container.exec({Cmd: ['sh', '-c', script], AttachStdout: true, AttachStderr: true});
  const text = await textOf((await exec.start()).output);
  expect({text, ...(await exec.inspect())}).toMatchObject({ExitCode: 0});
  return text;
}

describeTargets('archives', (target) => {
  for (const state of ['running', 'exited'] as const) {
    it(`tell what is at a path of a container that is ${state}`, async () => {
      const container = await withTree(target, state);
      const stat = async (path: string) => {
        const {name, mode, linkTarget, size} = await container.infoArchive({path});
        return {name, mode, linkTarget, ...(mode < go.directory ? {size} : {})};
      };
      const directory = {mode: go.directory + 0o755, linkTarget: ''};
      expect(await stat('/t')).toEqual({name: 't', ...directory});
      expect(await stat('/t/')).toEqual({name: 't', ...directory});
      expect(await stat('/t/.')).toEqual({name: '.', ...directory});
      expect(await stat('t/d/../')).toMatchObject(directory);
      expect(await stat('/')).toEqual({name: '/', ...directory});
      expect(await stat('.')).toEqual({name: '.', ...directory});
      expect(await stat('t/f')).toEqual({name: 'f', mode: go.setUserId + 0o755, linkTarget: '', size: 3});
      expect(await stat('/t/d')).toEqual({name: 'd', mode: go.directory + go.sticky + 0o777, linkTarget: ''});
      expect(await stat('/t/p')).toEqual({name: 'p', mode: go.pipe + 0o644, linkTarget: '', size: 0});
      const link = go.link + 0o777;
      expect(await stat('/t/ld')).toEqual({name: 'ld', mode: link, linkTarget: '/t/d', size: 1});
      expect(await stat('/t/abs')).toEqual({name: 'abs', mode: link, linkTarget: '/t/d/e', size: 6});
      expect(await stat('/t/up')).toEqual({name: 'up', mode: link, linkTarget: '/etc', size: 15});
      expect(await stat('/t/broken')).toEqual({name: 'broken', mode: link, linkTarget: '/t/nope', size: 4});
      expect(await stat('/t/ld/e/x')).toEqual({name: 'x', mode: 0o644, linkTarget: '', size: 2});
      expect(await stat('/t/ld/')).toMatchObject({name: 'ld', mode: go.directory + go.sticky + 0o777});
      expect((await container.infoArchive({path: '/t'})).mtime).toMatch(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d*[1-9])?Z$/,
      );
    });

    it(`hold what is at a path of a container that is ${state}`, async () => {
      const container = await withTree(target, state);
      const read = async (path: string) => {
        const {stat, archive} = await container.getArchive({path});
        expect(stat).toEqual(await container.infoArchive({path}));
        return await readTar(archive);
      };
      const whole = await read('/t');
      expect(Object.keys(whole).toSorted()).toEqual(
        ['', 'abs', 'broken', 'd/', 'd/e/', 'd/e/x', 'f', 'h', 'ld', 'loop', 'p', 'up'].map((name) => `t/${name}`),
      );
      const {type, link} = whole['t/f']?.type === 'link' ? (whole['t/f'] ?? {}) : (whole['t/h'] ?? {});
      expect({type, link}).toEqual({type: 'link', link: expect.stringMatching(/^t\/[fh]$/)});
      expect([whole['t/f'], whole['t/h']].map((entry) => entry?.text).toSorted()).toEqual(['', 'hi\n']);
      expect(whole['t/d/']).toMatchObject({type: 'directory', mode: 0o1777});
      expect(whole['t/d/e/x']).toMatchObject({type: 'file', mode: 0o644, uid: 1234, gid: 5678, text: 'x\n'});
      expect(whole['t/up']).toMatchObject({type: 'symlink', link: '../../../../etc'});
      expect(whole['t/p']).toMatchObject({type: 'fifo', mode: 0o644});
      expect(Object.keys(await read('/t/'))).toEqual(Object.keys(whole));
      expect(Object.keys(await read('/t/d/.')).toSorted()).toEqual(['./', './e/', './e/x']);
      expect(Object.keys(await read('/t/ld'))).toEqual(['ld']);
      expect(Object.keys(await read('/t/ld/')).toSorted()).toEqual(['ld/', 'ld/e/', 'ld/e/x']);
      expect(Object.keys(await read('/t/abs/.')).toSorted()).toEqual(['./', './x']);
      expect(await read('/t/h')).toEqual({h: expect.objectContaining({type: 'file', mode: 0o4755, text: 'hi\n'})});
    });
  }

  it('are refused for paths that are not there', async () => {
    const container = await withTree(target, 'running');
    const missing = {kind: 'notFound', message: `Could not find the file /nope in container ${container.id}`};
    await expect(container.infoArchive({path: '/nope'})).rejects.toMatchObject(missing);
    await expect(container.getArchive({path: '/nope'})).rejects.toMatchObject(missing);
    await expect(container.putArchive(archiveOf(), {path: '/nope'})).rejects.toMatchObject(missing);
    await expect(container.putArchive(archiveOf(), {path: '/t/broken'})).rejects.toMatchObject({kind: 'notFound'});
    for (const path of ['/t/f/', '/t/f/.', '/t/loop/', '/t/f/x']) {
      await expect(container.getArchive({path}), path).rejects.toMatchObject({statusCode: expect.any(Number)});
    }
    await expect(container.getArchive({path: ''})).rejects.toMatchObject({kind: 'invalid', statusCode: 400});
    await expect(container.putArchive(archiveOf(), {path: ''})).rejects.toMatchObject({kind: 'invalid'});
    const unknown = target.docker.getContainer(target.name('missing'));
    await expect(unknown.getArchive({path: '/'})).rejects.toMatchObject({kind: 'notFound', statusCode: 404});
    await expect(unknown.infoArchive({path: '/'})).rejects.toMatchObject({kind: 'notFound'});
    await expect(unknown.putArchive(archiveOf(), {path: '/'})).rejects.toMatchObject({kind: 'notFound'});
  });

  it('show volumes and binds of containers that were never started', async () => {
    const volume = target.name('data');
    const Labels = Object.fromEntries([target.label.split('=')]) as Record<string, string>;
    await target.docker.createVolume({Name: volume, Labels});
    const container = await target.create({HostConfig: {Binds: [`${volume}:/data`]}});
    await container.putArchive(archiveOf({name: 'in/file', data: 'kept'}), {path: '/data'});
    expect(Object.keys(await readTar((await container.getArchive({path: '/data'})).archive)).toSorted()).toEqual([
      'data/',
      'data/in/',
      'data/in/file',
    ]);
    const other = await target.run({HostConfig: {Binds: [`${volume}:/elsewhere:ro`]}});
    expect(await inside(other, 'cat /elsewhere/in/file')).toBe('kept');
    await expect(other.putArchive(archiveOf({name: 'x'}), {path: '/elsewhere'})).rejects.toThrow(/read-only/);
  });

  it('hold no trees of the kernel', async () => {
    const container = await target.run();
    const whole = await readTar((await container.getArchive({path: '/'})).archive);
    expect(whole['/etc/passwd']).toMatchObject({type: 'file'});
    expect(Object.keys(whole).filter((name) => /^\/(proc|sys)\/./.test(name))).toEqual([]);
    await expect(container.getArchive({path: '/proc/self/status'})).rejects.toMatchObject({kind: 'notFound'});
  });
});

describeTargets('archives put into containers', (target) => {
  const long = `${'d'.repeat(90)}/${'f'.repeat(200)}`;

  it('keep types, owners, modes, times and long names', async () => {
    const container = await withTree(target, 'running');
    const archive = archiveOf(
      {name: './', type: '5', mode: 0o700},
      {name: 'a', data: 'one', mode: 0o640, uid: 1234, gid: 5678, mtime: 1_000_000_000},
      {name: 'again', type: '1', link: 'a', mode: 0o640, uid: 1234, gid: 5678, mtime: 1_000_000_000},
      {name: 'deep/er/file', data: 'two'},
      {name: 'l', type: '2', link: 'a'},
      {name: 'dir/', type: '5', mode: 0o2750, mtime: 1_000_000_001},
      {name: 'dir/x', data: 'three', mode: 0o4755},
      {name: 'pipe', type: '6', mode: 0o600},
      {name: 'null', type: '3', major: 1, minor: 3, mode: 0o666},
      {name: 'cut', pax: {path: long}, data: 'long'},
      {name: '/absolute', data: 'four'},
    );
    await container.putArchive(archive, {path: '/t/ld'});
    const script =
      "cd /t/d; stat -c '%n %F %a %u:%g %Y' a dir; stat -c '%n %F %a %h' again deep deep/er/file l pipe null dir/x .";
    expect((await inside(container, script)).trim().split('\n')).toEqual([
      'a regular file 640 1234:5678 1000000000',
      'dir directory 2750 0:0 1000000001',
      'again regular file 640 2',
      'deep directory 755 3',
      'deep/er/file regular file 644 1',
      'l symbolic link 777 1',
      'pipe fifo 600 1',
      'null character special file 666 1',
      'dir/x regular file 4755 1',
      '. directory 1777 6',
    ]);
    expect(await inside(container, `cd /t/d; cat again l deep/er/file dir/x absolute ${long}`)).toBe(
      'oneonetwothreefourlong',
    );
    const {archive: back} = await container.getArchive({path: `/t/d/${long}`});
    expect(await readTar(back)).toMatchObject({['f'.repeat(200)]: {text: 'long'}});
  });

  it('may be compressed', async () => {
    const container = await target.create();
    await container.putArchive(once(gzipSync(makeTar([{name: 'zipped', data: 'content'}]))), {path: '/tmp'});
    expect(await readTar((await container.getArchive({path: '/tmp/zipped'})).archive)).toMatchObject({
      zipped: {text: 'content'},
    });
  });

  it('replace what is there unless a directory is in question', async () => {
    const container = await withTree(target, 'running');
    const strict = {path: '/t', noOverwriteDirNonDir: true};
    await expect(container.putArchive(archiveOf({name: 'd', data: 'x'}), strict)).rejects.toThrow(
      /cannot overwrite directory .*with non-directory/,
    );
    await expect(container.putArchive(archiveOf({name: 'f/', type: '5'}), strict)).rejects.toThrow(
      /cannot overwrite non-directory .*with directory/,
    );
    await container.putArchive(archiveOf({name: 'f', data: 'new'}, {name: 'd/', type: '5'}), strict);
    expect(await inside(container, 'cat /t/f /t/h /t/d/e/x')).toBe('newhi\nx\n');
    await container.putArchive(archiveOf({name: 'd', data: 'file'}, {name: 'f/', type: '5'}), {path: '/t'});
    expect(await inside(container, 'cat /t/d; stat -c %F /t/f')).toBe('filedirectory\n');
    await container.putArchive(archiveOf({name: 'ld', data: 'no link'}), {path: '/t'});
    expect(await inside(container, 'stat -c %F /t/ld')).toBe('regular file\n');
  });

  it('belong to the user of the container where that is asked for', async () => {
    const container = await target.run({User: 'nobody'});
    const archive = () => archiveOf({name: 'mine', uid: 5, gid: 6}, {name: 'dir/', type: '5', uid: 5, gid: 6});
    await container.putArchive(archive(), {path: '/tmp', copyUIDGID: true});
    const owners = () => inside(container, 'cd /tmp; stat -c %U mine dir');
    expect(await owners()).toBe('nobody\nnobody\n');
    await container.putArchive(archive(), {path: '/tmp', copyUIDGID: false});
    expect(await inside(container, 'cd /tmp; stat -c %u:%g mine dir')).toBe('5:6\n5:6\n');
  });

  it('are refused where they lead out of the directory', async () => {
    const container = await withTree(target, 'running');
    const refused = {statusCode: expect.any(Number)};
    const put = (entry: RawEntry) => container.putArchive(archiveOf(entry), {path: '/t'});
    await expect(put({name: '../out', data: 'x'})).rejects.toMatchObject(refused);
    await expect(put({name: 'h2', type: '1', link: '../etc/passwd'})).rejects.toMatchObject(refused);
    await expect(container.putArchive(archiveOf({name: 'x'}), {path: '/t/f'})).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('extraction point is not a directory'),
    });
    await expect(
      container.putArchive(once(makeTar([{name: 'cut', data: 'x'.repeat(5000)}]).subarray(0, 1000)), {path: '/t'}),
    ).rejects.toMatchObject(refused);
    await expect(inside(container, 'test ! -e /out -a ! -e /t/h2')).resolves.toBe('');
  });

  it('are refused by a root file system that is read-only', async () => {
    const container = await target.create({HostConfig: {ReadonlyRootfs: true}});
    await expect(container.putArchive(archiveOf({name: 'x'}), {path: '/tmp'})).rejects.toThrow(/read-only/);
    await container.start();
    await expect(container.putArchive(archiveOf({name: 'x'}), {path: '/tmp'})).rejects.toThrow(/read-only/);
    expect(Object.keys(await readTar((await container.getArchive({path: '/etc/passwd'})).archive))).toEqual(['passwd']);
  });

  it('are told as events, as are those that are read', async () => {
    const container = await target.create();
    const since = Date.now() / 1000 - 0.001;
    await container.putArchive(archiveOf({name: 'x'}), {path: '/tmp'});
    await readTar((await container.getArchive({path: '/tmp'})).archive);
    await readTar(await container.export());
    await container.infoArchive({path: '/tmp'});
    const actions: string[] = [];
    const filters = {container: [container.id], event: ['extract-to-dir', 'archive-path', 'export']};
    const events = await target.docker.getEvents({since, until: Date.now() / 1000 + 0.5, filters});
    for await (const {Action} of events) actions.push(Action);
    expect(actions).toEqual(['extract-to-dir', 'archive-path', 'export']);
  });
});
