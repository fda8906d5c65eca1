import {suggest} from '../base/suggest.ts';
import {type Expanded, ExpansionError, expand} from './expand.ts';
import type {Instruction} from './instruction.ts';
import {placeIn} from './logical-line.ts';
import type {Findings} from './source.ts';
import type {Word} from './words.ts';

/** Variables at one point of a Dockerfile. */
export interface Scope {
  /** Undefined as a value: it is set, to what is not known before the build. */
  readonly variables: ReadonlyMap<string, string | undefined>;
  /** False: the image below may set others. */
  readonly complete: boolean;
}

/** Set by the builder for whoever names them in an ARG; `*_PROXY` needs none. */
export const platformArguments: readonly string[] = [
  ...['TARGET', 'BUILD'].flatMap((prefix) => ['PLATFORM', 'OS', 'ARCH', 'VARIANT'].map((suffix) => prefix + suffix)),
  'TARGETSTAGE',
];

const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'];
export const proxyArguments: readonly string[] = [...proxies, ...proxies.map((name) => name.toLowerCase())];

/** A value whose variables are put in. */
export interface Value {
  readonly text: string;
  readonly words: readonly string[];
  /** False: it depends on what only the build knows. */
  readonly known: boolean;
}

/** Puts the variables of a scope into a word; tells what cannot be read, and variables that nobody sets. */
export function expandWord(
  instruction: Instruction,
  {text, at}: Word,
  {scope, escapeToken, findings}: {readonly scope: Scope; readonly escapeToken: string; readonly findings: Findings},
): Value | undefined {
  let known = true;
  const variables = (name: string): string | undefined => {
    if (scope.variables.has(name)) {
      const value = scope.variables.get(name);
      known &&= value !== undefined;
      return value ?? '';
    }
    known &&= scope.complete;
    return undefined;
  };
  try {
    const expanded = expand(text, {escapeToken, variables});
    warnOfUnset(instruction, {text, at}, expanded, scope, findings);
    return {text: expanded.text, words: expanded.words, known};
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error;
    // What the image below sets is not known here.
    if (error.unset !== undefined && !scope.complete) return undefined;
    const start = at + Math.min(error.at, Math.max(0, text.length - 1));
    const place = placeIn(instruction.line, start, at + text.length);
    findings.error(place, 'invalid-variable', `${instruction.keyword}: ${error.message}`, error.hint);
    return undefined;
  }
}

function warnOfUnset(
  instruction: Instruction,
  {text, at}: Word,
  {unset}: Expanded,
  scope: Scope,
  findings: Findings,
): void {
  for (const name of unset) {
    const meant = meantBy(name, scope);
    if (meant === undefined && !scope.complete) continue;
    const found = text.search(new RegExp(`\\$\\{?${name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}`));
    const start = at + Math.max(0, found);
    const place = placeIn(instruction.line, start, start + name.length + 1);
    const hint =
      meant === undefined ? `set it with ARG or ENV above, or write \${${name}:-}` : `did you mean "$${meant}"?`;
    const code = instruction.keyword === 'FROM' ? 'undefined-arg-in-from' : 'undefined-var';
    findings.warning(place, code, `${instruction.keyword}: nothing sets "$${name}"`, hint);
  }
}

function meantBy(name: string, {variables}: Scope): string | undefined {
  return name.length < 3 ? undefined : suggest(name, variables.keys());
}
