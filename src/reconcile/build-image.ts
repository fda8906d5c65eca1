import type {BuildEvent} from '../api/types/build.ts';
import {TscomposeError} from '../base/errors.ts';
import {type ServiceBuild, serviceBuilds} from '../model/lower-build.ts';
import type {Project} from '../model/types.ts';
import type {BuildBounds} from '../report/event.ts';
import type {ImageWorkOptions} from './image-work.ts';
import type {BuildNode} from './run.ts';

/** Builds one image of a stack: reads its Dockerfile, and asks the engine. Rejects where the build fails. */
export type BuildImage = (request: {
  readonly project: Project;
  readonly build: ServiceBuild;
  readonly tell: (event: BuildEvent) => void;
  readonly signal: AbortSignal;
}) => Promise<void>;

export async function buildImage(node: BuildNode, options: ImageWorkOptions): Promise<undefined> {
  const {project, memory, report, signal} = options;
  const {image} = node.action;
  const build = project && serviceBuilds(project).find((one) => one.image === image);
  if (project === undefined || build === undefined || options.build === undefined)
    throw new TscomposeError('internal', `nobody knows how to build image "${image}"`);
  const tell = (event: BuildEvent | BuildBounds) =>
    report({kind: 'build', build: build.services[0] ?? image, node, event});
  tell({kind: 'began'});
  try {
    await options.build({project, build, signal, tell});
  } catch (error) {
    tell({kind: 'ended', outcome: signal.aborted ? 'canceled' : 'failed'});
    throw error;
  }
  memory.built.add(image);
}
