import {TscomposeError} from '../base/errors.ts';
import type {Project} from '../model/types.ts';
import type {Plan} from '../plan/action.ts';
import {planImageBuilds} from '../plan/build.ts';
import type {ConvergeContext} from './converge.ts';
import {combineFailures, nodeKey} from './failure.ts';
import {createImageWork} from './image-work.ts';
import {type ImageNode, isImage} from './run.ts';
import {createWorkMemory, type WorkMemory} from './work-memory.ts';

/**
 * Builds the images of a project's services, each once and after those that it is built upon; nothing else is changed, so no
 * lock is needed. Answers the images that were built; throws what failed, after everything that does not need it was done.
 */
export async function buildImages(project: Project, context: ConvergeContext): Promise<readonly string[]> {
  const {clock, report, signal} = context;
  const begin = clock.now();
  const memory = createWorkMemory();
  const plan = planImageBuilds(project);
  report({kind: 'planned', wave: 1, plan});
  await using work = createImageWork({...context, project, memory, now: () => clock.now()});
  for (;;) {
    if (!signal.aborted) work.begin(ready(plan, memory));
    if (!work.areUnderWay()) break;
    await work.next();
  }
  const failures = [...memory.failures.values()];
  const skipped = signal.aborted ? 0 : reportSkipped(plan, memory, context);
  const outcome = signal.aborted ? 'canceled' : failures.length > 0 ? 'failed' : 'done';
  const counts = {done: memory.done, failed: failures.length, skipped};
  report({kind: 'summary', command: 'build', summary: {outcome, tookMs: clock.now() - begin, ...counts}});
  if (signal.aborted) throw new TscomposeError('canceled', 'interrupted: not everything was built');
  if (outcome === 'failed') throw combineFailures(failures);
  return [...memory.built];
}

/** Those that have not come to an end, and need nothing that has not. */
function ready(plan: Plan, memory: WorkMemory): readonly ImageNode[] {
  const done = new Set(
    plan.nodes.filter(isImage).flatMap(({id, action}) => (memory.built.has(action.image) ? [id] : [])),
  );
  return plan.nodes
    .filter(isImage)
    .filter(
      (node) => !done.has(node.id) && !memory.failures.has(nodeKey(node)) && node.after.every((id) => done.has(id)),
    );
}

function reportSkipped(plan: Plan, memory: WorkMemory, {report}: ConvergeContext): number {
  const skipped = plan.nodes
    .filter(isImage)
    .filter((node) => !memory.built.has(node.action.image) && !memory.failures.has(nodeKey(node)));
  for (const node of skipped)
    report({kind: 'nodeSkipped', node, reason: 'an image that it is built upon could not be built'});
  return skipped.length;
}
