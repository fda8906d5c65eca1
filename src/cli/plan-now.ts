import type {Docker} from '../client/docker.ts';
import type {Project} from '../model/types.ts';
import type {Plan} from '../plan/action.ts';
import {emptyMemory, type UpOptions} from '../plan/input.ts';
import {planUp} from '../plan/up.ts';
import {lowerProject} from '../reconcile/lowering.ts';
import {observe} from '../reconcile/observe.ts';
import type {CliContext} from './context.ts';

/** What the project asks this engine for. Throws `unsupported` for what it cannot do. */
export async function lowerFor(
  {version}: CliContext,
  docker: Docker,
  project: Project,
): Promise<ReturnType<typeof lowerProject>> {
  return lowerProject(project, {features: await docker.features(), version});
}

/** What `up` would do now. */
export async function planNow(
  context: CliContext,
  docker: Docker,
  {project, options}: {readonly project: Project; readonly options: UpOptions},
): Promise<Plan> {
  const {desired} = await lowerFor(context, docker, project);
  const observed = await observe(docker, project.name, {project, compare: true, now: context.now()});
  return planUp({project, desired, observed, memory: emptyMemory, options});
}

/** Where ports without an address are published; what a remote engine does with them is its own setting. */
export function publishAddress({global, env}: CliContext): string | undefined {
  const isRemote = (global.host ?? env['TSCOMPOSE_HOST']) !== undefined;
  return isRemote ? undefined : env['TSCOMPOSE_PUBLISH'];
}
