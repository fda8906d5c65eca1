import {parseGitReference} from '../../api/git-reference.ts';
import type {BuildBody, BuildEvent, DockerfileText, FetchedSource} from '../../api/types/build.ts';
import {TscomposeError} from '../../base/errors.ts';
import {readIgnoreFile} from '../../base/ignore-pattern.ts';
import type {BuildClient, Builds, ClientContext, KeptByClient} from '../../engine/engine.ts';
import {changesOfClient} from './changed-files.ts';
import {archiveOf} from './client-archive.ts';
import {receiveFiles, uploadOfClient, type WantedFiles} from './client-files.ts';
import {clientDirectories, readSources} from './client-sources.ts';
import type {FrontendOptions} from './frontend-options.ts';
import type {Caller} from './grpc-client.ts';
import type {Job} from './jobs.ts';
import type {Message} from './messages.ts';
import {sessionClient} from './session-client.ts';
import type {Sessions} from './sessions.ts';
import {tellTransfer} from './transfer-status.ts';

export interface ReadBuild {
  readonly builds: Builds;
  /** Told what comes. */
  readonly job: Pick<Job, 'ref' | 'tell'>;
  readonly frontend: FrontendOptions;
  readonly asked: Message<'SolveRequest'>;
  readonly sessions: Sessions;
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

/** What a build is asked for, but for its files. */
type Body = Omit<BuildBody, 'context' | 'dockerfile' | 'ignore' | 'source'>;

export interface ReadyBuild {
  /** May be called again: then its files are asked for again. */
  readonly start: (body: Body, signal: AbortSignal) => Promise<AsyncIterable<BuildEvent>>;
  /** The Dockerfile, where it is known. */
  readonly shown: DockerfileText;
}

/** Gets what comes before any step: the Dockerfile, and what is to be ignored. */
export async function readBuild(request: ReadBuild): Promise<ReadyBuild> {
  const {builds, job, frontend, asked, sessions, caller, signal} = request;
  const directory = clientDirectories(sessions, {frontend, session: asked.session});
  const {main} = frontend;
  // What is no directory of the client has its Dockerfile in it.
  const isInContext = main !== undefined && !frontend.sendsDockerfile;
  const {dockerfile, ignore} = isInContext
    ? {dockerfile: {inContext: frontend.filename}}
    : await readSources(frontend, directory, signal);
  const ignored = ignore === undefined ? [] : readIgnoreFile(ignore);
  const clientUntil = (until: AbortSignal): BuildClient => {
    const context = (name: string, place: string, exclude: readonly string[]): [string, ClientContext] => {
      const wanted = {...directory(place, until), exclude};
      const told = (archive: AsyncIterable<Uint8Array>) => tellTransfer(archive, {name, job});
      const archive = () => told(archiveOf(receiveFiles(wanted, until)));
      const kept = async () => {
        // Its key is known once it is there.
        await wanted.caller();
        const sharedKey = sessions.sharedKey(frontend.sessions[place] ?? asked.session);
        return keptBy(wanted, {sharedKey, told, until});
      };
      return [name, {archive, kept}];
    };
    const main = frontend.main === undefined ? [context('', frontend.directories.context, ignored)] : [];
    const named = Object.entries(frontend.sent).map(([name, place]) => context(name, place, []));
    return {...sessionClient(caller, until), contexts: new Map([...main, ...named])};
  };
  const known = {dockerfile, ...(ignore === undefined ? {} : {ignore})};
  const start: ReadyBuild['start'] = async (body, until) => {
    const client = clientUntil(until);
    if (main === undefined) return builds.buildFor({...body, ...known}, client, until);
    if ('source' in main) {
      const secrets = await fetchingSecrets(main.source, client);
      return builds.buildFor({...body, ...known, secrets, source: main.source}, client, until);
    }
    if (!('inContext' in dockerfile)) throw archiveAlone();
    const archive = uploadOfClient(caller, main.upload, until);
    return builds.buildArchive({...body, dockerfile: dockerfile.inContext}, archive, {client, signal: until});
  };
  return {start, shown: 'text' in dockerfile ? dockerfile : {text: '', shown: dockerfile.inContext}};
}

interface Keeping {
  readonly sharedKey: string;
  readonly told: (archive: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  readonly until: AbortSignal;
}

/** As with BuildKit: files of the same directory of the same client are the same, whatever of them a build ignores. */
function keptBy(wanted: WantedFiles, {sharedKey, told, until}: Keeping): KeptByClient | undefined {
  if (sharedKey === '') return undefined;
  return {
    key: JSON.stringify([sharedKey, wanted.directory]),
    async changes(before) {
      const found = await changesOfClient(wanted, before, until);
      return {...found, archive: (whole) => told(found.archive(whole))};
    },
  };
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

function archiveAlone(): TscomposeError {
  return new TscomposeError('unsupported', 'cannot build: an archive whose Dockerfile is elsewhere is not supported', {
    hint: 'put the Dockerfile into the archive',
  });
}
