import {access, constants, stat} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import type {CgroupHierarchies} from './cgroup-hierarchies.ts';

/**
 * The part of the version 2 hierarchy that was given to the user (Delegate=yes of systemd): the topmost directory above this
 * process that is the user's. Nothing else is: version 1 is not handed out, and neither is what belongs to root.
 */
export async function delegatedCgroups(
  {v2}: CgroupHierarchies,
  membership: string,
  userId: number,
): Promise<CgroupHierarchies> {
  const own = /^0::(\/.*)$/m.exec(membership)?.[1];
  let mount: string | undefined;
  for (let path = own ?? '/'; v2 && path !== '/'; path = dirname(path)) {
    const directory = join(v2.mount, path);
    if (await isOurs(directory, userId)) mount = directory;
  }
  return {v1: [], v2: mount === undefined ? undefined : {mount}};
}

async function isOurs(directory: string, userId: number): Promise<boolean> {
  try {
    for (const name of ['', 'cgroup.procs', 'cgroup.subtree_control']) {
      if ((await stat(join(directory, name))).uid !== userId) return false;
    }
    await access(join(directory, 'cgroup.procs'), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
