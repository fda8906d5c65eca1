import {parseGitReference} from '../../api/git-reference.ts';
import type {BuildBody, BuildEvent, DockerfileText, ExplainedStep, FetchedSource} from '../../api/types/build.ts';
import {sha256Hex} from '../../base/canonical-json.ts';
import {TscomposeError} from '../../base/errors.ts';
import {redactUrls} from '../../base/redact-url.ts';
import {readContextDockerfile} from './archive-context.ts';
import {openCache} from './cache.ts';
import type {BuildRequest, BuildWork} from './context.ts';
import type {FetchedFiles, Fetcher} from './fetch/fetcher.ts';
import {contextRoot} from './source/context-tree.ts';

/** A build whose main context, where it has one, is a directory here, and whose Dockerfile is known. */
export type LocalBuild = Omit<BuildRequest, 'dockerfile' | 'source'> & {
  readonly dockerfile: DockerfileText;
  /** Where the context is from, whichever commit that is now. */
  readonly place: string;
};

/** Steps that come before those of the Dockerfile, so that none has the number of another. */
const contextStep = -1;
const dockerfileStep = -2;

/** Brings the main context and the Dockerfile, where they are elsewhere. */
export async function openMainContext(
  work: BuildWork,
  request: BuildRequest,
  {fetcher, emit}: {readonly fetcher: Fetcher; readonly emit: (event: BuildEvent) => void},
): Promise<LocalBuild> {
  const {source, dockerfile, ...rest} = request;
  const telling = {work, fetcher, emit, explain: request.explain === true};
  const keepGitDir = /^(?:1|t|true)$/i.test(request.arguments['BUILDKIT_CONTEXT_KEEP_GIT_DIR'] ?? '');
  const files = source && (await bring(telling, {step: contextStep, source, keepGitDir}));
  const context = files === undefined ? {} : {context: contextRoot(files.directory)};
  const place = files?.shown ?? request.context ?? '';
  return {...rest, ...context, place, dockerfile: await readDockerfile(telling, dockerfile, files)};
}

interface Telling {
  readonly work: BuildWork;
  readonly fetcher: Fetcher;
  readonly emit: (event: BuildEvent) => void;
  readonly explain: boolean;
}

async function readDockerfile(
  telling: Telling,
  dockerfile: BuildBody['dockerfile'],
  files: FetchedFiles | undefined,
): Promise<DockerfileText> {
  if ('text' in dockerfile) return dockerfile;
  if ('url' in dockerfile) {
    const source = {kind: 'http', url: dockerfile.url} as const;
    const found = await bring(telling, {step: dockerfileStep, source, keepGitDir: false});
    if (found.file === undefined)
      throw new TscomposeError('invalid', `${found.shown} is an archive, and no Dockerfile`);
    const {text} = readContextDockerfile(contextRoot(found.directory), found.file, found.shown);
    return {text, shown: found.shown};
  }
  if (files === undefined)
    throw new TscomposeError('invalid', 'a build has no context that its Dockerfile could be in');
  const root = contextRoot(files.directory);
  // What is fetched as one file is the Dockerfile, whatever it is called.
  const name = files.file ?? dockerfile.inContext;
  const found = readContextDockerfile(root, name, files.shown);
  return files.file === undefined ? found : {...found, shown: files.shown};
}

/** Fetches, as a step that is told of. */
async function bring(
  {work, fetcher, emit, explain}: Telling,
  {step, source, keepGitDir}: {readonly step: number; readonly source: FetchedSource; readonly keepGitDir: boolean},
): Promise<FetchedFiles> {
  const title = `[context] ${source.kind === 'archive' ? 'archive' : redactUrls(source.url)}`;
  emit({kind: 'step', step, title, status: 'start'});
  try {
    // As BuildKit calls it: so it is copied.
    const files = await fetcher.fetch(source, {keepGitDir, fileName: 'context'});
    const {version, shown, cached} = files;
    if (version !== undefined) emit({kind: 'output', step, stream: 'stderr', text: `${shown}: ${version}\n`});
    if (version !== undefined) {
      const explained = await compareVersion(work, {source, version, cached});
      if (explain) emit({kind: 'explained', step, explained});
    }
    emit({kind: 'step', step, status: cached ? 'cached' : 'done'});
    return files;
  } catch (error) {
    emit({kind: 'step', step, status: 'failed'});
    throw error;
  }
}

/** Compares it with what was fetched from there last, and keeps it for the next time. */
async function compareVersion(
  work: BuildWork,
  {source, version, cached}: {source: FetchedSource; version: string; cached: boolean},
): Promise<ExplainedStep> {
  const place = source.kind === 'git' ? parseGitReference(source.url) : source;
  const slot = sha256Hex(JSON.stringify(['context', place && {...place, user: '', password: ''}])).slice(0, 32);
  const cache = openCache(work);
  const before = (await cache.lastParts(slot))?.versions?.['context'];
  await cache.keepParts(slot, {parent: '', definition: {}, files: '', versions: {context: version}});
  if (cached) return {verdict: 'cached'};
  if (before === undefined) return {verdict: 'built', reasons: ['it was never fetched before']};
  const same = 'what was fetched before is not in the cache, or not to be used';
  return {verdict: 'built', reasons: [before === version ? same : `it was ${before}, and is ${version}`]};
}
