import {basename} from 'node:path';
import type {BuildEvent} from '../../api/types/build.ts';
import {sha256Hex} from '../../base/canonical-json.ts';
import {TscomposeError} from '../../base/errors.ts';
import {formatNanoseconds, unixNanoseconds} from '../clock.ts';
import {runWithProgress} from '../image/channel.ts';
import {normaliseReference} from '../image/reference.ts';
import {openSession} from '../image/session.ts';
import {openAgents} from './agents/open-agents.ts';
import {openArchiveContext} from './archive-context.ts';
import {openCache} from './cache.ts';
import {withSources} from './caches/sources.ts';
import {exportCaches} from './caches/targets.ts';
import {stepsBelow} from './caches/told-steps.ts';
import type {BuildContext, BuildRequest, BuildWork} from './context.ts';
import {readEpoch} from './epoch.ts';
import {createFetcher, type Fetcher} from './fetch/fetcher.ts';
import {withLayouts} from './layout-contexts.ts';
import {type LocalBuild, openMainContext} from './main-context.ts';
import {type Origins, openOrigins} from './origins.ts';
import {checkOutputs, makeOutputs, type PlatformResult} from './output/outputs.ts';
import {type Plans, type PlatformPlan, planPlatforms} from './plan-platforms.ts';
import {clearDeadBuilds, openRunDirectory} from './run-directory.ts';
import {createSolver, type Solver} from './solve.ts';

/**
 * Builds an image, and tells what goes on. Throws `invalid` with all problems of the Dockerfile, `dependencyFailed` for a step
 * that fails, `notFound` for images and files that are not there.
 */
export function buildImage(
  context: BuildContext,
  request: BuildRequest,
  signal?: AbortSignal,
): AsyncGenerator<BuildEvent> {
  const {endings} = context.containers;
  return runWithProgress<BuildEvent>((channel, stopped) => {
    const work = carryOut(context, {request, signal: stopped}, (event) => channel.push(event));
    // Whoever gives up a build does not wait for its containers to be cleared away: the engine does, before it closes.
    const ending = work.catch(() => undefined).finally(() => endings.delete(ending));
    endings.add(ending);
    return work;
  }, signal);
}

async function carryOut(
  context: BuildContext,
  {request: stated, signal}: {readonly request: BuildRequest; readonly signal: AbortSignal},
  emit: (event: BuildEvent) => void,
): Promise<void> {
  for (const tag of stated.tags) normaliseReference(tag);
  checkOutputs(stated);
  await using served = await openAgents(context, stated.agents);
  const request = {...stated, agents: served.agents};
  await using session = await openSession(context.images);
  const work = {...context, session};
  await using fetcher = createFetcher(work, request, signal);
  const {request: stored, layouts} = await withLayouts(work, request, signal);
  const local = await openMainContext(work, stored, {fetcher, emit});
  const plans = await planPlatforms(work, {request: local, layouts, signal}, emit);
  await solvePlans(work, {request: local, plans, fetcher, signal}, emit);
}

/** The same of an archive that has the context; `dockerfile` is a path in it. */
export function buildArchive(
  context: BuildContext,
  request: Omit<BuildRequest, 'context' | 'dockerfile' | 'ignore'> & {readonly dockerfile: string},
  {archive, signal}: {readonly archive: AsyncIterable<Uint8Array>; readonly signal?: AbortSignal},
): AsyncGenerator<BuildEvent> {
  return runWithProgress<BuildEvent>(async (channel, stopped) => {
    await using session = await openSession(context.images);
    const {dockerfile} = request;
    await using unpacked = await openArchiveContext({...context, session}, archive, {dockerfile, signal: stopped});
    for await (const event of buildImage(context, {...request, ...unpacked.files}, stopped)) channel.push(event);
  }, signal);
}

interface SolvingPlans {
  readonly request: LocalBuild;
  readonly fetcher: Fetcher;
  readonly plans: Plans;
  readonly signal: AbortSignal;
}

async function solvePlans(
  context: BuildWork,
  {request, plans: {plans, steps}, fetcher, signal}: SolvingPlans,
  emit: (event: BuildEvent) => void,
): Promise<void> {
  const timeNow = () => formatNanoseconds(unixNanoseconds(context.images.now));
  const started = timeNow();
  const epoch = readEpoch(plans[0]?.epoch);
  const stop = new AbortController();
  const stopped = AbortSignal.any([signal, stop.signal]);
  await clearDeadBuilds(context);
  await using directory = await openRunDirectory(context);
  const cache = openCache(context);
  const sources = withSources(context, cache, {request, signal: stopped, emit});
  let origins: Origins | undefined;
  const solver = createSolver(context, {
    ...{request, steps, cache: sources, ownCache: cache, signal: stopped, directory: directory.path, emit},
    slot: sha256Hex(`${request.place}\n${request.dockerfile.shown}`),
    origins: () => origins ?? fail(),
  });
  origins = openOrigins(context, {
    ...{request, fetcher, signal: stopped, scratch: directory.path},
    result: async (step) => (await solver.result(step)).snapshot,
  });
  try {
    await using opened = origins;
    void opened;
    const build = basename(directory.path);
    const solved = await Promise.all(plans.map((plan) => solvePlan(solver, plan)));
    const facts = {request, steps, build, started, finished: timeNow()};
    const results = solved.map(({images, ...result}) => ({
      ...result,
      steps: stepsBelow(steps, solver.made(), result.target.result),
      facts: {...facts, platform: result.platform, images},
    }));
    const scratch = directory.path;
    await makeOutputs(context, results, {request, epoch, cache, scratch, now: facts.finished, signal: stopped, emit});
    const told = {min: results.flatMap((result) => result.steps), max: solver.made()};
    await exportCaches(context, {request, steps: told, signal: stopped, emit});
  } finally {
    stop.abort();
    // One that failed or was canceled is the first of several: what the others run in is cleared away, too.
    await solver.settled();
  }
}

type Solved = Omit<PlatformResult, 'facts' | 'steps'> & Pick<PlatformPlan, 'images'>;

async function solvePlan(solver: Solver, {target, platform, images}: PlatformPlan): Promise<Solved> {
  const {result} = target;
  const snapshot = result === undefined ? [] : (await solver.result(result)).snapshot;
  const created = new Map<number, string>();
  for (const {step} of target.lines) {
    const time = step === undefined ? undefined : (await solver.result(step)).created;
    if (step !== undefined && time !== undefined) created.set(step, time);
  }
  return {platform, target, images, snapshot, created};
}

function fail(): never {
  throw new TscomposeError('internal', 'a build reads files before it knows from where');
}
