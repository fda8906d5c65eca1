import type {ContainerProcesses} from '../../../api/types/stats.ts';
import {TscomposeError} from '../../../base/errors.ts';
import {notRunning} from '../attach.ts';
import {publishContainerEvent} from '../container-event.ts';
import type {ContainerContext} from '../context.ts';
import {processesOf} from '../processes-of.ts';
import {findContainer} from '../reference.ts';
import {observe} from '../state.ts';
import {readMachineMemory} from '../stats/machine-usage.ts';
import {readKernelFile} from '../stats/read.ts';
import {columns} from './columns.ts';
import {readProcess} from './process.ts';
import {parsePsArguments} from './ps-arguments.ts';

/**
 * The processes of a container as ps(1) lists them, read from /proc: the machine need not have the program. Throws
 * `conflict` when the container does not run, `unsupported` for arguments that we do not know.
 */
export async function topContainer(
  context: ContainerContext,
  reference: string,
  psArguments: string,
): Promise<ContainerProcesses> {
  const found = await findContainer(context.layout, reference);
  const shown = parsePsArguments(psArguments);
  const {kind, state} = await observe(context, found.id);
  if (kind !== 'live') throw notRunning(found);
  if (state.status === 'restarting') {
    throw new TscomposeError('conflict', `Container ${found.id} is restarting, wait until the container is running`);
  }
  const bootedAt = Number(/^btime (\d+)$/m.exec(readKernelFile('/proc/stat'))?.[1] ?? 0);
  const surroundings = {now: context.now() / 1000, machineMemory: readMachineMemory() / 1024, users: readUsers()};
  const pids = await processesOf(context, found, state);
  const processes = pids.map((pid) => readProcess(pid, bootedAt)).filter((process) => process !== undefined);
  await publishContainerEvent(context, found.record, found.name, 'top');
  return {
    Titles: shown.map(({title}) => title),
    Processes: processes.map((process) => shown.map(({name}) => columns[name].cell(process, surroundings))),
  };
}

function readUsers(): ReadonlyMap<number, string> {
  const users = new Map<number, string>();
  for (const line of readKernelFile('/etc/passwd').split('\n')) {
    const [name = '', , id = ''] = line.split(':');
    if (/^\d+$/.test(id) && !users.has(Number(id))) users.set(Number(id), name);
  }
  return users;
}
