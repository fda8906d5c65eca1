import {type GitReference, parseGitReference} from '../../../api/git-reference.ts';
import type {BuildBody, FetchedSource} from '../../../api/types/build.ts';
import {TscomposeError} from '../../../base/errors.ts';
import {redactUrls} from '../../../base/redact-url.ts';
import type {BuildWork} from '../context.ts';
import {download} from '../download.ts';
import {openScratch} from '../snapshot.ts';
import {shownReference} from './git-repository.ts';
import {fetchGit} from './git-source.ts';
import {fetchFile} from './http-source.ts';
import {secretText} from './secret-text.ts';

/** Files that were fetched, in a directory of this machine. */
export interface FetchedFiles {
  readonly directory: string;
  /** The one file that there is, where it was no archive and no repository. */
  readonly file: string | undefined;
  /** From where, for people. */
  readonly shown: string;
  /** `commit …`, `sha256:…`; undefined for what has no name of its own. */
  readonly version: string | undefined;
  /** Nothing had to be fetched. */
  readonly cached: boolean;
}

/** What an instruction says besides the address. */
export interface FetchOptions {
  readonly keepGitDir?: boolean;
  readonly checksum?: string | undefined;
  /** Of what is neither a repository nor an archive. */
  readonly fileName?: string;
}

/** What one build fetches: each thing once. The files are there until it is disposed. */
export interface Fetcher extends AsyncDisposable {
  /** Throws `notFound`, `unavailable`, `unauthorized`, `invalid`, `forbidden`, `exhausted`. */
  fetch(source: FetchedSource, options?: FetchOptions): Promise<FetchedFiles>;
  /** A file of a server as it is, also one that is an archive. */
  fetchFile(url: string, checksum: string | undefined): Promise<FetchedFiles & {readonly file: string}>;
}

export function createFetcher(
  work: BuildWork,
  {secrets, agents, noCache}: Pick<BuildBody, 'secrets' | 'agents' | 'noCache'>,
  signal: AbortSignal,
): Fetcher {
  const fetched = new Map<string, Promise<FetchedFiles>>();
  const held: AsyncDisposable[] = [];
  const secret = (id: string) => secretText(secrets, id);

  async function fetch(source: FetchedSource, options: FetchOptions): Promise<FetchedFiles> {
    if (source.kind === 'git') return await fetchRepository(source.url, options);
    const scratch = await openScratch(work);
    held.push(scratch);
    const {file, version} = await fetchFile(work, {source, fileName: options.fileName, scratch, secret, signal});
    const shown = source.kind === 'http' ? redactUrls(source.url) : source.path;
    return {directory: scratch.upper, file, shown, version, cached: false};
  }

  async function fetchRepository(url: string, {keepGitDir, checksum}: FetchOptions): Promise<FetchedFiles> {
    const reference = withChecksum(url, checksum);
    const access = {host: work.fetching.environment, agents, secret, signal};
    const keeps = keepGitDir === true || reference.keepGitDir === true;
    const found = await fetchGit(work, reference, {access, keepGitDir: keeps, fresh: noCache === true});
    return {...found, file: undefined, shown: shownReference(reference)};
  }

  return {
    async fetchFile(url, checksum) {
      const scratch = await openScratch(work);
      held.push(scratch);
      const {upper: directory} = scratch;
      const {fetched: most} = work.fetching.limits;
      const {name, digest} = await download({web: work.web, url, checksum, directory, secret, most, signal});
      return {directory, file: name, shown: redactUrls(url), version: digest, cached: false};
    },
    fetch(source, options = {}) {
      const key = JSON.stringify([source, options]);
      const known = fetched.get(key) ?? fetch(source, options);
      fetched.set(key, known);
      return known;
    },
    async [Symbol.asyncDispose]() {
      for (const one of held) await one[Symbol.asyncDispose]();
    },
  };
}

function withChecksum(url: string, checksum: string | undefined): GitReference {
  const reference = parseGitReference(url);
  if (reference === undefined) throw new TscomposeError('invalid', `"${redactUrls(url)}" names no repository`);
  if (!checksum) return reference;
  if (!/^[0-9a-f]{7,64}$/.test(checksum)) {
    throw new TscomposeError('invalid', `--checksum: "${checksum}" is no name of a commit`, {
      hint: 'write its hex digits, at least seven of them',
    });
  }
  if (reference.checksum === undefined || reference.checksum === checksum) return {...reference, checksum};
  throw new TscomposeError('invalid', `--checksum ${checksum} is not that of the address: ${reference.checksum}`);
}
