import {mapLimited} from '../../base/concurrency.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import {familiarReference} from '../../engine/image/reference.ts';
import type {Project} from '../../model/types.ts';
import {createPlanBuilder, placeOf} from '../../plan/builder.ts';
import type {CliContext} from '../context.ts';
import {warnOnce} from '../session.ts';
import {resolveDigest} from './resolve-digest.ts';
import type {WantedImage} from './wanted-images.ts';

const asksAtOnce = 8;

/** Digests by name in full. What cannot be found is told at once, each with its place. */
export async function resolveAll(
  context: CliContext,
  docker: Docker,
  {
    project,
    asked,
  }: {readonly project: Pick<Project, 'name' | 'workingDir' | 'provenance'>; readonly asked: readonly WantedImage[]},
): Promise<ReadonlyMap<string, string>> {
  const problems = createPlanBuilder(project.name, project.workingDir);
  const abort = new AbortController();
  const tell = warnOnce(context);
  using _interrupt = context.onInterrupt(() => abort.abort());
  const found = await mapLimited(asked, asksAtOnce, async ({reference, path}) => {
    try {
      const {digest, instead} = await resolveDigest(context, docker, {reference, signal: abort.signal, tell});
      if (instead !== undefined)
        context.stderr.write(`note: ${instead}; the digest of "${familiarReference(reference)}" here is taken\n`);
      return [[reference, digest] as const];
    } catch (error) {
      if (!(error instanceof TscomposeError) || abort.signal.aborted) throw error;
      const {kind, message, hint} = error;
      problems.problem({...{kind, message, ...placeOf(project, path)}, ...(hint !== undefined && {hint})});
      return [];
    }
  });
  problems.build();
  return new Map(found.flat());
}
