import type {SourcePosition} from './types.ts';

/** A text that values come from: a stack file or an environment file. */
export interface SourceFile {
  /** Absolute, or a name in angle brackets where it is no file: `<stdin>`. */
  readonly path: string;
  /** As the user gave it: what messages show. */
  readonly shown: string;
  readonly text: string;
  /** The place of the `include` that brought it in. */
  readonly includedAt?: Span;
}

/** A piece of a source; offsets count UTF-16 units, `end` is not part of it. */
export interface Span {
  readonly source: SourceFile;
  readonly start: number;
  readonly end: number;
  /** What made the value here what it is, besides the text itself; in the order in which it happened. */
  readonly trail?: readonly TrailStep[];
}

/** One thing that happened to a value on its way from a file into the project. */
export type TrailStep =
  | {readonly kind: 'variable'; readonly use: VariableUse}
  | {readonly kind: 'anchor'; readonly name: string; readonly at: Span}
  | {readonly kind: 'mergeKey'; readonly at: Span}
  | {readonly kind: 'extends'; readonly service: string; readonly at: Span}
  | {readonly kind: 'replaces'; readonly at: Span};

/** How a variable was put in place. */
export interface VariableUse {
  readonly name: string;
  /** `value`: its own; `default` and `alternative`: what the template says instead; `nothing`: it is not set. */
  readonly took: 'value' | 'default' | 'alternative' | 'nothing';
  /** Where its value stands; absent: in the environment of the process, or nowhere. */
  readonly from?: Span | undefined;
}

/** The same place, with one thing more that happened. */
export function withStep(at: Span, step: TrailStep): Span {
  return {...at, trail: at.trail === undefined ? [step] : [...at.trail, step]};
}

/** That a value came from variables, and where it can be corrected. */
export function originOf({trail = []}: Span): RelatedPlace | undefined {
  const uses = trail.flatMap((step) => (step.kind === 'variable' ? [step.use] : []));
  const [first] = uses;
  if (first === undefined) return undefined;
  const others = new Map(uses.map((use) => [use.name, use]));
  if (others.size > 1)
    return {message: `the value comes from the variables ${[...others.values()].map(nameAndPlace).join(', ')}`};
  const {name, took, from} = first;
  if (took === 'default') return {message: `the variable ${name} is not set, so its default is taken`};
  if (took === 'alternative') return {message: `the variable ${name} is set, so its alternative is taken`};
  if (took === 'nothing') return {message: `the variable ${name} is not set, so it becomes an empty string`};
  if (from === undefined) return {message: `the value comes from the variable ${name}; correct it in the environment`};
  const {line, column} = positionOf(from);
  return {
    message: `the value comes from the variable ${name}; correct it there`,
    file: from.source.shown,
    line,
    column,
  };
}

function nameAndPlace({name, took, from}: VariableUse): string {
  if (took !== 'value') return `${name} (${took === 'alternative' ? 'set' : 'not set'})`;
  if (from === undefined) return `${name} (environment)`;
  const {line, column} = positionOf(from);
  return `${name} (${from.source.shown}:${line}:${column})`;
}

/** The place that belongs to a problem, where it is one of a file. */
interface RelatedPlace {
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

const lineStarts = new WeakMap<SourceFile, readonly number[]>();

function startsOf(source: SourceFile): readonly number[] {
  const known = lineStarts.get(source);
  if (known !== undefined) return known;
  const starts = [0];
  for (let at = source.text.indexOf('\n'); at !== -1; at = source.text.indexOf('\n', at + 1)) starts.push(at + 1);
  lineStarts.set(source, starts);
  return starts;
}

/** Line and column, both from 1. */
export function positionOf(span: Span): SourcePosition {
  const starts = startsOf(span.source);
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= span.start) low = middle;
    else high = middle - 1;
  }
  return {file: span.source.path, line: low + 1, column: span.start - (starts[low] ?? 0) + 1};
}

/** The text of the line a span begins in, and how many of its characters the span covers (at least 1). */
export function excerptOf(span: Span): {readonly excerpt: string; readonly length: number} {
  const {line, column} = positionOf(span);
  const starts = startsOf(span.source);
  const start = starts[line - 1] ?? 0;
  const excerpt = span.source.text.slice(start, starts[line] ?? span.source.text.length).replace(/\r?\n$/, '');
  const marked = excerpt.slice(column - 1, Math.max(column, span.end - start));
  return {excerpt, length: Math.max(1, marked.trimEnd().length)};
}
