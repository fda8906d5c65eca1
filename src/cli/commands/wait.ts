import {hasKind, TscomposeError} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import {down} from '../../reconcile/commands.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {withProgress} from '../progress.ts';
import {listProjectContainers, type ProjectContainer} from '../project-containers.ts';
import {withProject, withStackNames} from '../session.ts';
import {wrongUse} from '../wrong-use.ts';

/**
 * Ends once all containers of the services have ended: with the first exit code that is not 0. What has ended before counts,
 * as with `docker wait`: a job may be faster than whoever waits for it. With `--down-project` the first that ends is enough.
 */
export function runWait(context: CliContext, {args, flags}: Input<'wait'>): Promise<number> {
  if (args.length === 0) throw wrongUse('wait needs a service', 'for example: tscompose wait migrate');
  if (flags['down-project']) return waitAndDown(context, args);
  return withStackNames(context, async ({name, docker, knownServices}) => {
    const containers = await containersOf(docker, {project: name, services: args, known: knownServices});
    let failed = 0;
    await Promise.all(
      containers.map(async (container) => {
        const code = await exitCodeOf(docker, container);
        if (code === undefined) return;
        tell(context, container, code);
        if (failed === 0) failed = code;
      }),
    );
    return failed;
  });
}

function waitAndDown(context: CliContext, services: readonly string[]): Promise<number> {
  return withProject(context, async ({name, project, docker}) => {
    const known = Object.keys({...project?.services, ...project?.disabledServices});
    const containers = await containersOf(docker, {project: name, services, known});
    const ends = containers.map(async (container) => ({container, code: await exitCodeOf(docker, container)}));
    const {container, code} = await Promise.race(ends);
    if (code !== undefined) tell(context, container, code);
    await withProgress(context, docker, {title: `down ${name}`}, (converge) => down({name, project}, {}, converge));
    await Promise.all(ends);
    return code ?? 0;
  });
}

async function containersOf(
  docker: Docker,
  {
    services,
    ...selection
  }: {readonly project: string; readonly services: readonly string[]; readonly known: readonly string[]},
): Promise<readonly ProjectContainer[]> {
  const containers = await listProjectContainers(docker, {...selection, services, all: true});
  if (containers.length > 0) return containers;
  throw new TscomposeError('notFound', `there is no container of ${services.map((name) => `"${name}"`).join(', ')}`, {
    hint: `start it first: tscompose up -d ${services.join(' ')}`,
  });
}

function tell({stdout}: CliContext, {name}: ProjectContainer, code: number): void {
  stdout.write(`${name} exited with code ${code}\n`);
}

/** Undefined where it was gone before anybody could ask. */
async function exitCodeOf(docker: Docker, {id}: ProjectContainer): Promise<number | undefined> {
  try {
    return (await docker.getContainer(id).wait()).StatusCode;
  } catch (error) {
    if (hasKind(error, 'notFound')) return undefined;
    throw error;
  }
}
