import {join} from 'node:path';
import {parseCacheFrom, parseCacheTo} from '../../api/build-caches.ts';
import {parseGitReference} from '../../api/git-reference.ts';
import type {BuildBody, BuildEvent, DockerfileText, FetchedSource} from '../../api/types/build.ts';
import {TscomposeError} from '../../base/errors.ts';
import {readIgnoreFile} from '../../base/ignore-pattern.ts';
import type {BuildClient, Builds} from '../../engine/engine.ts';
import {parseReference} from '../../engine/image/reference.ts';
import {createStatus} from './build-status.ts';
import {archiveOfClient, readClientFiles, uploadOfClient, type WantedFiles} from './client-files.ts';
import {type FrontendOptions, readFrontendOptions} from './frontend-options.ts';
import type {Caller} from './grpc-client.ts';
import type {Built, Job, Response} from './jobs.ts';
import type {Message} from './messages.ts';
import {sendOutput} from './send-output.ts';
import {sessionClient} from './session-client.ts';
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
  const {start, shown} = await readBuild({builds, frontend, asked, sessions, caller, signal});
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

/** What servers may be told, by the names that BuildKit has for it. */
async function fetchingSecrets(source: FetchedSource, client: BuildClient): Promise<BuildBody['secrets']> {
  const names = namesOfSecrets(source);
  const found = await Promise.all(
    names.map(async (id) => {
      const content = await client.secret(id);
      return content === undefined ? [] : [{id, content: {base64: Buffer.from(content).toString('base64')}}];
    }),
  );
  return found.flat();
}

function namesOfSecrets(source: FetchedSource): readonly string[] {
  if (source.kind === 'archive') return [];
  if (source.kind === 'http') {
    const {host} = new URL(source.url);
    return [`HTTP_AUTH_HEADER_${host}`, `HTTP_AUTH_TOKEN_${host}`];
  }
  const host = parseGitReference(source.url)?.host;
  return ['GIT_AUTH_HEADER', 'GIT_AUTH_TOKEN'].flatMap((name) => [name, `${name}.${host}`]);
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

interface ReadBuild {
  readonly builds: Builds;
  readonly frontend: FrontendOptions;
  readonly asked: Message<'SolveRequest'>;
  readonly sessions: Sessions;
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

/** What a build is asked for, but for its files. */
type Body = Omit<BuildBody, 'context' | 'dockerfile' | 'ignore' | 'source'>;

interface ReadyBuild {
  /** May be called again: then its files are asked for again. */
  readonly start: (body: Body, signal: AbortSignal) => Promise<AsyncIterable<BuildEvent>>;
  /** The Dockerfile, where it is known. */
  readonly shown: DockerfileText;
}

/** Gets what comes before any step: the Dockerfile, and what is to be ignored. */
async function readBuild({builds, frontend, asked, sessions, caller, signal}: ReadBuild): Promise<ReadyBuild> {
  const directory = (name: string, until: AbortSignal) => ({
    directory: name,
    caller: () => sessions.find(frontend.sessions[name] ?? asked.session, until),
  });
  const {main} = frontend;
  // What is no directory of the client has its Dockerfile in it.
  const isInContext = main !== undefined && !frontend.sendsDockerfile;
  const {dockerfile, ignore} = isInContext
    ? {dockerfile: {inContext: frontend.filename}}
    : await readSources(frontend, (name) => directory(name, signal), signal);
  const files = (name: string, exclude: readonly string[], until: AbortSignal) => () =>
    archiveOfClient({...directory(name, until), exclude}, until);
  const clientUntil = (until: AbortSignal): BuildClient => ({
    ...sessionClient(caller, until),
    contexts: new Map([
      ...(main === undefined
        ? [
            [
              '',
              files(frontend.directories.context, ignore === undefined ? [] : readIgnoreFile(ignore), until),
            ] as const,
          ]
        : []),
      ...Object.entries(frontend.sent).map(([name, place]) => [name, files(place, [], until)] as const),
    ]),
  });
  const known = {dockerfile, ...(ignore === undefined ? {} : {ignore})};
  const start: ReadyBuild['start'] = async (body, until) => {
    const client = clientUntil(until);
    if (main === undefined) return builds.buildFor({...body, ...known}, client, until);
    if ('source' in main) {
      const secrets = await fetchingSecrets(main.source, client);
      return builds.buildFor({...body, ...known, secrets, source: main.source}, client, until);
    }
    if (!('inContext' in dockerfile)) throw unsupported('an archive whose Dockerfile is elsewhere');
    const archive = uploadOfClient(caller, main.upload, until);
    return builds.buildArchive({...body, dockerfile: dockerfile.inContext}, archive, {client, signal: until});
  };
  return {start, shown: 'text' in dockerfile ? dockerfile : {text: '', shown: dockerfile.inContext}};
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
