import type {BuildBody} from '../../api/types/build.ts';
import type {Docker} from '../../client/docker.ts';
import {lowerBuild} from '../../model/lower-build.ts';
import type {BuildImage} from '../../reconcile/build-image.ts';
import type {CliContext} from '../context.ts';
import {retyped} from '../retyped.ts';
import {checkAgents} from './check-agents.ts';
import {agentsFor} from './options.ts';
import {type RunBuild, runBuild} from './run-build.ts';
import {readServiceFiles} from './service-files.ts';

/** What a command says of the builds of a stack besides the stack. */
export interface BuildExtras extends Pick<BuildBody, 'explain' | 'pins'> {
  readonly debug?: RunBuild['debug'];
}

/** How an image of a stack is built: with the files of this machine, by the engine. */
export function imageBuilder(context: CliContext, docker: Docker, {debug, ...extras}: BuildExtras = {}): BuildImage {
  return async ({project, build, tell, signal}) => {
    const files = await readServiceFiles(context, build);
    checkAgents(context, project, build);
    const lowered = lowerBuild(build, {project, environment: context.env, files});
    const body = {...lowered, agents: agentsFor(lowered, context.env), ...extras};
    const debugCommand = retyped(context.global, ['build', '--debug', ...build.services.slice(0, 1)]);
    await runBuild(context, docker, {body, tell, signal, debug, debugCommand});
  };
}
