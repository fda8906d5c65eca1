import {join} from 'node:path';
import type {GitReference} from '../../../api/git-reference.ts';
import {formatNanoseconds, unixNanoseconds} from '../../clock.ts';
import type {LayerRecord} from '../../image/record.ts';
import {keyOf, openCache} from '../cache.ts';
import type {BuildWork} from '../context.ts';
import {openScratch, takeLayer} from '../snapshot.ts';
import {checkOut} from './git-checkout.ts';
import {type GitAccess, gitEnvironment, withCredentials} from './git-environment.ts';
import {createGit} from './git-program.ts';
import {resolveCommit, shownReference} from './git-repository.ts';

export interface FetchingGit {
  readonly access: GitAccess;
  readonly keepGitDir: boolean;
  /** What was fetched before does not count. */
  readonly fresh: boolean;
}

export interface FetchedFiles {
  /** Of the machine. */
  readonly directory: string;
  /** `commit 0123…`: what of all that the address may stand for it is. */
  readonly version: string;
  readonly cached: boolean;
}

/** The files of a commit, fetched once: they stay as long as results of steps do. */
export async function fetchGit(
  work: BuildWork,
  reference: GitReference,
  {access, keepGitDir, fresh}: FetchingGit,
): Promise<FetchedFiles> {
  const {limits} = work.fetching;
  const environment = await gitEnvironment(access);
  const asking = createGit({
    environment: withCredentials(environment, reference, {...access, isNamed: true}),
    ...{signal: access.signal, fileMost: limits.fetched, what: `cannot fetch ${shownReference(reference)}`},
  });
  const resolved = await resolveCommit(asking, reference);
  const {url, subdir, submodules} = reference;
  // As with BuildKit, part of a repository has no repository.
  const keeps = keepGitDir && subdir === '';
  const named = keeps ? {name: resolved.name ?? ''} : {};
  const definition = {kind: 'git', url, commit: resolved.commit, subdir, submodules, keeps, ...named};
  const key = keyOf({parent: '', definition, files: ''});
  const title = `fetch ${shownReference(reference)} at ${resolved.commit}`;
  const cache = openCache(work);
  const found = fresh ? undefined : await cache.find(key, title);
  const layer = found?.layer ?? (await fetch());
  if (found === undefined) {
    const created = formatNanoseconds(unixNanoseconds(work.images.now));
    await cache.keep(key, {layer, created, title});
  }
  return {
    directory: work.images.layout.images.layer(layer.directory),
    version: `commit ${resolved.commit}`,
    cached: found !== undefined,
  };

  async function fetch(): Promise<LayerRecord> {
    await using scratch = await openScratch(work);
    await checkOut({work, scratch, access, environment, limits, keepGitDir: keeps}, reference, resolved);
    if (subdir === '') return await scratch.keep(access.signal);
    return await takeLayer(work, join(scratch.upper, subdir), access.signal);
  }
}
