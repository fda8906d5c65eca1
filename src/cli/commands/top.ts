import type {ContainerProcesses} from '../../api/types/stats.ts';
import {mapLimited} from '../../base/concurrency.ts';
import {hasKind} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import {oneLine} from '../../report/cells.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {listProjectContainers, type ProjectContainer} from '../project-containers.ts';
import {withStackNames} from '../session.ts';
import {formatTable} from '../table.ts';
import {terminalColumns} from '../terminal-columns.ts';

const atOnce = 8;

export function runTop(context: CliContext, {args}: Input<'top'>): Promise<number> {
  return withStackNames(context, async ({name, docker, knownServices}) => {
    const containers = await listProjectContainers(docker, {
      project: name,
      services: args,
      all: false,
      known: knownServices,
    });
    const listings = await mapLimited(containers, atOnce, async (container) => ({
      container,
      listing: await processesOf(docker, container),
    }));
    // Engines may differ in what they tell; ours and Docker's tell the same.
    const titles = [...new Set([...usual, ...listings.flatMap(({listing}) => listing.Titles)])];
    const rows = listings.flatMap(({container, listing}) =>
      listing.Processes.map((cells) => [
        container.service,
        String(container.number),
        ...titles.map((title) => oneLine(cells[listing.Titles.indexOf(title)] ?? '-')),
      ]),
    );
    context.stdout.write(
      formatTable(['SERVICE', '#', ...titles], rows, {
        columns: terminalColumns(context),
        drop: ['C', 'PPID', 'STIME', 'TTY', 'UID', 'TIME'],
        cut: {CMD: 30},
      }),
    );
    return 0;
  });
}

const usual = ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'];

/** None of one that ended, or restarts, since it was listed. */
async function processesOf(docker: Docker, {id}: ProjectContainer): Promise<ContainerProcesses> {
  try {
    return await docker.getContainer(id).top();
  } catch (error) {
    if (hasKind(error, 'notFound', 'conflict')) return {Titles: usual, Processes: []};
    throw error;
  }
}
