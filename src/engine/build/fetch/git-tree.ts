import {posix} from 'node:path';
import {type GitReference, parseGitReference} from '../../../api/git-reference.ts';
import {TscomposeError} from '../../../base/errors.ts';
import {redactUrls} from '../../../base/redact-url.ts';
import {GitFailure, type GitProgram} from './git-program.ts';

/** A repository within a tree. */
export interface Submodule {
  readonly path: string;
  readonly commit: string;
  readonly reference: GitReference;
}

interface Tree {
  /** `--git-dir=…` */
  readonly place: string;
  readonly commit: string;
  /** Beneath the root; empty: all. */
  readonly subdir: string;
}

/** Throws `notFound` unless it is a directory of the tree: links are not followed. */
export async function checkDirectory(git: GitProgram, {place, commit, subdir}: Tree, shown: string): Promise<void> {
  if (subdir === '') return;
  const type = await git.text([place, 'cat-file', '-t', `${commit}:${subdir}`]).catch((error: unknown) => {
    if (error instanceof GitFailure) return 'nothing';
    throw error;
  });
  if (type.trim() === 'tree') return;
  throw new TscomposeError('notFound', `${shown}: the repository has no directory "${subdir}"`, {
    hint: 'links within a repository are not followed',
  });
}

/**
 * Goes through what a commit has: answers how many files, and its submodules. Throws `forbidden` for a tree with a `.git`
 * in it, which no git makes: it is there to be taken for a repository's own.
 */
export async function listTree(
  git: GitProgram,
  {place, commit, subdir}: Tree,
): Promise<{readonly files: number; readonly links: ReadonlyMap<string, string>}> {
  const links = new Map<string, string>();
  let files = 0;
  const words = [place, 'ls-tree', '-r', '-z', '--full-tree', commit, '--', ...(subdir === '' ? [] : [subdir])];
  for await (const entry of entries(git.stream(words))) {
    const [, mode = '', object = '', path = ''] = /^(\d+) \S+ ([0-9a-f]+)\t(.*)$/s.exec(entry) ?? [];
    files += 1;
    if (/(?:^|\/)(?:\.git|git~1)(?:\/|$)/i.test(path) || path.split('/').includes('..'))
      throw new TscomposeError('forbidden', `the repository has a file "${path}", which no repository may have`);
    if (mode === '160000') links.set(path, object);
  }
  return {files, links};
}

async function* entries(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of stream) {
    const parts = (rest + decoder.decode(piece, {stream: true})).split('\0');
    rest = parts.pop() ?? '';
    yield* parts;
  }
}

/**
 * The submodules of these places, by what `.gitmodules` says of them. One that it does not name stays an empty directory, as
 * with git. Throws `forbidden` for an address that git would not be asked for, `invalid`.
 */
export async function readSubmodules(
  git: GitProgram,
  {place, commit}: Tree,
  links: ReadonlyMap<string, string>,
  parent: GitReference,
): Promise<readonly Submodule[]> {
  if (links.size === 0) return [];
  const words = [place, 'config', '--blob', `${commit}:.gitmodules`, '--list', '-z'];
  const listed = await git.text(words).catch((error: unknown) => {
    if (error instanceof GitFailure) return '';
    throw error;
  });
  const modules = new Map<string, {path?: string; url?: string}>();
  for (const entry of listed.split('\0')) {
    const [, name = '', key = '', value = ''] = /^submodule\.(.+)\.(path|url)\n(.*)$/s.exec(entry) ?? [];
    if (name !== '') modules.set(name, {...modules.get(name), [key]: value});
  }
  return [...modules.values()].flatMap(({path = '', url = ''}) => {
    const linked = links.get(path);
    if (linked === undefined) return [];
    return [{path, commit: linked, reference: referenceOf(path, url, parent)}];
  });
}

function referenceOf(path: string, url: string, parent: GitReference): GitReference {
  const address = /^\.\.?\//.test(url) ? beside(parent.url, url) : url;
  const found = readAddress(address);
  if (found !== undefined) return found;
  throw new TscomposeError(
    'forbidden',
    `submodule "${path}" is at "${redactUrls(url)}": only https, http, ssh and git are fetched`,
    {
      hint: 'leave submodules out: "…?submodules=false"',
    },
  );
}

/** Any address of a web server may be a repository here; what follows a `#` or `?` is part of its name. */
function readAddress(address: string): GitReference | undefined {
  if (/[?#]/.test(address)) return undefined;
  const isWeb = /^https?:\/\//.test(address);
  const named = isWeb && !address.endsWith('.git') ? `${address.replace(/\/+$/, '')}.git` : address;
  const found = parseGitReference(named);
  if (found === undefined || named === address) return found;
  return {...found, url: found.url.slice(0, -'.git'.length)};
}

/** A relative address, as git resolves it: `../` takes away the last name of the parent's. */
function beside(parent: string, relative: string): string {
  const [, base = '', path = ''] = /^((?:[a-z]+:\/\/[^/]+)|(?:[^/:]+:))(.*)$/s.exec(parent) ?? [];
  const names = posix.join('/', path, relative).replace(/^\//, path.startsWith('/') ? '/' : '');
  return `${base}${names}`;
}
