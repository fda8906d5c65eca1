import {didYouMean} from '../../base/suggest.ts';
import type {Problems} from '../problems.ts';
import {type Span, type TrailStep, withStep} from '../source.ts';
import type {Tree} from '../tree.ts';
import {mapEntries, mapItems} from '../tree.ts';
import {substitute} from './template.ts';

export interface InterpolationOptions {
  readonly lookup: (name: string) => string | undefined;
  /** Where a variable's value stands, if that is a file. */
  readonly placeOf?: (name: string) => Span | undefined;
  /** Names of variables that are set, for a suggestion. */
  readonly known?: () => Iterable<string>;
  readonly problems: Problems;
}

/** Puts values in place of variables in every text of a tree; keys stay as they are. */
export function interpolate(tree: Tree, options: InterpolationOptions): Tree {
  if (tree.kind === 'mapping') return mapEntries(tree, (value) => interpolate(value, options));
  if (tree.kind === 'sequence') return mapItems(tree, (item) => interpolate(item, options));
  if (typeof tree.value !== 'string' || !tree.value.includes('$')) return tree;
  const steps: TrailStep[] = [];
  const text = interpolateText(tree.value, tree.at, options, steps);
  return text === tree.value ? tree : {...tree, value: text, at: steps.reduce(withStep, tree.at)};
}

function interpolateText(
  text: string,
  at: Span,
  {lookup, placeOf, known, problems}: InterpolationOptions,
  steps: TrailStep[],
): string {
  const result = substitute(text, {
    lookup,
    used: (name, took) => {
      steps.push({kind: 'variable', use: {name, took, from: took === 'nothing' ? undefined : placeOf?.(name)}});
    },
    missing: (name, offset) => {
      problems.warning(placeWithin(at, text, offset, name.length + 1), {
        code: 'unset-variable',
        once: `unset ${name}`,
        message: `the variable ${name} is not set: it becomes an empty string`,
        hint:
          (name.length > 2 ? didYouMean(name, known?.() ?? []) : undefined) ??
          `set it in .env or the environment, or write \${${name}:-default}`,
      });
    },
  });
  if (result.ok) return isAllowed(at, result.text, problems) ? result.text : text;
  const required = result.reason === 'required';
  problems.error(
    placeWithin(at, text, result.offset, /^\$\{[^}]*\}?|/.exec(text.slice(result.offset))?.[0].length || 1),
    {
      code: required ? 'required-variable' : 'interpolation',
      message: result.message,
      hint: result.hint,
    },
  );
  return text;
}

/** Characters that all texts with variables in them may have: one long value can be named any number of times. */
const mostCharacters = 64 * 1024 * 1024;

function isAllowed(at: Span, {length}: string, problems: Problems): boolean {
  const hint = 'put a long text into a file, and name that below configs or secrets';
  return problems.allows(at, {what: 'characters with variables in them', amount: length, most: mostCharacters, hint});
}

/** The place of a variable within a text, where the text stands in the file as it is (no escapes, no folding). */
function placeWithin(at: Span, text: string, offset: number, length: number): Span {
  const written = at.source.text.slice(at.start, at.end);
  const start = written.indexOf(text);
  return start === -1
    ? at
    : {source: at.source, start: at.start + start + offset, end: at.start + start + offset + length};
}
