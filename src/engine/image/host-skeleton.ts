import {chmod, mkdir, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';

/** A file of the built-in image's own tree; parents come first. */
export type SkeletonEntry =
  | {readonly kind: 'directory'; readonly path: string; readonly mode: number}
  | {readonly kind: 'file'; readonly path: string; readonly content: string}
  | {readonly kind: 'link'; readonly path: string; readonly target: string};

/** Writes them into an empty directory of ours. */
export async function writeSkeleton(root: string, entries: readonly SkeletonEntry[]): Promise<void> {
  await chmod(root, 0o755);
  for (const entry of entries) {
    const path = join(root, entry.path);
    if (entry.kind === 'directory') {
      await mkdir(path);
      await chmod(path, entry.mode);
    } else if (entry.kind === 'file') {
      await writeFile(path, entry.content, {flag: 'wx'});
      await chmod(path, 0o644);
    } else {
      await symlink(entry.target, path);
    }
  }
}

/** What every container of the image has of its own: empty places, and the few files that programs ask for. */
export const ownEntries: readonly SkeletonEntry[] = [
  ...['dev', 'etc', 'home', 'media', 'mnt', 'opt', 'proc', 'run', 'srv', 'sys', 'usr', 'var'].map(directory),
  {kind: 'directory', path: 'root', mode: 0o700},
  {kind: 'directory', path: 'tmp', mode: 0o1777},
  ...['var/cache', 'var/lib', 'var/log', 'var/spool'].map(directory),
  {kind: 'directory', path: 'var/tmp', mode: 0o1777},
  {kind: 'link', path: 'var/run', target: '/run'},
  {
    kind: 'file',
    path: 'etc/passwd',
    content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
  },
  {kind: 'file', path: 'etc/group', content: 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n'},
  {kind: 'file', path: 'etc/nsswitch.conf', content: 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n'},
  {kind: 'directory', path: 'etc/ssl', mode: 0o755},
];

function directory(path: string): SkeletonEntry {
  return {kind: 'directory', path, mode: 0o755};
}
