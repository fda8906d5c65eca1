import {TscomposeError, toTscomposeError} from '../base/errors.ts';
import type {Docker} from '../client/docker.ts';
import {parseReference} from '../engine/image/reference.ts';
import type {Project} from '../model/types.ts';
import type {CliContext} from './context.ts';
import {authFor, type TellWarning} from './credentials.ts';
import {followTransfer} from './follow-transfer.ts';
import {warnOnce} from './session.ts';

export interface PushRequest {
  /** With the services whose images are pushed, and no others. */
  readonly project: Project;
  readonly quiet: boolean;
  /** What cannot be pushed is told, and no failure. */
  readonly ignoreFailures: boolean;
}

/** Pushes what the services build under names of its own, one after the other. As in Compose the rest came from a registry. */
export async function pushImages(
  context: CliContext,
  docker: Docker,
  {project, quiet, ignoreFailures}: PushRequest,
): Promise<void> {
  const failures: TscomposeError[] = [];
  const tell = warnOnce(context);
  for (const image of builtImages(context, project, quiet)) {
    try {
      await pushOne(context, docker, {image, quiet, tell});
    } catch (error) {
      const failure = toTscomposeError(error);
      if (!ignoreFailures) throw failure;
      failures.push(failure);
    }
  }
  for (const {message} of failures) context.stderr.write(`warning: ${message}\n`);
}

function builtImages(context: CliContext, project: Project, quiet: boolean): readonly string[] {
  const images = new Set<string>();
  for (const [name, {image, build}] of Object.entries(project.services)) {
    if (build === undefined || image === undefined) {
      const reason = build === undefined ? 'it is not built' : 'its image has no name of its own';
      if (!quiet) context.stderr.write(`service "${name}": nothing is pushed: ${reason}\n`);
      continue;
    }
    for (const one of [image, ...(build.tags ?? [])]) images.add(one);
  }
  return [...images];
}

async function pushOne(
  context: CliContext,
  docker: Docker,
  {image, quiet, tell}: {readonly image: string; readonly quiet: boolean; readonly tell: TellWarning},
): Promise<void> {
  const {tag, digest} = parseReference(image);
  if (digest !== undefined) throw new TscomposeError('invalid', `cannot push "${image}": it has a digest`);
  const hasTag = image.lastIndexOf(':') > image.lastIndexOf('/');
  const name = hasTag ? image.slice(0, image.lastIndexOf(':')) : image;
  const authconfig = await authFor(context, image, tell);
  await followTransfer(context, {
    ...{title: `push ${image}`, image, quiet},
    begin: (abortSignal) => docker.getImage(name).push({tag, authconfig, abortSignal}),
  });
}
