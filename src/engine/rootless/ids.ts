import {access, constants, readFile} from 'node:fs/promises';
import {userInfo} from 'node:os';
import {join} from 'node:path';

/** A run of ids inside a user namespace, and whose they are outside. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** The ids that a user's containers have. */
export interface IdMaps {
  readonly users: readonly IdRange[];
  readonly groups: readonly IdRange[];
  /** The programs that write them; absent: the user's own id is all there is. */
  readonly programs?: {readonly newuidmap: string; readonly newgidmap: string};
}

export interface IdSources {
  readonly userId: number;
  readonly groupId: number;
  /** Absent: the user has no entry in the machine's list. */
  readonly userName: string | undefined;
  /** Texts of /etc/subuid and /etc/subgid; empty where there are none. */
  readonly subuid: string;
  readonly subgid: string;
  /** Where newuidmap and newgidmap are, where both are. */
  readonly programs: {readonly newuidmap: string; readonly newgidmap: string} | undefined;
}

/**
 * Lines `owner:start:count` (subuid(5)); the owner by name or number. One that has ids of an earlier one is left out (the same
 * range by name and by number is usual): the kernel takes no id twice.
 */
export function subordinateRanges(
  text: string,
  owner: {readonly id: number; readonly name: string | undefined},
): readonly IdRange[] {
  const ranges: IdRange[] = [];
  let inside = 1;
  for (const line of text.split('\n')) {
    const [who = '', start = '', size = ''] = line.split(':');
    if (who === '' || (who !== owner.name && who !== String(owner.id))) continue;
    if (!/^\d+$/.test(start) || !/^\d+$/.test(size) || Number(size) === 0) continue;
    const overlaps = ({outside, count}: IdRange) =>
      Number(start) < outside + count && outside < Number(start) + Number(size);
    if (ranges.some(overlaps)) continue;
    ranges.push({inside, outside: Number(start), count: Number(size)});
    inside += Number(size);
  }
  return ranges;
}

/** Root inside is the user; the subordinate ids follow, from 1. Without them there is that one id. */
export function idMaps({userId, groupId, userName, subuid, subgid, programs}: IdSources): IdMaps {
  const own = (outside: number): IdRange => ({inside: 0, outside, count: 1});
  const users = subordinateRanges(subuid, {id: userId, name: userName});
  const groups = subordinateRanges(subgid, {id: userId, name: userName});
  if (!programs || users.length === 0 || groups.length === 0) return {users: [own(userId)], groups: [own(groupId)]};
  return {users: [own(userId), ...users], groups: [own(groupId), ...groups], programs};
}

/** As /proc/PID/uid_map and newuidmap(1) take it. */
export function formatMap(ranges: readonly IdRange[]): string {
  return ranges.map(({inside, outside, count}) => `${inside} ${outside} ${count}\n`).join('');
}

/** Where a program is, of those directories that administrators install into. */
export async function findProgram(
  name: string,
  directories: readonly string[] = programDirectories,
): Promise<string | undefined> {
  for (const directory of directories) {
    const path = join(directory, name);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

const programDirectories = ['/usr/local/bin', '/usr/local/sbin', '/usr/bin', '/usr/sbin', '/bin', '/sbin'] as const;

/** What the machine says of the user that runs this. */
export async function readIdSources(userId: number, groupId: number): Promise<IdSources> {
  const read = (path: string) => readFile(path, 'utf8').catch(() => '');
  const [subuid, subgid, newuidmap, newgidmap] = await Promise.all([
    read('/etc/subuid'),
    read('/etc/subgid'),
    findProgram('newuidmap'),
    findProgram('newgidmap'),
  ]);
  return {
    ...{userId, groupId, subuid, subgid},
    userName: nameOfUser(),
    programs: newuidmap !== undefined && newgidmap !== undefined ? {newuidmap, newgidmap} : undefined,
  };
}

function nameOfUser(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // An id without an entry in the list of users.
    return undefined;
  }
}
