import {lstat} from 'node:fs/promises';
import {join, posix} from 'node:path';
import type {HostTree, TreeEntry} from '../files/types.ts';
import type {ServiceRule} from './rules.ts';

/** A rule that syncs, and what this machine has for it. */
export interface SyncRule {
  readonly rule: ServiceRule;
  /** Absolute, in the container. */
  readonly target: string;
  readonly tree: HostTree;
}

/** What this machine has for a path of the container. */
export interface WantedFile {
  readonly entry: TreeEntry;
  /** Absolute, on this machine. */
  readonly source: string;
  readonly rule: SyncRule;
  /** Below the rule's root. */
  readonly relative: string;
}

/** The files of a service as its rules want them, by paths in the container. Where rules overlap, the later one counts. */
export interface ServiceFiles {
  readonly rules: readonly SyncRule[];
  wanted(path: string): WantedFile | undefined;
  /** The rule that has a say about the path, whatever this machine has there. */
  ruleOf(path: string): ServiceRule | undefined;
  /** Paths to look at in a container made at this time that watching has never filled: see `initial_sync`. */
  baseline(createdAt: number): Promise<readonly string[]>;
}

export function serviceFiles(rules: readonly SyncRule[]): ServiceFiles {
  const find = (path: string): WantedFile | undefined => {
    for (const rule of rules.toReversed()) {
      const relative = below(rule.target, path);
      const entry = relative === undefined ? undefined : rule.tree.manifest().get(relative);
      if (relative === undefined || entry === undefined || isRootDirectory(relative, entry)) continue;
      return {entry, source: join(rule.tree.root.path, relative), rule, relative};
    }
    return undefined;
  };
  return {
    rules,
    wanted: find,
    ruleOf: (path) =>
      find(path)?.rule.rule ??
      rules.findLast(({target, tree}) => {
        const relative = below(target, path);
        return relative !== undefined && tree.root.filter.includes(relative);
      })?.rule,
    async baseline(createdAt) {
      const paths: string[] = [];
      for (const rule of rules) {
        for (const [relative, entry] of rule.tree.manifest()) {
          if (isRootDirectory(relative, entry)) continue;
          if (rule.rule.rule.initial_sync || (await changedSince(rule, relative, entry, createdAt)))
            paths.push(containerPath(rule.target, relative));
        }
      }
      return paths;
    },
  };
}

export function containerPath(target: string, relative: string): string {
  return relative === '' ? target : posix.join(target, relative);
}

/** The path relative to a directory, `''` for itself; undefined: it is elsewhere. */
export function below(directory: string, path: string): string | undefined {
  if (path === directory) return '';
  const prefix = directory === '/' ? '/' : `${directory}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}

/** The directory that a rule is about is the container's own: only what is in it is synced. */
function isRootDirectory(relative: string, entry: TreeEntry): boolean {
  return relative === '' && entry.kind === 'directory';
}

/**
 * By the time of the last change of content or name (ctime), which tools do not set back as they do the time of
 * modification. A directory counts by what is in it.
 */
async function changedSince(rule: SyncRule, relative: string, entry: TreeEntry, time: number): Promise<boolean> {
  if (entry.kind === 'directory') return false;
  if (entry.kind === 'file') return entry.identity.ctimeMs > time;
  const status = await lstat(join(rule.tree.root.path, relative)).catch(() => undefined);
  return status !== undefined && status.ctimeMs > time;
}
