import {join} from 'node:path';
import {parseCacheFrom, parseCacheTo} from '../../api/build-caches.ts';
import {parseGitReference} from '../../api/git-reference.ts';
import type {BuildBody, FetchedSource} from '../../api/types/build.ts';
import {TscomposeError} from '../../base/errors.ts';
import {readIgnoreFile} from '../../base/ignore-pattern.ts';
import type {BuildClient, Builds} from '../../engine/engine.ts';
import {parseReference} from '../../engine/image/reference.ts';
import {createStatus} from './build-status.ts';
import {archiveOfClient, readClientFiles, uploadOfClient, type WantedFiles} from './client-files.ts';
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
  const {tags, sent, isNothing = false} = outputsOf(asked);
  const caller = await sessions.find(asked.session, signal);
  const directory = (name: string) => ({
    directory: name,
    caller: () => sessions.find(frontend.sessions[name] ?? asked.session, signal),
  });
  const {main} = frontend;
  // What is no directory of the client has its Dockerfile in it.
  const isInContext = main !== undefined && !frontend.sendsDockerfile;
  const {dockerfile, ignore} = isInContext
    ? {dockerfile: {inContext: frontend.filename}}
    : await readSources(frontend, directory, signal);
  const files = (name: string, exclude: readonly string[]) => () =>
    archiveOfClient({...directory(name), exclude}, signal);
  const client: BuildClient = {
    ...sessionClient(caller, signal),
    contexts: new Map([
      ...(main === undefined
        ? [['', files(frontend.directories.context, ignore === undefined ? [] : readIgnoreFile(ignore))] as const]
        : []),
      ...Object.entries(frontend.sent).map(([name, place]) => [name, files(place, [])] as const),
    ]),
  };
  await using scratch = sent === undefined ? undefined : await builds.openScratch();
  const output = sent && scratch && {kind: sent.kind, path: join(scratch.path, 'output')};
  const asBody = {
    ...{...frontend.body, ...cachesOf(asked, imports), tags},
    ...(ignore === undefined ? {} : {ignore}),
    ...(output === undefined ? {} : {outputs: [output]}),
    ...(isNothing ? {outputs: [{kind: 'tar', path: '/dev/null'} as const]} : {}),
  };
  const start = async () => {
    if (main === undefined) return builds.buildFor({...asBody, dockerfile}, client, signal);
    if ('source' in main) {
      const secrets = await fetchingSecrets(main.source, client);
      return builds.buildFor({...asBody, secrets, source: main.source, dockerfile}, client, signal);
    }
    if (!('inContext' in dockerfile)) throw unsupported('an archive whose Dockerfile is elsewhere');
    const archive = uploadOfClient(caller, main.upload, signal);
    return builds.buildArchive({...asBody, dockerfile: dockerfile.inContext}, archive, {client, signal});
  };
  const shown = 'text' in dockerfile ? dockerfile : {text: '', shown: dockerfile.inContext};
  const status = createStatus({build: job.ref, now: () => Date.now(), dockerfile: () => shown});
  let image: string | undefined;
  for await (const event of await start()) {
    const update = status(event);
    if (update !== undefined) job.tell(update);
    if (event.kind === 'built') image = event.image;
  }
  if (output !== undefined) await sendOutput(output, {caller, exporter: sent?.number ?? 0, signal});
  if (image === undefined) return {};
  return {
    ...{'containerimage.digest': image, 'containerimage.config.digest': image},
    ...(tags.length === 0 ? {} : {'image.name': tags.map(fullName).join(',')}),
  };
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

interface Outputs {
  /** Names of the image. */
  readonly tags: readonly string[];
  /** The files, in place of an image: to the client. */
  readonly sent?: {readonly kind: 'local' | 'tar'; readonly number: number};
  /** Neither: what counts is that its steps are kept. */
  readonly isNothing?: boolean;
}

/** Throws `unsupported` for what else can be made of a build. */
function outputsOf({exporter, exporterAttrs, exporters}: Message<'SolveRequest'>): Outputs {
  const all = exporters.length > 0 ? exporters : exporter === '' ? [] : [{type: exporter, attrs: exporterAttrs}];
  if (all.length > 1) throw unsupported('several outputs');
  const [{type, attrs} = {type: 'none', attrs: {}}] = all;
  if (type === 'local' || type === 'tar') return {tags: [], sent: {kind: type, number: 0}};
  if (type === 'none') return {tags: [], isNothing: true};
  if (!['moby', 'image'].includes(type)) throw unsupported(`output "${type}"`);
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
