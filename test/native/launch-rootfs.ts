import {execFileSync} from 'node:child_process';
import {copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {SetupOperation} from '../../src/engine/helper/operations.ts';

const busybox = '/bin/busybox';

const applets =
  'sh cat echo ls id sleep true false env hostname mount umount ps kill readlink stat dd head mkdir mknod touch chmod test tail grep printf sed wc yes stty tty unshare nsenter date dmesg seq rm mkfifo ln cp sync sort usleep'.split(
    ' ',
  );

/** A tree of files that a container can run in. Fails where the machine has no static busybox. */
export function makeRootfs(directory: string): string {
  if (!existsSync(busybox)) throw new Error(`${busybox} is missing: install Debian's package busybox-static`);
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'root', 'home/app', 'var/log'])
    mkdirSync(join(directory, name), {recursive: true});
  copyFileSync(busybox, join(directory, 'bin/busybox'));
  execFileSync('chmod', ['755', join(directory, 'bin/busybox')]);
  execFileSync('chmod', ['1777', join(directory, 'tmp')]);
  for (const applet of applets) symlinkSync('busybox', join(directory, 'bin', applet));
  writeFileSync(
    join(directory, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:app:/home/app:/bin/sh\nother:x:1002:1002::/nowhere:/bin/sh\n',
  );
  writeFileSync(
    join(directory, 'etc/group'),
    'root:x:0:root\napp:x:1001:\naudio:x:29:app,other\nvideo:x:44:other,app\nother:x:1002:\n',
  );
  return directory;
}

export const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Docker's default capabilities. */
export const dockerCapabilities = 'a80425fb';

/** What Docker mounts into every container, as far as tests need it. */
export function defaultMounts(): readonly SetupOperation[] {
  const mount = (type: string, source: string, target: string, flags: string, data = ''): SetupOperation => ({
    kind: 'mount',
    type,
    source,
    target,
    flags,
    data,
  });
  const device = (name: string, major: number, minor: number): SetupOperation => ({
    kind: 'device',
    target: `/dev/${name}`,
    type: 'c',
    major,
    minor,
    mode: '666',
    uid: 0,
    gid: 0,
    source: `/dev/${name}`,
  });
  return [
    mount('proc', 'proc', '/proc', 'nosuid,noexec,nodev'),
    mount('tmpfs', 'tmpfs', '/dev', 'nosuid,strictatime', 'mode=755,size=65536k'),
    mount('devpts', 'devpts', '/dev/pts', 'nosuid,noexec', 'newinstance,ptmxmode=0666,mode=0620,gid=5'),
    mount('sysfs', 'sysfs', '/sys', 'nosuid,noexec,nodev,ro'),
    mount('tmpfs', 'shm', '/dev/shm', 'nosuid,noexec,nodev', 'mode=1777,size=67108864'),
    device('null', 1, 3),
    device('zero', 1, 5),
    device('full', 1, 7),
    device('tty', 5, 0),
    {kind: 'symlink', value: '/proc/self/fd', target: '/dev/fd'},
    {kind: 'symlink', value: '/proc/self/fd/1', target: '/dev/stdout'},
    {kind: 'symlink', value: '/proc/self/fd/2', target: '/dev/stderr'},
    {kind: 'symlink', value: 'pts/ptmx', target: '/dev/ptmx'},
  ];
}
