import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {type DeviceNode, readNode} from './node.ts';

/** Other file systems in the machine's /dev, of which a container has its own, and its console. */
const ownOfContainers: ReadonlySet<string> = new Set([
  ...['/dev/pts', '/dev/shm', '/dev/mqueue', '/dev/fd', '/dev/hugepages'],
  // A container's are its own terminal, and a link to its own devpts.
  ...['/dev/console', '/dev/ptmx'],
]);

/**
 * All devices in a directory of the machine and below it, at the same places below `target`. Links are not followed, and
 * what goes away meanwhile is not there: devices come and go.
 */
export async function devicesBelow(directory: string, target: string): Promise<readonly DeviceNode[]> {
  const nodes: DeviceNode[] = [];
  const visit = async (from: string, to: string): Promise<void> => {
    for (const entry of await readdir(from, {withFileTypes: true})) {
      const source = join(from, entry.name);
      if (ownOfContainers.has(source)) continue;
      if (entry.isDirectory()) await unlessGone(visit(source, join(to, entry.name)));
      if (!entry.isCharacterDevice() && !entry.isBlockDevice()) continue;
      const node = await unlessGone(readNode(source, join(to, entry.name)));
      if (node !== undefined) nodes.push(node);
    }
  };
  await visit(directory, target);
  return nodes;
}

async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
