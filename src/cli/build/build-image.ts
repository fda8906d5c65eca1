import {isAbsolute} from 'node:path';
import type {BuildBody} from '../../api/types/build.ts';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import {lowerBuild, type ServiceBuild} from '../../model/lower-build.ts';
import type {BuildImage} from '../../reconcile/build-image.ts';
import type {CliContext} from '../context.ts';
import {withAuths} from './auths.ts';
import {readDockerfile, readIgnore} from './dockerfile.ts';
import {agentsFor} from './options.ts';

/** What a command says of the builds of a stack besides the stack. */
export type BuildExtras = Pick<BuildBody, 'explain' | 'pins'>;

/** How an image of a stack is built: with the files of this machine, by the engine. */
export function imageBuilder(
  context: Pick<CliContext, 'cwd' | 'env'>,
  docker: Docker,
  extras: BuildExtras = {},
): BuildImage {
  return async ({project, build, tell, signal}) => {
    const files = await readFiles(context, build);
    const lowered = lowerBuild(build, {project, environment: context.env, files});
    const body = {...lowered, agents: agentsFor(lowered, context.env), ...extras};
    const lines = await docker.build(await withAuths(context, body), {abortSignal: signal});
    await docker.followProgress(lines, tell);
  };
}

/** The Dockerfile of a service's image, and what is ignored for it; one in a context that is fetched comes with it. */
export async function readFiles(
  {cwd}: Pick<CliContext, 'cwd'>,
  {build, services, dockerfile, source}: ServiceBuild,
): Promise<Pick<BuildBody, 'dockerfile' | 'ignore'>> {
  if (dockerfile === undefined) {
    const inline = {text: build.dockerfile_inline ?? '', shown: `services.${services[0]}.build.dockerfile_inline`};
    return {dockerfile: inline, ...(source === undefined ? readIgnore(build.context, undefined) : {})};
  }
  if (source !== undefined && !isAbsolute(dockerfile)) return {dockerfile: {inContext: dockerfile}};
  const place = {context: source === undefined ? build.context : undefined, file: dockerfile, workingDirectory: cwd};
  return await readDockerfile(place).catch((error: unknown) => Promise.reject(ofService(services[0], error)));
}

/** Says whose Dockerfile it is, and how a stack names another. */
function ofService(service: string | undefined, error: unknown): TscomposeError {
  const {kind, message} = toTscomposeError(error);
  const hint = kind === 'notFound' ? 'write it, or name another one by "build.dockerfile" of the service' : undefined;
  return new TscomposeError(kind, `service "${service}": ${message}`, {cause: error, hint});
}
