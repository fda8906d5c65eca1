import {readFileSync, type Stats, statSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';

/** The locks that git holds on its index while it changes files of these trees: one a repository. */
export function gitLocks(roots: Iterable<string>): readonly string[] {
  const found = new Set<string>();
  for (const root of roots) {
    const directory = gitDirectory(root);
    if (directory !== undefined) found.add(join(directory, 'index.lock'));
  }
  return [...found];
}

/** `.git` in the directory or above it; in a work tree or submodule it is a file that names the place. */
function gitDirectory(start: string): string | undefined {
  for (let directory = start; ; directory = dirname(directory)) {
    const path = join(directory, '.git');
    const stats = statusOf(path);
    if (stats?.isDirectory() === true) return path;
    if (stats?.isFile() === true) {
      const place = /^gitdir: (.+)$/m.exec(readFileSync(path, 'utf8'))?.[1];
      if (place !== undefined) return resolve(directory, place);
    }
    if (dirname(directory) === directory) return undefined;
  }
}

/** Undefined where there is nothing, also where the path leads through a file: a root may be one. */
function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
