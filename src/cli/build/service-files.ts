import {isAbsolute} from 'node:path';
import type {BuildBody} from '../../api/types/build.ts';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import type {ServiceBuild} from '../../model/lower-build.ts';
import type {CliContext} from '../context.ts';
import {readDockerfile, readIgnore} from './dockerfile.ts';

/**
 * The Dockerfile of a service, and what is ignored for it; one in a context that is fetched comes with it. Throws `notFound`,
 * `forbidden`, `invalid`.
 */
export async function readServiceFiles(
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
