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
  const context = source === undefined ? build.context : undefined;
  const place = {context, file: dockerfile, workingDirectory: cwd, hints};
  return await readDockerfile(place).catch((error: unknown) => Promise.reject(ofService(services[0], error)));
}

const hints = {
  context: 'make it, or name another one by "build.context" of the service',
  file: 'write it, or name another one by "build.dockerfile" of the service',
};

/** Says whose Dockerfile it is. */
function ofService(service: string | undefined, error: unknown): TscomposeError {
  const {kind, message, hint} = toTscomposeError(error);
  return new TscomposeError(kind, `service "${service}": ${message}`, {cause: error, hint});
}
