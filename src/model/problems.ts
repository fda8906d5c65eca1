import type {Diagnostic} from '../base/diagnostic.ts';
import {TscomposeError} from '../base/errors.ts';
import {excerptOf, originOf, positionOf, type Span} from './source.ts';

export interface Problem {
  /** Stable, kebab-case. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  /** `unsupported`: right, but not there yet. */
  readonly kind?: 'invalid' | 'unsupported';
  readonly related?: {readonly message: string; readonly at: Span} | undefined;
  /** Only the first problem with this name is told. */
  readonly once?: string;
}

/** Something of which a small text can make any amount. */
export interface Growth {
  /** What there is more and more of, in the plural. */
  readonly what: string;
  readonly amount: number;
  /** All that one stack may have. */
  readonly most: number;
  /** What to do instead. */
  readonly hint: string;
}

/** Nobody reads more, and a machine that wrote the file may have made any number of mistakes. */
const mostTold = 200;

/** Collects what is wrong, so that everything is told at once. */
export interface Problems {
  /** What is wrong, and in any case what to do next. */
  error(at: Span | undefined, problem: Problem & {readonly hint: string}): void;
  warning(at: Span | undefined, problem: Problem): void;
  /** Counts what the stack grows to; false, and a problem the first time, where that is too much. */
  allows(at: Span | undefined, growth: Growth): boolean;
  readonly warnings: readonly Diagnostic[];
  readonly hasErrors: boolean;
  /** Throws one error with all problems, where there are any: `invalid`, or `unsupported` where all are of that kind. */
  throwIfAny(): void;
}

export function createProblems(): Problems {
  const errors: (Diagnostic & {readonly kind: 'invalid' | 'unsupported'})[] = [];
  const warnings: Diagnostic[] = [];
  const seen = new Set<string>();
  const grown = new Map<string, number>();
  let untold = 0;
  const isNew = (diagnostic: Diagnostic, {once}: Problem): boolean => {
    const key = once ?? placeKey(diagnostic);
    return !seen.has(key) && seen.add(key) !== undefined;
  };
  const error: Problems['error'] = (at, problem) => {
    if (errors.length >= mostTold) {
      untold += 1;
      return;
    }
    const diagnostic = {...toDiagnostic('error', at, problem), kind: problem.kind ?? 'invalid'};
    if (isNew(diagnostic, problem)) errors.push(diagnostic);
  };
  return {
    error,
    allows: (at, {what, amount, most, hint}) => {
      const total = (grown.get(what) ?? 0) + amount;
      grown.set(what, total);
      if (total <= most) return true;
      const message = `the stack grows to more than ${most} ${what}`;
      error(at, {code: 'too-large', once: `too many ${what}`, message, hint});
      return false;
    },
    warning: (at, problem) => {
      if (warnings.length >= mostTold) return;
      const diagnostic = toDiagnostic('warning', at, problem);
      if (isNew(diagnostic, problem)) warnings.push(diagnostic);
    },
    warnings,
    get hasErrors() {
      return errors.length > 0;
    },
    throwIfAny: () => {
      if (errors.length === 0) return;
      const kind = errors.every((error) => error.kind === 'unsupported') ? 'unsupported' : 'invalid';
      const diagnostics = sortedByPlace(errors.map(({kind: _, ...diagnostic}) => diagnostic));
      const [first] = diagnostics;
      const message =
        errors.length === 1 && first !== undefined
          ? first.message
          : `the stack file has ${errors.length + untold} problems${untold === 0 ? '' : `, of which ${mostTold} are told`}`;
      throw new TscomposeError(kind, message, {diagnostics: [...diagnostics, ...warnings]});
    },
  };
}

/** What an anchor says wrongly is wrong wherever it is used, and told once. */
function placeKey({file, line, column, code, message}: Diagnostic): string {
  const told = line === undefined || code === 'conflict' || code === 'cycle' ? message : '';
  return `${file}:${line}:${column} ${code} ${told}`;
}

function toDiagnostic(severity: Diagnostic['severity'], at: Span | undefined, problem: Problem): Diagnostic {
  const related = relatedOf(severity, at, problem);
  return {
    severity,
    code: problem.code,
    message: problem.message,
    ...(problem.hint === undefined ? {} : {hint: problem.hint}),
    ...(at === undefined ? {} : {...positionOf(at), file: at.source.shown, ...excerptOf(at)}),
    ...(related === undefined ? {} : {related}),
  };
}

/** What is wrong with a value has its cause where the value came from. */
function relatedOf(severity: Diagnostic['severity'], at: Span | undefined, {related}: Problem): Diagnostic['related'] {
  if (related !== undefined)
    return {message: related.message, ...positionOf(related.at), file: related.at.source.shown};
  return severity === 'error' && at !== undefined ? originOf(at) : undefined;
}

/** By file, in the order in which files first had a problem, then by place. */
export function sortedByPlace(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const files = [...new Set(diagnostics.map(({file}) => file))];
  const order = (a: Diagnostic, b: Diagnostic): number =>
    files.indexOf(a.file) - files.indexOf(b.file) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
  return [...diagnostics].sort(order);
}
