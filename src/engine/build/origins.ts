import {join} from 'node:path';
import {parseGitReference} from '../../api/git-reference.ts';
import type {BuildContextSource, FetchedSource} from '../../api/types/build.ts';
import {hasKind} from '../../base/errors.ts';
import {readIgnoreFile} from '../../base/ignore-pattern.ts';
import {readRegularFile} from '../../base/regular-file.ts';
import {mkdir, writeFile} from '../at-once.ts';
import type {BuildWork} from './context.ts';
import type {FetchedFiles, Fetcher, FetchOptions} from './fetch/fetcher.ts';
import type {LocalBuild} from './main-context.ts';
import {receiveContext} from './received-contexts.ts';
import {digestsPath} from './received-prune.ts';
import {lowersOf, type Snapshot} from './snapshot.ts';
import {contextRoot, openContextTree} from './source/context-tree.ts';
import {type DigestCache, openDigestCache} from './source/digests.ts';
import {openLayerTree} from './source/layer-tree.ts';
import type {SourceTree} from './source/tree.ts';
import type {Origin, StepId} from './steps.ts';

/** The trees of one build that files are taken from, each opened once. */
export interface Origins extends AsyncDisposable {
  open(origin: Origin): Promise<SourceTree>;
}

export interface OriginOptions {
  readonly request: LocalBuild;
  readonly fetcher: Fetcher;
  readonly signal: AbortSignal;
  /** What a step resulted in. */
  readonly result: (step: StepId) => Promise<Snapshot>;
  /** A directory for what is written down for this build alone. */
  readonly scratch: string;
}

export function openOrigins(context: BuildWork, options: OriginOptions): Origins {
  const opened = new Map<string, Promise<SourceTree>>();
  const caches: DigestCache[] = [];
  const received: AsyncDisposable[] = [];
  const {helper} = context.images;
  const open = async (origin: Origin): Promise<SourceTree> => {
    switch (origin.kind) {
      case 'context':
        return await openContext(origin.name);
      case 'step': {
        const snapshot = origin.step === undefined ? [] : await options.result(origin.step);
        return openLayerTree(helper, lowersOf(context, snapshot), options.signal);
      }
      case 'inline':
        return await openInline(origin.files);
      case 'remote':
        return await openRemote(origin);
    }
  };

  const openContext = async (name: string | undefined): Promise<SourceTree> => {
    const source = name === undefined ? undefined : options.request.contexts[name];
    if (isFetched(source)) return await openFetched(source, {});
    const sent = options.request.client?.contexts.get(name ?? '');
    const files = sent === undefined ? undefined : await receiveContext(context, sent, options.signal);
    if (files !== undefined) received.push(files);
    const path = files === undefined ? directoryOf(options.request, name) : files.path;
    if (path === undefined) return await openInline([]);
    const root = contextRoot(path);
    const {build, images} = context.images.layout;
    // A context that came as an archive is never seen again.
    const passes = root.startsWith(`${images.layers}/`);
    const record = passes ? join(options.scratch, 'none') : digestsPath(context, root);
    await mkdir(build.contexts, {recursive: true, mode: 0o700});
    // What was received is changed by nobody while it is used.
    const now = files?.isKept === true ? () => Number.POSITIVE_INFINITY : () => Date.now();
    const digests = await openDigestCache(root, record, now);
    caches.push(digests);
    return openContextTree(root, {ignore: ignoreOf(options.request, name, root), digests, owned: true});
  };

  /** Files that stand in the Dockerfile. */
  const openInline = async (files: readonly {readonly name: string; readonly content: string}[]) => {
    const root = join(options.scratch, `inline-${opened.size}`);
    await mkdir(root, {recursive: true, mode: 0o755});
    for (const {name, content} of files) await writeFile(join(root, name), content, {mode: 0o644});
    const digests = await openDigestCache(root, join(options.scratch, 'none'), () => 0);
    return openContextTree(root, {ignore: [], digests, owned: true});
  };

  /** The files of a repository or an archive; of one file alone, whatever is asked for is that. */
  const openFetched = async (source: FetchedSource, more: FetchOptions): Promise<SourceTree> => {
    const files = await options.fetcher.fetch(source, more);
    const digests = await openDigestCache(files.directory, join(options.scratch, 'none'), () => 0);
    return {...openContextTree(files.directory, {ignore: [], digests, owned: true}), ...versionOf(files)};
  };

  const openRemote = async (origin: Extract<Origin, {readonly kind: 'remote'}>): Promise<SourceTree> => {
    const {url, checksum, keepGitDir} = origin;
    if (parseGitReference(url) !== undefined) return await openFetched({kind: 'git', url}, {keepGitDir, checksum});
    const files = await options.fetcher.fetchFile(url, checksum);
    const digests = await openDigestCache(files.directory, join(options.scratch, 'none'), () => 0);
    const tree = openContextTree(files.directory, {ignore: [], digests, owned: true});
    return {place: tree.place, list: (_path, listing) => tree.list(files.file, listing)};
  };

  return {
    open(origin) {
      const key = JSON.stringify(origin);
      const known = opened.get(key) ?? open(origin);
      opened.set(key, known);
      return known;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(caches.map((digests) => digests.save().catch(() => undefined)));
      for (const unpacked of received) await unpacked[Symbol.asyncDispose]();
    },
  };
}

function isFetched(source: BuildContextSource | undefined): source is FetchedSource {
  return source?.kind === 'git' || source?.kind === 'http' || source?.kind === 'archive';
}

function versionOf({shown, version}: FetchedFiles): Pick<SourceTree, 'fetched'> {
  return version === undefined ? {} : {fetched: {shown, version}};
}

function directoryOf({context, contexts}: LocalBuild, name: string | undefined): string | undefined {
  if (name === undefined) return context;
  const source = contexts[name];
  return source?.kind === 'directory' ? source.path : undefined;
}

/** Bytes that an ignore file may have. */
const ignoreMost = 4 * 1024 * 1024;

/** A named context has its own file; that of the main one was read with the Dockerfile. */
function ignoreOf({ignore}: LocalBuild, name: string | undefined, root: string): readonly string[] {
  if (name === undefined) return ignore === undefined ? [] : readIgnoreFile(ignore);
  try {
    return readIgnoreFile(readRegularFile(join(root, '.dockerignore'), {most: ignoreMost}).toString('utf8'));
  } catch (error) {
    if (hasKind(error, 'notFound')) return [];
    throw error;
  }
}
