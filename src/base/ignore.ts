import {compileIgnorePattern, type IgnorePattern, normalizePattern} from './ignore-pattern.ts';

/** Patterns of a `.dockerignore` file together. Paths are relative, with `/`; `''` is the root and never ignored. */
export interface IgnoreMatcher {
  readonly hasNegations: boolean;
  ignores(path: string): boolean;
  /** True: everything below the directory is ignored, and so is the directory: it need not be entered. */
  prunes(directory: string): boolean;
  /** False only if no path at or below the directory can be ignored. */
  mayIgnoreBelow(directory: string): boolean;
}

/** What the patterns said to a directory; what is below it follows where a pattern matched. */
interface State {
  /** By pattern: it matched the directory or one above. */
  readonly matched: readonly boolean[];
}

/** States of directories that are kept; more are worked out again. */
const keptStates = 20_000;

/**
 * Matches as BuildKit does while it walks a build context (`MatchesUsingParentResults` of
 * github.com/moby/patternmatcher): later patterns win, a pattern that matched a directory matches all below it.
 * @throws TscomposeError `invalid` for what is no pattern.
 */
export function compileIgnore(patterns: readonly string[]): IgnoreMatcher {
  const compiled = patterns.flatMap(normalizePattern).map(compileIgnorePattern);
  const top: State = {matched: compiled.map(() => false)};
  const states = new Map<string, State>();
  const stateOf = (path: string): State => {
    if (path === '') return top;
    const known = states.get(path);
    if (known !== undefined) return known;
    const state = nextState(compiled, parentState(path), path);
    if (states.size >= keptStates) states.clear();
    states.set(path, state);
    return state;
  };
  const parentState = (path: string): State => stateOf(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
  return {
    hasNegations: compiled.some(({negated}) => negated),
    ignores: (path) => path !== '' && isIgnored(compiled, parentState(path), path),
    prunes(directory) {
      if (directory === '') return false;
      const parent = parentState(directory);
      // Most are not ignored, and many that are asked for are no directories: they leave nothing behind.
      return (
        isIgnored(compiled, parent, directory) && prunes(compiled, nextState(compiled, parent, directory), directory)
      );
    },
    mayIgnoreBelow(directory) {
      if (compiled.some(({negated, mayMatchBelow}) => !negated && mayMatchBelow(directory))) return true;
      const {matched} = directory === '' ? top : nextState(compiled, parentState(directory), directory);
      return compiled.some(({negated}, index) => !negated && matched[index] === true);
    },
  };
}

/** A pattern is only asked where its answer would change something: the others stay unmatched, also for what is below. */
function nextState(patterns: readonly IgnorePattern[], parent: State, path: string): State {
  let ignored = false;
  const matched = patterns.map(({negated, matches}, index) => {
    const match = parent.matched[index] === true || (negated === ignored && matches(path));
    if (match) ignored = !negated;
    return match;
  });
  return {matched};
}

function isIgnored(patterns: readonly IgnorePattern[], parent: State, path: string): boolean {
  let ignored = false;
  for (const [index, {negated, matches}] of patterns.entries()) {
    if (parent.matched[index] === true || (negated === ignored && matches(path))) ignored = !negated;
  }
  return ignored;
}

/** Below the directory the last pattern that holds for all of it decides, unless one after it may take it back. */
function prunes(patterns: readonly IgnorePattern[], {matched}: State, directory: string): boolean {
  for (let index = patterns.length - 1; index >= 0; index -= 1) {
    const pattern = patterns[index];
    if (pattern === undefined) continue;
    if (!pattern.negated && matched[index] === true) return true;
    if (pattern.negated && (matched[index] === true || pattern.mayMatchBelow(directory))) return false;
  }
  return false;
}
