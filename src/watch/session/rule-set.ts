import {join} from 'node:path';
import type {Clock} from '../../base/clock.ts';
import {batchEvents} from '../files/batch-events.ts';
import {ruleFilter} from '../files/filter.ts';
import {gitLocks} from '../files/git-locks.ts';
import type {Batch, FileWatcher, HostTree, WatchFilesOptions, WatchNotice, WatchRoot} from '../files/types.ts';
import {type ServiceRule, syncs} from './rules.ts';
import {type ServiceFiles, serviceFiles} from './service-files.ts';

/** The file side as the session uses it. */
export interface FileSide {
  watch(options: WatchFilesOptions): FileWatcher;
  openTree(root: WatchRoot): Promise<HostTree>;
}

/** What a batch means for a rule. */
export interface RuleChanges {
  readonly rule: ServiceRule;
  /** Relative to the rule's path; at least one. */
  readonly paths: readonly string[];
  /** The same on this machine. */
  readonly sources: readonly string[];
}

export interface RuleSetOptions {
  readonly rules: readonly ServiceRule[];
  readonly files: FileSide;
  readonly clock: Clock;
  readonly onChanges: (changes: readonly RuleChanges[], batch: Batch) => void;
  readonly onNotice: (notice: WatchNotice) => void;
}

/** The trees that rules are about, watched: one watcher for all of them. */
export interface RuleSet extends AsyncDisposable {
  readonly rules: readonly ServiceRule[];
  filesOf(service: string): ServiceFiles;
  /** How much is watched, and how. */
  facts(): {readonly files: number; readonly directories: number; readonly backend: string};
}

/** Resolves when every change from then on is noticed and everything has been looked at once. */
export async function openRuleSet(options: RuleSetOptions): Promise<RuleSet> {
  const {rules, files, clock} = options;
  const roots = new Map<string, WatchRoot>();
  for (const rule of rules) if (!roots.has(rootKey(rule))) roots.set(rootKey(rule), toRoot(rule));
  const trees = new Map<string, HostTree>();
  const closing = new AbortController();
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const locks = gitLocks([...roots.values()].map(({path}) => path));
  const batches = batchEvents({
    clock,
    locks,
    onBatch: async (batch) => {
      await opened;
      if (closing.signal.aborted) return;
      const changes = await findChanges(rules, trees, batch);
      if (changes.length > 0) options.onChanges(changes, batch);
    },
  });
  const watcher = files.watch({
    roots: [...roots.values()],
    onEvent: (event) => batches.note(event),
    onNotice: options.onNotice,
  });
  // The first look comes after the watches: what changes between the two is seen twice, and nothing is missed.
  await watcher.ready;
  await Promise.all([...roots].map(async ([key, root]) => trees.set(key, await files.openTree(root))));
  open();
  for (const tree of new Set(trees.values())) void tree.fillDigests(closing.signal).catch(() => {});
  const treeOf = (rule: ServiceRule): HostTree => {
    const tree = trees.get(rootKey(rule));
    if (tree === undefined) throw new Error(`the tree of rule ${rule.id} is not open`);
    return tree;
  };
  return {
    rules,
    filesOf: (service) =>
      serviceFiles(
        rules
          .filter((rule) => rule.service === service && syncs(rule))
          .map((rule) => ({rule, target: rule.target ?? '/', tree: treeOf(rule)})),
      ),
    facts() {
      const entries = [...trees.values()].flatMap((tree) => [...tree.manifest().values()]);
      return {
        files: entries.filter(({kind}) => kind !== 'directory').length,
        directories: entries.filter(({kind}) => kind === 'directory').length,
        backend: watcher.backend(),
      };
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      open();
      await watcher.close();
      await batches.close();
    },
  };
}

/** Rules that look at the same files share a tree. */
function rootKey({rule: {path, ignore, include}, context}: ServiceRule): string {
  return JSON.stringify([path, ignore, include, context]);
}

function toRoot({rule: {path, ignore, include}, context}: ServiceRule): WatchRoot {
  return {path, filter: ruleFilter({path, ignore, include, ...(context === undefined ? {} : {context})})};
}

async function findChanges(
  rules: readonly ServiceRule[],
  trees: ReadonlyMap<string, HostTree>,
  batch: Batch,
): Promise<readonly RuleChanges[]> {
  const differing = new Map<string, readonly string[]>();
  await Promise.all(
    [...trees].map(async ([key, tree]) => {
      const where = batch.kind === 'everything' ? 'everything' : batch.paths.filter((path) => isBelow(tree.root, path));
      if (where.length > 0) differing.set(key, await tree.refresh(where));
    }),
  );
  return rules.flatMap((rule) => {
    const paths = differing.get(rootKey(rule)) ?? [];
    return paths.length === 0 ? [] : [{rule, paths, sources: paths.map((path) => join(rule.rule.path, path))}];
  });
}

function isBelow({path}: WatchRoot, event: string): boolean {
  return event === path || event.startsWith(path === '/' ? '/' : `${path}/`);
}
