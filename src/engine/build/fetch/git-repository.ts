import {readdir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import type {GitReference} from '../../../api/git-reference.ts';
import {TscomposeError} from '../../../base/errors.ts';
import {redactUrls} from '../../../base/redact-url.ts';
import {GitFailure, type GitProgram} from './git-program.ts';
import {tooMuch} from './limits.ts';

/** What a name stands for in a repository at this moment. */
export interface ResolvedCommit {
  readonly commit: string;
  /** The whole name: `refs/heads/main`. Undefined where the commit itself was asked for. */
  readonly name: string | undefined;
  /** The object of an annotated tag. */
  readonly tag: string | undefined;
}

const commitPattern = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Asks the repository. Throws `notFound`, `invalid` for another commit than the one that is stated. */
export async function resolveCommit(git: GitProgram, reference: GitReference): Promise<ResolvedCommit> {
  const {url, ref, checksum} = reference;
  const found = commitPattern.test(ref) ? {commit: ref, name: undefined, tag: undefined} : await ask(git, url, ref);
  const {commit, tag} = found;
  if (checksum === undefined || commit.startsWith(checksum) || tag?.startsWith(checksum)) return found;
  throw new TscomposeError('invalid', `${shownReference(reference)} is commit ${commit}, not ${checksum}`, {
    hint: 'correct the checksum, or find out who moved the name',
  });
}

async function ask(git: GitProgram, url: string, ref: string): Promise<ResolvedCommit> {
  const names = namesOf(ref);
  const words = ['ls-remote', '--quiet', '--end-of-options', url, ...names.flatMap((name) => [name, `${name}^{}`])];
  const lines = (await git.text(words)).split('\n').map((line) => line.split('\t'));
  const objects = new Map(
    lines.flatMap(([object = '', name = '']) => (commitPattern.test(object) ? [[name, object]] : [])),
  );
  for (const name of names) {
    const object = objects.get(name);
    if (object === undefined) continue;
    const peeled = objects.get(`${name}^{}`);
    return {commit: peeled ?? object, name, tag: peeled === undefined ? undefined : object};
  }
  throw new TscomposeError(
    'notFound',
    `repository ${redactUrls(url)} has no branch, tag or commit "${ref || 'HEAD'}"`,
    {
      hint: 'a commit is named by all of its hex digits',
    },
  );
}

/** As `git checkout` looks for it: a branch goes before a tag. */
function namesOf(ref: string): readonly string[] {
  if (ref === '') return ['HEAD'];
  return ref.startsWith('refs/') || ref === 'HEAD' ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`, `refs/${ref}`];
}

export interface FetchingCommit {
  readonly git: GitProgram;
  readonly reference: GitReference;
  readonly resolved: ResolvedCommit;
  /** A directory that is not there yet: it becomes a bare repository. */
  readonly directory: string;
  readonly fetchedMost: number;
}

/** Brings one commit without its past, where the server can do that. Throws `conflict` where its name moved meanwhile. */
export async function fetchCommit({git, reference, resolved, directory, fetchedMost}: FetchingCommit): Promise<void> {
  const {commit, name} = resolved;
  const place = `--git-dir=${directory}`;
  const format = commit.length === 64 ? ['--object-format=sha256'] : [];
  await git.text(['init', '--quiet', '--bare', '--template=', ...format, directory]);
  // Of servers some give any commit, some what has a name, and those of plain files no part of their past.
  const attempts: readonly (readonly string[])[] = [
    ...(resolved.tag === undefined ? [['--depth=1', commit]] : []),
    ...(name === undefined ? [] : [['--depth=1', `+${name}:${keptName(name)}`]]),
    ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'],
  ];
  for (const [index, [first = '', ...more]] of attempts.entries()) {
    const options = first.startsWith('--') ? [first] : [];
    const names = first.startsWith('--') ? more : [first, ...more];
    const words = [...options, '--end-of-options', reference.url, ...names];
    try {
      await git.text([place, 'fetch', '--quiet', '--no-tags', '--no-write-fetch-head', ...words]);
    } catch (error) {
      if (!(error instanceof GitFailure)) throw error;
      if (await isFull(directory, fetchedMost)) throw tooMuch(`what ${shownReference(reference)} sends`, fetchedMost);
      if (index === attempts.length - 1 || !isOfServer.test(error.told)) throw error;
      continue;
    }
    if (await has(git, place, commit)) return;
  }
  throw new TscomposeError('conflict', `repository ${redactUrls(reference.url)} has no commit ${commit} any more`, {
    hint: 'build again: a branch moved meanwhile, or the commit belongs to none',
  });
}

/** What another way of asking helps against. */
const isOfServer = /not our ref|unadvertised object|shallow|--depth|remote ref|no such remote/i;

/** Beneath which name it is kept: that of a branch is of the repository that it came from. */
function keptName(name: string): string {
  if (name.startsWith('refs/tags/')) return name;
  return `refs/remotes/origin/${name.replace(/^refs\/(?:heads\/)?/, '')}`;
}

/** The kernel lets no file get longer: the unfinished one tells that it would have. */
async function isFull(directory: string, most: number): Promise<boolean> {
  const packs = join(directory, 'objects/pack');
  const names = await readdir(packs).catch(() => []);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(packs, name))).size));
  return sizes.some((size) => size >= most);
}

async function has(git: GitProgram, place: string, commit: string): Promise<boolean> {
  return await git.text([place, 'cat-file', '-t', commit]).then(
    (type) => type.trim() === 'commit',
    (error: unknown) => {
      if (error instanceof GitFailure) return false;
      throw error;
    },
  );
}

/** For people: without passwords. */
export function shownReference({url, ref, subdir}: Pick<GitReference, 'url' | 'ref' | 'subdir'>): string {
  const place = subdir === '' ? ref : `${ref}:${subdir}`;
  return `${redactUrls(url)}${place === '' ? '' : `#${place}`}`;
}
