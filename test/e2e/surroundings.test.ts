import {mkdirSync, rmdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {imageArchive, loadImages} from '../support/test-images.ts';

const service = 'image: busybox, command: sleep 600, stop_signal: SIGKILL';

function writeStack(host: TestHost, name: string): void {
  writeFileSync(join(host.directory, 'compose.yaml'), `name: ${name}\nservices:\n  web: {${service}}\n`);
}

/** Runs tscompose as a part of a shell script: `$T ps >/dev/full`. */
function shell(host: TestHost, script: string) {
  const program = `T='${process.execPath} ${join(import.meta.dirname, '../../dist/cli.cjs')}'`;
  return host.command('bash', ['-c', `${program}\n${script}`]);
}

test('output that cannot be written is a failure with a reason, a reader who has gone is none', async () => {
  await using host = await makeHost();
  writeStack(host, 'output');
  const full = {code: 1, stderr: 'error: cannot write the output: no space left on the disk\n'};
  expect(await shell(host, '$T config >/dev/full')).toMatchObject(full);
  expect(await shell(host, '$T --help >/dev/full; exit $?')).toMatchObject(full);
  expect(await shell(host, '$T config >/dev/full 2>&1')).toMatchObject({code: 1, stderr: ''});
  expect(await shell(host, 'set -o pipefail; $T config | true')).toMatchObject({code: 0, stderr: ''});
  expect(await shell(host, '$T config -q >&- <&-')).toMatchObject({code: 0, stderr: ''});
});

test('in a directory that was removed, what needs it says so and the rest works', async () => {
  await using host = await makeHost();
  const gone = join(host.directory, 'gone');
  mkdirSync(gone);
  writeStack(host, 'gone');
  const inside = (args: string) =>
    shell(host, `cd ${gone} && rmdir ${gone} && $T ${args}; code=$?; mkdir ${gone}; exit $code`);
  expect(await inside('config')).toMatchObject({
    code: 1,
    stderr: 'error: the current directory does not exist any more\nhint: change to another one: cd\n',
  });
  expect(await inside('version')).toMatchObject({code: 0, stderr: ''});
  rmdirSync(gone);
});

test('a root on a read-only file system is refused with the reason', async () => {
  await using host = await makeHost();
  writeStack(host, 'readonly');
  const mount = join(host.directory, 'mount');
  mkdirSync(mount);
  const up = await shell(
    host,
    `unshare -m bash -ec 'mount -t tmpfs -o ro none ${mount}; exec "$@"' bash $T --root ${mount}/a/b up -d`,
  );
  expect(up).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`cannot use ${mount}/a/b: the file system is read-only\nhint: choose another root`),
  });
});

test('a stack starts under a low soft limit of open files', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  writeStack(host, 'few');
  expect(await shell(host, 'ulimit -S -n 64; $T up -d')).toMatchObject({code: 0});
  expect(await host.tscompose(['down'])).toMatchObject({code: 0});
  expect(host.leftovers()).toEqual([]);
});

test('on a full disk a stack can be taken down, and what fails names the reason', async () => {
  await using host = await makeHost();
  const disk = join(host.directory, 'disk');
  mkdirSync(disk);
  writeStack(host, 'full');
  expect((await host.command('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', disk])).code).toBe(0);
  try {
    const env = {TSCOMPOSE_ROOT: join(disk, 'root')};
    const tscompose = (...args: string[]) => host.tscompose(args, {env});
    expect(await tscompose('load', '-q', '-i', imageArchive('busybox'))).toMatchObject({code: 0});
    expect(await tscompose('up', '-d')).toMatchObject({code: 0});
    expect((await host.command('dd', ['if=/dev/zero', `of=${disk}/fill`, 'bs=4k'])).code).toBe(1);
    expect(await tscompose('up', '-d', '--force-recreate')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no space left on the disk'),
    });
    expect(await tscompose('down', '-v')).toMatchObject({code: 0});
    expect((await tscompose('ps', '-aq')).stdout).toBe('');
    rmSync(join(disk, 'fill'));
    expect(await tscompose('up', '-d')).toMatchObject({code: 0});
    expect(await tscompose('down', '-v')).toMatchObject({code: 0});
  } finally {
    // Monitors that have given back all else may still be at their end.
    await eventually(async () => expect((await host.command('umount', [disk])).code).toBe(0));
  }
  expect(host.leftovers()).toEqual([]);
});

test('progress that nobody reads any more leaves no work half done', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  writeStack(host, 'unread');
  const unread = (args: string) => shell(host, `{ $T ${args}; echo $? >code; } 2>&1 | true; cat code`);
  expect((await unread('up -d --scale web=3')).stdout).toBe('0\n');
  expect((await host.tscompose(['ps', '-q'])).stdout.trim().split('\n')).toHaveLength(3);
  expect((await unread('down')).stdout).toBe('0\n');
  expect((await host.tscompose(['ps', '-aq'])).stdout).toBe('');
  expect(host.leftovers()).toEqual([]);
});
