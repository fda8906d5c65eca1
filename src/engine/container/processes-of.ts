import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {type CgroupHierarchies, hasNone} from './cgroup-hierarchies.ts';
import {cgroupPlace, pathOf} from './cgroup-place.ts';
import type {ContainerContext} from './context.ts';
import {cgroupsOf} from './known-cgroups.ts';
import {membersOf} from './members.ts';
import type {FoundContainer} from './reference.ts';
import type {MonitorState} from './state.ts';
import {readKernelFile} from './stats/read.ts';

/** Process numbers, as the machine has them, of a container that runs: by its cgroup, or by descent where it has none. */
export async function processesOf(
  context: ContainerContext,
  found: FoundContainer,
  {pid = 0, monitor = 0}: MonitorState,
): Promise<readonly number[]> {
  const cgroups = await cgroupsOf(context, found.record);
  return hasNone(cgroups)
    ? membersOf({pid, monitor}).map((member) => member.pid)
    : readMembers(cgroups, pathOf(cgroupPlace(context.cgroupParent, found.record)));
}

/** Process numbers of a cgroup and those below, ascending. */
function readMembers({v1, v2}: CgroupHierarchies, path: string): readonly number[] {
  const mount = v1[0]?.mount ?? v2?.mount;
  if (mount === undefined) return [];
  const members: number[] = [];
  const visit = (directory: string): void => {
    // Zero: a process of another process namespace.
    members.push(
      ...readKernelFile(join(directory, 'cgroup.procs'))
        .split('\n')
        .map(Number)
        .filter((pid) => pid > 0),
    );
    for (const entry of listDirectory(directory)) if (entry.isDirectory()) visit(join(directory, entry.name));
  };
  visit(join(mount, path));
  return members.sort((a, b) => a - b);
}

function listDirectory(directory: string) {
  try {
    return readdirSync(directory, {withFileTypes: true});
  } catch {
    // It was removed while we looked.
    return [];
  }
}
