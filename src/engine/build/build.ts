import type {BuildBody, BuildEvent} from '../../api/types/build.ts';
import {sha256Hex} from '../../base/canonical-json.ts';
import {hasKind, TscomposeError} from '../../base/errors.ts';
import {checkDockerfile} from '../../dockerfile/check.ts';
import {parseDockerfile} from '../../dockerfile/parse.ts';
import {formatNanoseconds, unixNanoseconds} from '../clock.ts';
import {createBlobStore} from '../image/blobs.ts';
import {runWithProgress} from '../image/channel.ts';
import {isObject, parseJson} from '../image/configuration.ts';
import {findImage} from '../image/find.ts';
import {formatPlatform, machinePlatform, type Platform, parsePlatform} from '../image/platform.ts';
import {familiarReference, normaliseReference} from '../image/reference.ts';
import {openSession} from '../image/session.ts';
import {openArchiveContext} from './archive-context.ts';
import {authFor} from './auth-for.ts';
import {baseForPlatform} from './base-platform.ts';
import {openCache} from './cache.ts';
import {inlineCache, noImageForCache, wantsInline} from './caches/inline.ts';
import {withSources} from './caches/sources.ts';
import {exportCaches} from './caches/targets.ts';
import {stepsBelow} from './caches/told-steps.ts';
import type {BuildContext, BuildRequest, BuildWork} from './context.ts';
import {exportFiles} from './export-files.ts';
import {exportImage} from './export-image.ts';
import {createFetcher, type Fetcher} from './fetch/fetcher.ts';
import {imageText} from './image-text.ts';
import {withLayouts} from './layout-contexts.ts';
import {type LocalBuild, openMainContext} from './main-context.ts';
import {type Origins, openOrigins} from './origins.ts';
import type {BaseImage} from './plan/draft.ts';
import {type BuildPlan, planBuild} from './plan/plan.ts';
import {clearDeadBuilds, openRunDirectory} from './run-directory.ts';
import {createSolver} from './solve.ts';
import type {BuildConfig, HistoryEntry} from './types.ts';

/**
 * Builds an image, and tells what goes on. Throws `invalid` with all problems of the Dockerfile, `dependencyFailed` for a step
 * that fails, `notFound` for images and files that are not there.
 */
export function buildImage(
  context: BuildContext,
  request: BuildRequest,
  signal?: AbortSignal,
): AsyncGenerator<BuildEvent> {
  return runWithProgress<BuildEvent>(async (channel, stopped) => {
    const references = request.tags.map((tag) => normaliseReference(tag));
    const emit = (event: BuildEvent) => channel.push(event);
    await using session = await openSession(context.images);
    const work = {...context, session};
    await using fetcher = createFetcher(work, request, stopped);
    const local = await openMainContext(work, await withLayouts(work, request, stopped), {fetcher, emit});
    const plan = await plans(context, {request: local, signal: stopped}, emit);
    await solvePlan(work, {request: local, plan, references, fetcher, signal: stopped}, emit);
  }, signal);
}

/** The same of an archive that has the context; `dockerfile` is a path in it. */
export function buildArchive(
  context: BuildContext,
  request: Omit<BuildBody, 'context' | 'dockerfile' | 'ignore'> & {readonly dockerfile: string},
  {archive, signal}: {readonly archive: AsyncIterable<Uint8Array>; readonly signal?: AbortSignal},
): AsyncGenerator<BuildEvent> {
  return runWithProgress<BuildEvent>(async (channel, stopped) => {
    await using session = await openSession(context.images);
    const {dockerfile} = request;
    await using unpacked = await openArchiveContext({...context, session}, archive, {dockerfile, signal: stopped});
    for await (const event of buildImage(context, {...request, ...unpacked.files}, stopped)) channel.push(event);
  }, signal);
}

async function plans(
  context: BuildContext,
  {request, signal}: {readonly request: LocalBuild; readonly signal: AbortSignal},
  emit: (event: BuildEvent) => void,
): Promise<BuildPlan> {
  refuseEpoch(request);
  const source = request.dockerfile;
  const found = checkDockerfile(source, {buildArguments: request.arguments});
  for (const warning of found.filter(({severity}) => severity === 'warning')) emit({kind: 'warning', warning});
  refuse(found.filter(({severity}) => severity === 'error'));
  const machine = machinePlatform(context.images.architecture);
  const asked = request.platform === undefined ? undefined : parsePlatform(request.platform);
  const plan = await planBuild({
    ...request,
    source,
    dockerfile: parseDockerfile(source),
    machine,
    platform: asked ?? machine,
    image: (reference, platform) => readBase(context, reference, {platform: platform ?? asked, request, signal}),
  });
  refuse(plan.errors);
  return plan;
}

/** BuildKit sets the times of the image and of what is copied by it: here nothing would come of it. */
function refuseEpoch({arguments: given}: LocalBuild): void {
  if (!Object.hasOwn(given, 'SOURCE_DATE_EPOCH')) return;
  throw new TscomposeError('unsupported', 'build argument SOURCE_DATE_EPOCH: times of images cannot be set', {
    hint: 'leave it out; steps that need it can have it from an ARG of another name',
  });
}

function refuse(diagnostics: BuildPlan['errors']): void {
  const [first] = diagnostics;
  if (first === undefined) return;
  throw new TscomposeError(
    'invalid',
    `the Dockerfile has ${diagnostics.length} problem${diagnostics.length > 1 ? 's' : ''}`,
    {
      diagnostics,
    },
  );
}

interface SolvingPlan {
  readonly request: LocalBuild;
  readonly fetcher: Fetcher;
  readonly plan: BuildPlan;
  readonly references: readonly string[];
  readonly signal: AbortSignal;
}

async function solvePlan(
  context: BuildWork,
  {request, plan, references, fetcher, signal}: SolvingPlan,
  emit: (event: BuildEvent) => void,
): Promise<void> {
  const stop = new AbortController();
  const stopped = AbortSignal.any([signal, stop.signal]);
  await clearDeadBuilds(context);
  await using directory = await openRunDirectory(context);
  let origins: Origins | undefined;
  const solver = createSolver(context, {
    ...{request, steps: plan.steps, signal: stopped, directory: directory.path, emit},
    cache: withSources(context, openCache(context), {request, signal: stopped, emit}),
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
    const {result} = plan.target;
    const snapshot = result === undefined ? [] : (await solver.result(result)).snapshot;
    const steps = {min: stepsBelow(plan.steps, solver.made(), result), max: solver.made()};
    const keepElsewhere = () => exportCaches(context, {request, steps, signal: stopped, emit});
    if (request.output !== undefined) {
      if (wantsInline(request)) emit(noImageForCache);
      await exportFiles(context, {snapshot, output: request.output, scratch: directory.path}, stopped);
      await keepElsewhere();
      return emit({kind: 'exported', path: request.output.path});
    }
    const created = new Map<number, string>();
    for (const {step} of plan.target.lines) {
      const time = step === undefined ? undefined : (await solver.result(step)).created;
      if (step !== undefined && time !== undefined) created.set(step, time);
    }
    const now = formatNanoseconds(unixNanoseconds(context.images.now));
    const diffIds = snapshot.map(({diffId}) => diffId);
    const more = wantsInline(request) ? inlineCache(steps.min, snapshot.length) : {};
    const text = imageText(plan.target, {diffIds, created, labels: request.labels, now, more});
    const image = await exportImage(context, {snapshot, text, references});
    await keepElsewhere();
    emit({kind: 'built', image, names: references.map(familiarReference)});
  } finally {
    stop.abort();
  }
}

function fail(): never {
  throw new TscomposeError('internal', 'a build reads files before it knows from where');
}

interface ReadingBase {
  readonly platform: Platform | undefined;
  readonly request: BuildRequest;
  readonly signal: AbortSignal;
}

/** What an image says of itself; one that is not there is pulled, and any where newer ones are asked for. */
async function readBase(
  context: BuildContext,
  reference: string,
  {platform, request, signal}: ReadingBase,
): Promise<BaseImage> {
  const bring = async () => {
    const auth = await authFor(reference, request);
    await context.pull({reference, platform: platform && formatPlatform(platform), auth}, signal);
    return await findImage(context.images, reference);
  };
  const find = () =>
    findImage(context.images, reference).catch((error: unknown) => {
      if (!hasKind(error, 'notFound')) throw error;
      return bring();
    });
  const found = await (request.pull === true && !isOwn(reference, request) ? bring() : find());
  const image = await baseForPlatform(context, found, {reference, platform, request, signal});
  const bytes = await createBlobStore(context.images.layout.images.blobs).read(image.id);
  const value = parseJson(bytes, `image ${image.id}`);
  const {config, history, author} = value;
  const {os, architecture, variant} = image;
  const entries = Array.isArray(history) ? (history as HistoryEntry[]) : [];
  return {
    id: image.id,
    config: (isObject(config) ? config : {}) as BuildConfig,
    author: typeof author === 'string' ? author : undefined,
    history: completed(
      entries,
      image.layers.map(({diffId}) => diffId),
    ),
    os,
    architecture,
    variant,
  };
}

/** What the same stack builds is in no registry, or an old one. */
function isOwn(reference: string, {contexts}: BuildBody): boolean {
  return Object.values(contexts).some(
    (source) => source.kind === 'image' && source.built === true && source.reference === reference,
  );
}

/** A layer that the history does not tell of gets a line, as BuildKit gives it one. */
function completed(history: readonly HistoryEntry[], diffIds: readonly string[]): readonly HistoryEntry[] {
  const told = history.filter(({empty_layer: empty}) => empty !== true).length;
  const untold = diffIds
    .slice(told)
    .map((id) => ({created_by: `layer ${id.slice('sha256:'.length, 'sha256:'.length + 12)}`}));
  return [...history, ...untold];
}
