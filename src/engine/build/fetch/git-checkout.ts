import {realpathSync} from 'node:fs';
import {mkdir, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {GitReference} from '../../../api/git-reference.ts';
import {TscomposeError} from '../../../base/errors.ts';
import {unpackContext} from '../archive-context.ts';
import type {BuildWork} from '../context.ts';
import type {Scratch} from '../snapshot.ts';
import {type GitAccess, withCredentials} from './git-environment.ts';
import {createGit, type GitProgram} from './git-program.ts';
import {fetchCommit, type ResolvedCommit, shownReference} from './git-repository.ts';
import {checkDirectory, listTree, readSubmodules, type Submodule} from './git-tree.ts';
import {type FetchLimits, tooMuch} from './limits.ts';

export interface Checkout {
  readonly work: BuildWork;
  /** Its upper directory gets the files. */
  readonly scratch: Scratch;
  readonly access: GitAccess;
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: FetchLimits;
  readonly keepGitDir: boolean;
}

interface Repository {
  readonly reference: GitReference;
  readonly resolved: ResolvedCommit;
  /** Where its files go; empty: the root. */
  readonly into: string;
  /** It is what was asked for, and no submodule. */
  readonly isNamed: boolean;
  /** Repositories around it. */
  readonly around: readonly Repository[];
}

/**
 * Fetches a commit and unpacks what it has, with its submodules. Nothing of git's own checkout takes part: the files go
 * through an archive, so that no hook, filter or link is ever followed, and all have the commit's time.
 */
export async function checkOut(checkout: Checkout, reference: GitReference, resolved: ResolvedCommit): Promise<void> {
  const left = {files: checkout.limits.files, submodules: checkout.limits.submodules, bytes: checkout.limits.unpacked};
  const pending: Repository[] = [{reference, resolved, into: '', isNamed: true, around: []}];
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const submodules = await checkOutOne(checkout, next, left);
    left.submodules -= submodules.length;
    if (left.submodules < 0)
      throw new TscomposeError(
        'exhausted',
        `${shownReference(reference)} has more than ${checkout.limits.submodules} submodules`,
      );
    pending.push(...submodules.map((submodule) => repositoryOf(submodule, next)));
  }
}

function repositoryOf({path, commit, reference}: Submodule, parent: Repository): Repository {
  const isOwnHost = reference.host === parent.reference.host && reference.scheme === parent.reference.scheme;
  const {user, password} = parent.reference;
  const inherits = isOwnHost && reference.user === undefined;
  return {
    reference: inherits ? {...reference, user, password} : reference,
    resolved: {commit, name: undefined, tag: undefined},
    into: parent.into === '' ? path : `${parent.into}/${path}`,
    isNamed: isOwnHost && parent.isNamed,
    around: [...parent.around, parent],
  };
}

interface Left {
  files: number;
  readonly submodules: number;
  bytes: number;
}

/** Answers the submodules that are still to be fetched. */
async function checkOutOne(checkout: Checkout, repository: Repository, left: Left): Promise<readonly Submodule[]> {
  const {work, scratch, access, limits} = checkout;
  const {reference, resolved, into, isNamed, around} = repository;
  const {commit} = resolved;
  const shown = shownReference(reference);
  const {signal} = access;
  const what = around.length === 0 ? `cannot fetch ${shown}` : `cannot fetch submodule "${into}" from ${shown}`;
  const environment = withCredentials(checkout.environment, reference, {...access, isNamed});
  const git = createGit({environment, signal, fileMost: limits.fetched, what});
  const directory = join(scratch.work, 'repository');
  await fetchCommit({git, reference, resolved, directory, fetchedMost: limits.fetched});
  const tree = {place: `--git-dir=${directory}`, commit, subdir: reference.subdir};
  await checkDirectory(git, tree, shown);
  const {files, links} = await listTree(git, tree);
  left.files -= files;
  if (left.files < 0) throw new TscomposeError('exhausted', `${shown} has more than ${limits.files} files`);
  // Its own attributes are not to leave any files out, or to write anything into them.
  await mkdir(join(directory, 'info'), {recursive: true});
  await writeFile(join(directory, 'info/attributes'), '* -export-ignore -export-subst\n');
  const words = [tree.place, 'archive', '--format=tar', ...(into === '' ? [] : [`--prefix=${into}/`]), commit];
  const stream = git.stream([...words, '--', ...(tree.subdir === '' ? [] : [tree.subdir])]);
  await unpackContext(work, scratch, {archive: counted(stream, left, () => tooMuch(shown, limits.unpacked)), signal});
  const submodules = reference.submodules ? await readSubmodules(git, tree, links, reference) : [];
  if (checkout.keepGitDir) await keepRepository(git, repository, {directory, root: scratch.upper});
  else await rm(directory, {recursive: true, force: true});
  return submodules;
}

async function* counted(
  archive: AsyncIterable<Uint8Array>,
  left: Left,
  full: () => TscomposeError,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of archive) {
    left.bytes -= chunk.length;
    if (left.bytes < 0) throw full();
    yield chunk;
  }
}

/** Makes the bare repository that of the files: at this commit, with its name, and without what only we needed. */
async function keepRepository(
  git: GitProgram,
  {reference, resolved, into}: Repository,
  {directory, root}: {readonly directory: string; readonly root: string},
): Promise<void> {
  const place = `--git-dir=${directory}`;
  await git.text([place, 'update-ref', '--no-deref', 'HEAD', resolved.commit]);
  await git.text([place, 'read-tree', resolved.commit]);
  await git.text([place, 'config', 'core.bare', 'false']);
  await git.text([place, 'config', 'remote.origin.url', reference.url]);
  await git.text([place, 'config', 'remote.origin.fetch', '+refs/heads/*:refs/remotes/origin/*']);
  await rm(join(directory, 'info/attributes'));
  const target = join(root, into);
  // Nothing of the files can lead elsewhere, as they are of one tree; it is looked at all the same.
  if (realpathSync(target) !== target) throw new TscomposeError('forbidden', `submodule "${into}" leads elsewhere`);
  await rename(directory, join(target, '.git'));
}
