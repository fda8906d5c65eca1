import {hasKind} from '../../base/errors.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {listProjectContainers} from '../project-containers.ts';
import {withStackNames} from '../session.ts';
import {wrongUse} from '../wrong-use.ts';

/**
 * Ends once all containers of the services have ended: with the first exit code that is not 0. What has ended before counts,
 * as with `docker wait`: a job may be faster than whoever waits for it.
 */
export function runWait(context: CliContext, {args}: Input<'wait'>): Promise<number> {
  if (args.length === 0) throw wrongUse('wait needs a service', 'for example: tscompose wait migrate');
  return withStackNames(context, async ({name, docker, knownServices}) => {
    const selection = {project: name, services: args, all: true, known: knownServices};
    const containers = await listProjectContainers(docker, selection);
    let failed = 0;
    await Promise.all(
      containers.map(async (container) => {
        const code = await exitCodeOf(docker.getContainer(container.id));
        if (code === undefined) return;
        context.stdout.write(`${container.name} exited with code ${code}\n`);
        if (failed === 0) failed = code;
      }),
    );
    return failed;
  });
}

/** Undefined where it was gone before anybody could ask. */
async function exitCodeOf(container: {wait(): Promise<{readonly StatusCode: number}>}): Promise<number | undefined> {
  try {
    return (await container.wait()).StatusCode;
  } catch (error) {
    if (hasKind(error, 'notFound')) return undefined;
    throw error;
  }
}
