import {posix} from 'node:path';
import {compileIgnore, type IgnoreMatcher} from '../../base/ignore.ts';
import type {PathFilter} from './types.ts';

export interface FilterOptions {
  /** Absolute path of the rule: what `ignore` and `include` are relative to. */
  readonly path: string;
  readonly ignore?: readonly string[];
  /** Empty: everything. */
  readonly include?: readonly string[];
  /** The `.dockerignore` of a build, whose paths begin at its context. */
  readonly context?: {readonly path: string; readonly ignore: readonly string[]};
}

/**
 * Names that editors and tools give to what they put beside a file while they save it, and what git keeps for itself:
 * Compose's list, and `.git` at every depth.
 */
const temporaryNames: readonly string[] = [
  '\\.git',
  // JetBrains
  '[^/]*___jb_(?:old|tmp)___',
  '\\.idea',
  // Emacs: lock links, and what it saves on its own
  '\\.#[^/]*',
  '#[^/]*#',
  // Vim: its test for a writable directory, backups, swap files
  '4913',
  '[^/]*~',
  '\\.[^/]*\\.sw[pxon]',
  // Kate
  '\\.[^/]*\\.kate-swp',
  // Go's look at the umask
  '[^/]*-go-tmp-umask',
];

const temporary = new RegExp(`(?:^|/)(?:${temporaryNames.join('|')})(?:/|$)`);

/** The paths of a rule that count. The rule's own path always does, unless the build's context leaves it out. */
export function ruleFilter({path, ignore = [], include = [], context}: FilterOptions): PathFilter {
  const ignored = compileIgnore(ignore);
  const included = include.length === 0 ? undefined : compileIgnore(include);
  const outer = context === undefined ? undefined : contextFilter(path, context.path, compileIgnore(context.ignore));
  return {
    includes: (name) =>
      !temporary.test(name) &&
      !ignored.ignores(name) &&
      (included === undefined || name === '' || included.ignores(name)) &&
      outer?.ignores(name) !== true,
    prunes: (directory) =>
      temporary.test(directory) ||
      ignored.prunes(directory) ||
      (included !== undefined && directory !== '' && !included.mayIgnoreBelow(directory)) ||
      outer?.prunes(directory) === true,
  };
}

/** Paths of the rule as paths of the context; what lies outside of the context is not its business. */
function contextFilter(
  rule: string,
  context: string,
  matcher: IgnoreMatcher,
): Pick<IgnoreMatcher, 'ignores' | 'prunes'> {
  const toContext = fromRuleToContext(rule, context);
  const ask = (question: (path: string) => boolean) => (name: string) => {
    const path = toContext(name);
    return path !== undefined && question(path);
  };
  return {ignores: ask(matcher.ignores), prunes: ask(matcher.prunes)};
}

function fromRuleToContext(rule: string, context: string): (name: string) => string | undefined {
  const down = posix.relative(context, rule);
  if (down === '') return (name) => name;
  if (!isOutside(down)) return (name) => (name === '' ? down : `${down}/${name}`);
  const up = posix.relative(rule, context);
  if (isOutside(up)) return () => undefined;
  return (name) => (name.startsWith(`${up}/`) ? name.slice(up.length + 1) : undefined);
}

function isOutside(path: string): boolean {
  return path === '..' || path.startsWith('../');
}
