import {access, constants, readFile, statfs} from 'node:fs/promises';
import {release} from 'node:os';
import {dirname} from 'node:path';
import {parseHierarchies} from '../container/cgroup-hierarchies.ts';
import {delegatedCgroups} from '../container/delegated-cgroups.ts';
import {readLimitSupport} from '../container/limit-support.ts';
import {findProgram, idMaps, readIdSources} from '../rootless/ids.ts';
import {findOutbound} from '../rootless/outbound.ts';

/** What was read of the machine, for the checks to judge. */
export interface MachineFacts {
  readonly userId: number;
  /** `6.1.0-18-amd64`. */
  readonly kernel: string;
  /** Controllers that limits can use: the user's own ones where it is not root. */
  readonly cgroups: {readonly version: 0 | 1 | 2; readonly controllers: readonly string[]};
  /** Settings below /proc/sys; absent where the kernel has none. */
  readonly settings: Readonly<Partial<Record<Setting, string>>>;
  /** Names in /proc/filesystems. */
  readonly fileSystems: readonly string[];
  /** How many ids a user has inside; 1: only the own one. */
  readonly ids: number;
  readonly programs: {readonly newuidmap: boolean; readonly outbound: string | undefined};
  /** /dev/net/tun can be opened. */
  readonly tun: boolean;
  readonly disk: Disk;
  /** Tables of iptables-legacy in use. */
  readonly legacyTables: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Disk {
  readonly root: string;
  /** Type as statfs(2) tells it. */
  readonly type: number;
  readonly freeBytes: number;
  /** Of all inodes, how many are free; undefined where the file system has no fixed number. */
  readonly freeInodes: number | undefined;
}

const settings = [
  'user/max_user_namespaces',
  'kernel/unprivileged_userns_clone',
  'kernel/apparmor_restrict_unprivileged_userns',
  'net/ipv4/ip_unprivileged_port_start',
  'net/ipv4/ip_forward',
  'net/ipv4/neigh/default/gc_thresh3',
  'net/bridge/bridge-nf-call-iptables',
  'fs/inotify/max_user_instances',
  'fs/inotify/max_user_watches',
] as const;

export type Setting = (typeof settings)[number];

export interface FactsRequest {
  readonly userId: number;
  readonly groupId: number;
  readonly root: string;
  readonly now: number;
}

export async function readFacts({userId, groupId, root, now}: FactsRequest): Promise<MachineFacts> {
  const text = (path: string) => readFile(path, 'utf8').catch(() => '');
  const [cgroups, values, fileSystems, maps, outbound, newuidmap, tun, disk, legacyTables] = await Promise.all([
    readCgroups(userId),
    Promise.all(settings.map(async (name) => [name, (await text(`/proc/sys/${name}`)).trim()] as const)),
    text('/proc/filesystems'),
    readIdSources(userId, groupId).then(idMaps),
    findOutbound(),
    findProgram('newuidmap'),
    access('/dev/net/tun', constants.R_OK | constants.W_OK).then(
      () => true,
      () => false,
    ),
    readDisk(root),
    text('/proc/net/ip_tables_names'),
  ]);
  return {
    ...{userId, cgroups, tun, disk, legacyTables, now},
    kernel: release(),
    settings: Object.fromEntries(values.filter(([, value]) => value !== '')),
    fileSystems: fileSystems.split(/\s+/).filter((word) => word !== '' && word !== 'nodev'),
    ids: maps.users.reduce((sum, {count}) => sum + count, 0),
    programs: {newuidmap: newuidmap !== undefined, outbound: outbound?.name},
  };
}

async function readCgroups(userId: number): Promise<MachineFacts['cgroups']> {
  const whole = parseHierarchies(await readFile('/proc/self/mountinfo', 'utf8'));
  const own = userId === 0 ? whole : await delegatedCgroups(whole, await readFile('/proc/self/cgroup', 'utf8'), userId);
  const v1 = whole.v1.flatMap(({controllers}) => controllers).filter((name) => !name.startsWith('name='));
  const controllers = readLimitSupport(own).controllers;
  return {
    version: v1.length > 0 ? 1 : whole.v2 ? 2 : 0,
    controllers: [...new Set([...(userId === 0 ? v1 : []), ...controllers])],
  };
}

/** Of the nearest directory that is there already. */
async function readDisk(root: string): Promise<Disk> {
  for (let path = root; ; path = dirname(path)) {
    try {
      const {type, bavail, bsize, files, ffree} = await statfs(path);
      return {root, type, freeBytes: bavail * bsize, freeInodes: files === 0 ? undefined : ffree};
    } catch (error) {
      if (path === dirname(path)) throw error;
    }
  }
}
