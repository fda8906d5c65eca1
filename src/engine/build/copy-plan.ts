import {createHash} from 'node:crypto';
import {posix} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';
import {compileIgnore} from '../../base/ignore.ts';
import {didYouMean} from '../../base/suggest.ts';
import {chmodOf, madeMode} from './chmod.ts';
import {compileGlob, hasWildcards} from './glob.ts';
import {clampedPath} from './source/context-tree.ts';
import {isDirectory, isSocket, isWhiteout, type SourceTree, type TreeEntry} from './source/tree.ts';
import type {CopyStep} from './steps.ts';

/** A source with what is copied of it. */
export interface Selection {
  /** The name that a file or directory gets in a target directory. */
  readonly name: string;
  /** Where it is in its tree. */
  readonly path: string;
  readonly entries: readonly TreeEntry[];
  /** Where the content of it goes beneath the target: for `--parents`. */
  readonly beneath: string;
}

/** Finds what the sources of a copy name. Throws `notFound` for one that is not there. */
export async function select(
  tree: SourceTree,
  sources: readonly string[],
  {parents, exclude}: Pick<CopyStep, 'parents' | 'exclude'>,
): Promise<readonly Selection[]> {
  const selections: Selection[] = [];
  for (const source of sources) {
    const pivot = parents ? pivotOf(source) : source;
    for (const path of await expand(tree, source)) {
      const listing = await tree.list(path, {digests: true});
      if (listing === undefined || (listing.entries.length === 0 && path !== ''))
        throw await missing(tree, source, path);
      const {resolved, entries} = listing;
      const kept = exclude.length === 0 ? entries : without(entries, exclude, resolved);
      if (kept.length === 0 && entries.length > 0) continue;
      const beneath = parents ? posix.dirname(path.slice(pivot.length)) : '';
      // A link is followed, and its own name is kept. What was fetched has its name in the tree alone.
      const name = posix.basename(path === '' ? resolved : path);
      selections.push({name, path: resolved, entries: kept, beneath: beneath === '.' ? '' : beneath});
    }
  }
  return selections;
}

async function missing(tree: SourceTree, source: string, path: string): Promise<TscomposeError> {
  return new TscomposeError('notFound', `"${source}" not found`, {hint: await whyMissing(tree, path)});
}

async function whyMissing(tree: SourceTree, path: string): Promise<string> {
  if (tree.leavesOut?.(path) === true) return 'the ignore file of the context (.dockerignore) leaves it out';
  const directory = posix.dirname(path);
  const beside = await tree.list(directory === '.' ? '' : directory, {digests: false});
  const names = (beside?.entries ?? []).map((entry) => entry.path).filter((name) => name !== '' && !name.includes('/'));
  const meant = didYouMean(posix.basename(path), names, directory === '.' ? '' : `${directory}/`);
  if (meant !== undefined) return meant;
  const where = 'lowers' in tree.place ? 'in that stage or image' : 'beneath the context';
  return `correct the path: it is looked up ${where}`;
}

/** What stands before `/./` is not repeated in the target. */
function pivotOf(source: string): string {
  const at = source.indexOf('/./');
  return at < 0 ? '' : `${clampedPath(source.slice(0, at))}/`;
}

/** The paths that a source with wildcards stands for; none is no error. */
async function expand(tree: SourceTree, source: string): Promise<readonly string[]> {
  const path = clampedPath(source);
  if (!hasWildcards(path)) return [path];
  const fixed = path.slice(0, path.search(/[*?[\\]/));
  const base = fixed.slice(0, Math.max(0, fixed.lastIndexOf('/')));
  const listing = await tree.list(base, {digests: false});
  if (listing === undefined) return [];
  const below = base === '' ? '' : `${base}/`;
  const matches = compileGlob(path);
  return listing.entries
    .filter((entry) => entry.path !== '' && matches(below + entry.path))
    .map((entry) => below + entry.path)
    .sort();
}

/** Patterns are beneath the source's own directory, or of its name. */
function without(entries: readonly TreeEntry[], exclude: readonly string[], resolved: string): readonly TreeEntry[] {
  const rules = compileIgnore(exclude);
  const [top] = entries;
  if (top !== undefined && !isDirectory(top)) return rules.ignores(posix.basename(resolved)) ? [] : entries;
  return entries.filter(({path}) => path === '' || !rules.ignores(path));
}

/**
 * The digest of what is copied, as BuildKit's cache sees it: names beneath the source, types, modes, owners, links,
 * attributes and contents, but no times.
 */
export function contentDigest(selections: readonly Selection[]): string {
  const hash = createHash('sha256');
  for (const {name, beneath, entries} of selections) {
    const [top] = entries;
    // The name of a file counts, as it may become the target's; that of a directory never does.
    hash.update(`${beneath}\0${top !== undefined && !isDirectory(top) ? name : ''}\0\0`);
    for (const entry of [...entries].sort((a, b) => (a.path < b.path ? -1 : 1))) {
      const {path, mode, uid, gid, size, device, attributes, content} = entry;
      const counted = isDirectory(entry) ? 0 : size;
      hash.update(`${path}\0${mode}\0${uid}\0${gid}\0${counted}\0${device}\0${attributes}\0${content}\0`);
    }
  }
  return hash.digest('hex');
}

/** One line of what the helper copies: fields with a NUL at the end of each. */
function record(...fields: readonly (string | number | bigint)[]): string {
  return fields.map((field) => `${field}\0`).join('');
}

/** The list that the helper carries out (docs/native.md). */
export function copyList(
  selections: readonly Selection[],
  {target, chmod}: Pick<CopyStep, 'target' | 'chmod'>,
): string {
  const change = chmodOf(chmod);
  return selections
    .map(({name, path, entries, beneath}) => {
      const [top] = entries;
      const into = beneath === '' ? target : `${target.replace(/\/?$/, '/')}${beneath}/`;
      if (top === undefined) return record('p', into, '755');
      const below = isDirectory(top);
      const named = below && beneath !== '' ? `${into}${name}/` : into;
      // Directories that are made for it have the mode that was asked for, those that are there keep their own.
      return record('t', named, below ? 1 : 0, name, madeMode(chmod)) + entriesList(entries, path, change);
    })
    .join('');
}

function entriesList(entries: readonly TreeEntry[], source: string, change: (entry: TreeEntry) => number): string {
  const first = new Map<string, string>();
  return [...entries]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .filter((entry) => !(entry.path === '' && isDirectory(entry)) && !isSocket(entry) && !isWhiteout(entry))
    .map((entry) => {
      const from = [source, entry.path].filter((part) => part !== '').join('/');
      const [seconds, nanoseconds] = entry.mtime;
      const attributes = [change(entry).toString(8), entry.uid, entry.gid, seconds, nanoseconds] as const;
      if (isDirectory(entry)) return record('d', from, entry.path, ...attributes, 0);
      const other = entry.file === undefined ? undefined : first.get(entry.file);
      if (other !== undefined) return record('h', other, entry.path);
      if (entry.file !== undefined) first.set(entry.file, entry.path);
      return record('f', from, entry.path, ...attributes, entry.size, entry.inode, seconds, nanoseconds);
    })
    .join('');
}
