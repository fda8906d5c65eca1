import type {MonitorOperation} from '../helper/operations.ts';
import type {ContainerRecord} from './record.ts';

/** Has the monitor tell of the volumes that are mounted in each run, in Docker's words. */
export function volumeMembers({id, mounts}: Pick<ContainerRecord, 'id' | 'mounts'>): readonly MonitorOperation[] {
  return mounts.flatMap((mount): readonly MonitorOperation[] => {
    if (mount.kind !== 'volume') return [];
    const common = volumeAttributes(id);
    const mounted = {...common, destination: mount.target, propagation: '', 'read/write': String(!mount.readOnly)};
    return [{kind: 'volumeMember', name: mount.name, mounted: membersOf(mounted), unmounted: membersOf(common)}];
  });
}

/** What an event of a volume says of the container that it is about. */
export function volumeAttributes(container: string): Readonly<Record<string, string>> {
  return {container, driver: 'local'};
}

/** The text between the braces. */
function membersOf(attributes: Readonly<Record<string, string>>): string {
  return JSON.stringify(attributes).slice(1, -1);
}
