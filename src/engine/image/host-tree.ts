import {lstat, readdir, readlink, realpath} from 'node:fs/promises';
import {join} from 'node:path';
import {ownEntries, type SkeletonEntry} from './host-skeleton.ts';

/** A place of the machine that is seen in the container. Both are absolute. */
export interface HostBind {
  readonly source: string;
  readonly target: string;
}

export interface HostTree {
  /** The image's own files, with empty places for the binds. */
  readonly entries: readonly SkeletonEntry[];
  readonly binds: readonly HostBind[];
}

/** Links into /usr on a machine with merged directories, real ones elsewhere. */
const programDirectories = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'libo32'];
/** The loader's and alternatives' links, certificates, time zone: what programs of /usr need to work. */
const settings = [
  'etc/alternatives',
  'etc/ld.so.cache',
  'etc/ld.so.conf',
  'etc/ld.so.conf.d',
  'etc/ssl/certs',
  'etc/ca-certificates',
  'etc/pki',
  'etc/crypto-policies',
  'etc/localtime',
];

type Part = HostTree;
const nothing: Part = {entries: [], binds: []};

/** What of this machine is in the built-in image. `node` is the running Node's program, links resolved. */
export async function planHostTree(node: string): Promise<HostTree> {
  const parts = [
    {entries: ownEntries, binds: []},
    await planUsr(node),
    ...(await Promise.all(programDirectories.map((name) => planEntry(`/${name}`)))),
    ...(await Promise.all(settings.map((path) => planEntry(`/${path}`)))),
  ];
  return {entries: parts.flatMap(({entries}) => entries), binds: parts.flatMap(({binds}) => binds)};
}

/** Links stay links where they lead into /usr or beside it; everything else is bound. */
async function planEntry(path: string): Promise<Part> {
  const status = await lstat(path).catch(() => undefined);
  if (status === undefined) return nothing;
  const own = path.slice(1);
  if (status.isSymbolicLink()) {
    const target = await readlink(path);
    const real = await realpath(path).catch(() => '');
    return real.startsWith('/usr/') || real === '/usr'
      ? {entries: [{kind: 'link', path: own, target}], binds: []}
      : nothing;
  }
  if (status.isDirectory())
    return {entries: [{kind: 'directory', path: own, mode: 0o755}], binds: [{source: path, target: path}]};
  if (status.isFile())
    return {entries: [{kind: 'file', path: own, content: ''}], binds: [{source: path, target: path}]};
  return nothing;
}

const nodePlace = '/usr/local/bin/node';

/** /usr whole, where Node lives in it; else the same in parts, with a place for Node that the machine does not have. */
async function planUsr(node: string): Promise<Part> {
  const whole: Part = {entries: [], binds: [{source: '/usr', target: '/usr'}]};
  if (node.startsWith('/usr/')) return whole;
  const existing = await realpath(nodePlace).catch(() => '');
  if (existing.startsWith('/usr/')) return {entries: [], binds: [...whole.binds, {source: node, target: existing}]};
  const parts = [
    ...(await planChildren('/usr', 'local')),
    directoryEntry('usr/local'),
    ...(await planChildren('/usr/local', 'bin')),
    directoryEntry('usr/local/bin'),
    ...(await planChildren('/usr/local/bin', 'node')),
    {
      entries: [{kind: 'file', path: nodePlace.slice(1), content: ''} as const],
      binds: [{source: node, target: nodePlace}],
    },
  ];
  return {entries: parts.flatMap(({entries}) => entries), binds: parts.flatMap(({binds}) => binds)};
}

function directoryEntry(path: string): Part {
  return {entries: [{kind: 'directory', path, mode: 0o755}], binds: []};
}

async function planChildren(directory: string, except: string): Promise<readonly Part[]> {
  const names = await readdir(directory).catch(() => [] as string[]);
  return await Promise.all(
    names
      .filter((name) => name !== except)
      .sort()
      .map((name) => planEntry(join(directory, name))),
  );
}
