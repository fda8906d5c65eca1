import {TscomposeError} from '../base/errors.ts';
import type {Project} from '../model/types.ts';
import {type PullInput, planPull} from '../plan/pull.ts';
import type {ConvergeContext} from './converge.ts';
import {combineFailures} from './failure.ts';
import {createImageWork} from './image-work.ts';
import {observe} from './observe.ts';
import {isImage} from './run.ts';
import {createWorkMemory} from './work-memory.ts';

export interface PullRequest {
  readonly project: Project;
  readonly options: PullInput['options'];
  /** What cannot be pulled is told, and no failure. */
  readonly ignoreFailures: boolean;
}

/** Pulls the images of a project's services; nothing else is changed, so no lock is needed. Throws what failed, at the end. */
export async function pullImages(
  {project, options, ignoreFailures}: PullRequest,
  context: ConvergeContext,
): Promise<void> {
  const {engine, clock, report, signal} = context;
  const begin = clock.now();
  const memory = createWorkMemory();
  const observed = await observe(engine, project.name, {project, compare: false, images: true, now: begin});
  const plan = planPull({project, observed, options});
  report({kind: 'planned', wave: 1, plan});
  for (const notice of plan.notices) report({kind: 'notice', notice});
  await using images = createImageWork({...context, project, memory, now: () => clock.now()});
  images.begin(plan.nodes.filter(isImage));
  while (images.areUnderWay()) await images.next();
  const failures = [...memory.failures.values()];
  const outcome = signal.aborted ? 'canceled' : failures.length > 0 && !ignoreFailures ? 'failed' : 'done';
  const counts = {done: memory.done, failed: failures.length, skipped: 0};
  report({kind: 'summary', command: 'pull', summary: {outcome, tookMs: clock.now() - begin, ...counts}});
  if (signal.aborted) throw new TscomposeError('canceled', 'interrupted: not everything was pulled');
  if (outcome === 'failed') throw combineFailures(failures);
}
