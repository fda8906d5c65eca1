import {join} from 'node:path';
import {parseCacheFrom, parseCacheTo} from '../../api/build-caches.ts';
import type {BuildBody} from '../../api/types/build.ts';
import {TscomposeError} from '../../base/errors.ts';
import {readIgnoreFile} from '../../base/ignore-pattern.ts';
import type {BuildClient, Builds} from '../../engine/engine.ts';
import {createStatus} from './build-status.ts';
import {archiveOfClient, readClientFiles, type WantedFiles} from './client-files.ts';
import {type FrontendOptions, readFrontendOptions} from './frontend-options.ts';
import type {Job, Response} from './jobs.ts';
import type {Message} from './messages.ts';
import {sendOutput} from './send-output.ts';
import {sessionClient} from './session-client.ts';
import type {Sessions} from './sessions.ts';

export interface RunBuild {
  readonly builds: Builds;
  readonly job: Job;
  /** What is asked of the Dockerfile frontend. */
  readonly options: Readonly<Record<string, string>>;
  readonly imports: readonly Message<'CacheEntry'>[];
  readonly asked: Message<'SolveRequest'>;
  readonly sessions: Sessions;
  readonly signal: AbortSignal;
}

/** Builds what a client asks for, of the files that it sends, and tells what BuildKit tells of what was built. */
export async function runBuild({builds, job, options, imports, asked, sessions, signal}: RunBuild): Promise<Response> {
  const frontend = readFrontendOptions(options, asked.entitlements);
  const {tags, sent} = outputsOf(asked);
  const caller = await sessions.find(asked.session, signal);
  const directory = (name: string) => ({
    directory: name,
    caller: () => sessions.find(frontend.sessions[name] ?? asked.session, signal),
  });
  const {dockerfile, ignore} = await readSources(frontend, directory, signal);
  const files = (name: string, exclude: readonly string[]) => () =>
    archiveOfClient({...directory(name), exclude}, signal);
  const client: BuildClient = {
    ...sessionClient(caller, signal),
    contexts: new Map([
      ['', files(frontend.directories.context, ignore === undefined ? [] : readIgnoreFile(ignore))],
      ...Object.entries(frontend.sent).map(([name, place]) => [name, files(place, [])] as const),
    ]),
  };
  await using scratch = sent === undefined ? undefined : await builds.openScratch();
  const output = sent && scratch && {kind: sent.kind, path: join(scratch.path, 'output')};
  const body = {
    ...{...frontend.body, ...cachesOf(asked, imports), dockerfile, tags},
    ...(ignore === undefined ? {} : {ignore}),
    ...(output === undefined ? {} : {outputs: [output]}),
  };
  const status = createStatus({build: job.ref, now: () => Date.now(), dockerfile: () => dockerfile});
  let image: string | undefined;
  for await (const event of builds.buildFor(body, client, signal)) {
    const update = status(event);
    if (update !== undefined) job.tell(update);
    if (event.kind === 'built') image = event.image;
  }
  if (output !== undefined) await sendOutput(output, {caller, exporter: sent?.number ?? 0, signal});
  if (image === undefined) return {};
  return {
    ...{'containerimage.digest': image, 'containerimage.config.digest': image},
    ...(tags.length === 0 ? {} : {'image.name': tags.join(',')}),
  };
}

interface Outputs {
  /** Names of the image. */
  readonly tags: readonly string[];
  /** The files, in place of an image: to the client. */
  readonly sent?: {readonly kind: 'local' | 'tar'; readonly number: number};
}

/** Throws `unsupported` for what else can be made of a build. */
function outputsOf({exporter, exporterAttrs, exporters}: Message<'SolveRequest'>): Outputs {
  const all = exporters.length > 0 ? exporters : exporter === '' ? [] : [{type: exporter, attrs: exporterAttrs}];
  if (all.length > 1) throw unsupported('several outputs');
  const [{type, attrs} = {type: 'none', attrs: {}}] = all;
  if (type === 'local' || type === 'tar') return {tags: [], sent: {kind: type, number: 0}};
  if (!['none', 'moby', 'image'].includes(type)) throw unsupported(`output "${type}"`);
  if (attrs['push'] === 'true') throw unsupported('pushing what was built');
  return {tags: (attrs['name'] ?? '').split(',').filter((name) => name !== '')};
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

/** The Dockerfile, and what is ignored for it: a file of its own goes before the context's. */
async function readSources(
  {filename, directories}: FrontendOptions,
  directory: (name: string) => WantedFiles,
  signal: AbortSignal,
) {
  const only = [filename, `${filename}.dockerignore`];
  const found = await readClientFiles({...directory(directories.dockerfile), only}, signal);
  const text = found.get(filename)?.toString('utf8');
  if (text === undefined)
    throw new TscomposeError('notFound', `failed to read dockerfile: open ${filename}: no such file or directory`);
  const own = found.get(`${filename}.dockerignore`);
  const ignoreFile = {...directory(directories.context), only: ['.dockerignore']};
  const ignored = own ?? (await readClientFiles(ignoreFile, signal)).get('.dockerignore');
  return {dockerfile: {text, shown: filename}, ignore: ignored?.toString('utf8')};
}
