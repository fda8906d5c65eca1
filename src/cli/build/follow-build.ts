import type {BuildEvent} from '../../api/types/build.ts';
import type {Docker} from '../../client/docker.ts';
import type {Report} from '../../report/event.ts';
import type {CliContext} from '../context.ts';
import {type Metadata, type RunBuild, runBuild} from './run-build.ts';

export interface FollowBuild extends Omit<RunBuild, 'tell'> {
  readonly report: Report;
  /** What is told of it that nobody is to see. */
  readonly isHidden: (event: BuildEvent) => boolean;
}

/** Builds an image by itself, with its progress. */
export async function followBuild(
  context: CliContext,
  docker: Docker,
  {report, isHidden, ...run}: FollowBuild,
): Promise<Metadata> {
  report({kind: 'build', build: '', event: {kind: 'began'}});
  try {
    const tell = (event: BuildEvent): void => {
      if (!isHidden(event)) report({kind: 'build', build: '', event});
    };
    return await runBuild(context, docker, {...run, tell});
  } catch (error) {
    const outcome = run.signal.aborted ? 'canceled' : 'failed';
    report({kind: 'build', build: '', event: {kind: 'ended', outcome}});
    throw error;
  }
}
