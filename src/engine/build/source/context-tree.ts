import {type BigIntStats, lstatSync, readdirSync, readlinkSync, realpathSync} from 'node:fs';
import {posix} from 'node:path';
import {TscomposeError, toTscomposeError} from '../../../base/errors.ts';
import {compileIgnore, type IgnoreMatcher} from '../../../base/ignore.ts';
import {deviceNumbers} from '../../device-numbers.ts';
import type {DigestCache} from './digests.ts';
import type {SourceTree, TreeEntry, TreeListing} from './tree.ts';

/** As many as the kernel follows. */
const linksMax = 40;

export interface ContextOptions {
  /** Patterns of the ignore file. */
  readonly ignore: readonly string[];
  readonly digests: DigestCache;
  /** Everything belongs to root, as BuildKit has it for what a client sends. */
  readonly owned: boolean;
}

/**
 * A directory of the machine as a build sees it: without what is ignored, links followed as if it were the whole tree. Names
 * are looked at, never followed by the kernel.
 */
export function openContextTree(root: string, {ignore, digests, owned}: ContextOptions): SourceTree {
  const rules = ignore.length === 0 ? undefined : compileIgnoreFile(ignore);
  const listed = new Map<string, TreeListing | undefined>();
  const walk = new Walk(root, rules, digests, owned);
  return {
    place: {directory: root},
    leavesOut: (path) => rules !== undefined && (rules.prunes(path) || rules.ignores(path)),
    list(path, options) {
      const key = `${options.digests ? 'digests' : 'names'} ${path}`;
      if (!listed.has(key)) listed.set(key, walk.list(path, options.digests));
      return Promise.resolve(listed.get(key));
    },
  };
}

/** What is wrong with it is wrong there, and not with the instruction that brings files. */
function compileIgnoreFile(patterns: readonly string[]): IgnoreMatcher {
  try {
    return compileIgnore(patterns);
  } catch (error) {
    const {kind, message} = toTscomposeError(error);
    throw new TscomposeError(kind, `the ignore file of the context: ${message}`, {
      hint: 'correct that line of the .dockerignore: a "[" needs its "]", and a "!" a path',
      cause: error,
    });
  }
}

/** The real path of a context. Throws `notFound`, `invalid` for what is no directory. */
export function contextRoot(path: string): string {
  try {
    const real = realpathSync(path);
    if (lstatSync(real).isDirectory()) return real;
  } catch (cause) {
    const {code, message} = cause as NodeJS.ErrnoException;
    const missing = code === 'ENOENT' || code === 'ENOTDIR';
    const reason = missing ? 'no such directory' : message;
    throw new TscomposeError(missing ? 'notFound' : 'forbidden', `cannot build from "${path}": ${reason}`, {cause});
  }
  throw new TscomposeError('invalid', `cannot build from "${path}": it is not a directory`);
}

class Walk {
  readonly #root: string;
  readonly #rules: IgnoreMatcher | undefined;
  readonly #digests: DigestCache;
  readonly #owned: boolean;

  constructor(root: string, rules: IgnoreMatcher | undefined, digests: DigestCache, owned: boolean) {
    this.#root = root;
    this.#rules = rules;
    this.#digests = digests;
    this.#owned = owned;
  }

  list(path: string, digests: boolean): TreeListing | undefined {
    const resolved = this.#resolve(path);
    if (resolved === undefined) return undefined;
    const status = this.#look(resolved);
    if (status === undefined) return undefined;
    const entries = [this.#entry(resolved, '', status, digests)];
    if (status.isDirectory()) this.#below(resolved, '', {digests, entries});
    const isNothing = this.#rules?.ignores(resolved) === true && entries.length === 1;
    return isNothing ? undefined : {resolved, entries};
  }

  /** Both are as they are to be: to tidy the paths of many files takes longer than to look at them. */
  #place(path: string): string {
    if (path === '') return this.#root;
    return this.#root === '/' ? `/${path}` : `${this.#root}/${path}`;
  }

  /** Links on the way, each looked up beneath the root; undefined: something is not there. */
  #resolve(path: string): string | undefined {
    const rest = path.split('/').filter((name) => name !== '' && name !== '.');
    let done: string[] = [];
    let links = 0;
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      if (name === '..') {
        done.pop();
        continue;
      }
      const here = [...done, name].join('/');
      const status = this.#look(here);
      if (status === undefined) return undefined;
      if (!status.isSymbolicLink()) {
        if (rest.length > 0 && !status.isDirectory()) return undefined;
        done.push(name);
        continue;
      }
      links += 1;
      if (links > linksMax) throw new TscomposeError('invalid', `"${path}" of the build context: too many links`);
      const target = readlinkSync(this.#place(here));
      if (target.startsWith('/')) done = [];
      rest.unshift(...target.split('/').filter((part) => part !== '' && part !== '.'));
    }
    return done.join('/');
  }

  /** Undefined: it is not there, or ignored with all that is below. */
  #look(path: string): BigIntStats | undefined {
    if (path !== '' && this.#rules?.prunes(path) === true) return undefined;
    const status = lstatSync(this.#place(path), {bigint: true, throwIfNoEntry: false});
    if (status === undefined || status.isDirectory() || status.isSymbolicLink()) return status;
    return this.#rules?.ignores(path) === true ? undefined : status;
  }

  /** Directories that are ignored are there for what was taken back in them. */
  #below(directory: string, path: string, into: {readonly digests: boolean; readonly entries: TreeEntry[]}): void {
    const names = readdirSync(this.#place(directory)).sort();
    for (const name of names) {
      const here = directory === '' ? name : `${directory}/${name}`;
      const shown = path === '' ? name : `${path}/${name}`;
      const status = this.#look(here);
      if (status === undefined || status.isSocket()) continue;
      const ignored = this.#rules?.ignores(here) === true;
      const before = into.entries.length;
      if (!ignored || status.isDirectory()) into.entries.push(this.#entry(here, shown, status, into.digests));
      if (!status.isDirectory()) continue;
      this.#below(here, shown, into);
      if (ignored && into.entries.length === before + 1) into.entries.pop();
    }
  }

  #entry(here: string, path: string, status: BigIntStats, digests: boolean): TreeEntry {
    const isLink = status.isSymbolicLink();
    return {
      path,
      mode: Number(status.mode),
      uid: this.#owned ? 0 : Number(status.uid),
      gid: this.#owned ? 0 : Number(status.gid),
      size: Number(status.size),
      mtime: [status.mtimeNs / 1_000_000_000n, Number(status.mtimeNs % 1_000_000_000n)],
      inode: status.ino,
      file: status.nlink > 1n && !status.isDirectory() ? `${status.dev}:${status.ino}` : undefined,
      device: deviceNumbers(status.rdev),
      attributes: '',
      content: isLink
        ? readlinkSync(this.#place(here))
        : digests && status.isFile()
          ? this.#digests.digest(here, status)
          : '',
    };
  }
}

/** A source's path as it is looked up: nothing leads above the root. */
export function clampedPath(source: string): string {
  return posix.resolve('/', source).slice(1);
}
