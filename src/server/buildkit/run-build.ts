import {join} from 'node:path';
import {parseCacheFrom, parseCacheTo} from '../../api/build-caches.ts';
import type {BuildBody, BuildEvent} from '../../api/types/build.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Builds} from '../../engine/engine.ts';
import {parseReference} from '../../engine/image/reference.ts';
import {createStatus} from './build-status.ts';
import {readFrontendOptions} from './frontend-options.ts';
import type {Built, Job, Response} from './jobs.ts';
import type {Message} from './messages.ts';
import {readBuild} from './ready-build.ts';
import {sendOutput} from './send-output.ts';
import type {Sessions} from './sessions.ts';
import {wantedOutputs} from './wanted-outputs.ts';

export interface RunBuild {
  readonly builds: Builds;
  readonly job: Job;
  /** What is asked of the Dockerfile frontend. */
  readonly options: Readonly<Record<string, string>>;
  readonly imports: readonly Message<'CacheEntry'>[];
  /** Images that other builds of the same client came to, by the names that contexts have for them. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly asked: Message<'SolveRequest'>;
  readonly sessions: Sessions;
  readonly signal: AbortSignal;
}

/** Builds what a client asks for, of the files that it sends, and tells what BuildKit tells of what was built. */
export async function runBuild(request: RunBuild): Promise<Built> {
  const {builds, job, options, imports, inputs, asked, sessions, signal} = request;
  const frontend = readFrontendOptions(options, {entitlements: asked.entitlements, inputs});
  const {images, files, tags} = wantedOutputs(asked);
  await using scratch = files.length === 0 ? undefined : await builds.openScratch();
  const sent = files.map((file) => ({...file, path: join(scratch?.path ?? '', String(file.number))}));
  const outputs = [...images, ...sent.map(({kind, path}) => ({kind, path}))];
  const caller = await sessions.find(asked.session, signal);
  const {start, shown} = await readBuild({builds, job, frontend, asked, sessions, caller, signal});
  const status = createStatus({build: job.ref, now: () => Date.now(), dockerfile: () => shown});
  const body = {...frontend.body, ...cachesOf(asked, imports), tags};
  let image: string | undefined;
  const wanted = {...body, outputs: outputs.length > 0 ? outputs : [nothing]};
  for await (const event of await start(wanted, signal)) {
    const update = status(event);
    if (update !== undefined) job.tell(update);
    if (event.kind === 'built') image = event.image;
  }
  for (const {number, ...files} of sent) await sendOutput(files, {caller, exporter: number, signal});
  return {
    response: responseOf(image, tags),
    // What was built is in the cache, also where nothing was to be taken from there.
    image: async () => image ?? (await imageAlone(await start({...body, noCache: false, tags: []}, job.stopped))),
  };
}

/** The steps are kept, and nothing is made of them. */
const nothing = {kind: 'tar', path: '/dev/null'} as const;

function responseOf(image: string | undefined, tags: readonly string[]): Response {
  if (image === undefined) return {};
  return {
    ...{'containerimage.digest': image, 'containerimage.config.digest': image},
    ...(tags.length === 0 ? {} : {'image.name': tags.map(fullName).join(',')}),
  };
}

async function imageAlone(events: AsyncIterable<BuildEvent>): Promise<string> {
  let image: string | undefined;
  for await (const event of events) if (event.kind === 'built') image = event.image;
  if (image === undefined) throw new TscomposeError('internal', 'a build came to no image');
  return image;
}

/** As BuildKit tells it: with its registry, and a tag only where it was given one. */
function fullName(tag: string): string {
  const {registry, repository} = parseReference(tag);
  return `${registry}/${repository}${/:[^/:]+$/.exec(tag)?.[0] ?? ''}`;
}

/** Caches elsewhere; those of the client's own disk would have to be sent. */
function cachesOf(
  {cache}: Message<'SolveRequest'>,
  imports: readonly Message<'CacheEntry'>[],
): Pick<BuildBody, 'cacheFrom' | 'cacheTo'> {
  const written = ({type, attrs}: Message<'CacheEntry'>) => {
    if (type === 'local') throw unsupported('a cache in a directory of the client');
    return [`type=${type}`, ...Object.entries(attrs).map(([key, value]) => `${key}=${value}`)].join(',');
  };
  return {
    cacheFrom: [...(cache?.imports ?? []), ...imports].flatMap((entry) => parseCacheFrom(written(entry), String)),
    cacheTo: (cache?.exports ?? []).flatMap((entry) => parseCacheTo(written(entry), String)),
  };
}

function unsupported(what: string): TscomposeError {
  return new TscomposeError('unsupported', `cannot build: ${what} is not supported`, {
    hint: 'build an image, and push or save that',
  });
}
