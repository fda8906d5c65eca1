import {existsSync} from 'node:fs';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {toTscomposeError} from '../../base/errors.ts';
import type {Machine} from './machine.ts';

/** Where processes go that are at the top. */
const leaf = 'supervisor';

/** One that is moved may have begun another one meanwhile. */
const mostRounds = 100;

/**
 * In version 2 a cgroup that gives controllers to those below it has no processes itself, but for the very top of the machine's.
 * A service of systemd with Delegate=yes begins with its processes at the top of what it was given, as does a container with
 * cgroups of its own: they go one down. Does nothing where there are none.
 */
export async function leaveTop({cgroups: {v2}, limits}: Pick<Machine, 'cgroups' | 'limits'>): Promise<void> {
  // The very top of the machine's hierarchy has no type.
  if (v2 === undefined || limits.controllers.size === 0 || !existsSync(join(v2.mount, 'cgroup.type'))) return;
  try {
    await moveDown(v2.mount);
  } catch (error) {
    throw toTscomposeError(error);
  }
}

async function moveDown(top: string): Promise<void> {
  const directory = join(top, leaf);
  for (let round = 0; round < mostRounds; round += 1) {
    const pids = await processesAt(top);
    if (pids.length === 0) return;
    await mkdir(directory, {recursive: true});
    for (const pid of pids) await move(pid, directory);
  }
}

/** Not those of another process namespace, whose numbers are 0 here. */
async function processesAt(directory: string): Promise<readonly string[]> {
  const text = await readFile(join(directory, 'cgroup.procs'), 'utf8');
  return text.split('\n').filter((line) => line !== '' && line !== '0');
}

async function move(pid: string, directory: string): Promise<void> {
  try {
    await writeFile(join(directory, 'cgroup.procs'), pid, {flag: 'r+'});
  } catch (error) {
    // It has ended.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
