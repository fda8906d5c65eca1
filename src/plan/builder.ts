import {relative} from 'node:path';
import type {Diagnostic} from '../base/diagnostic.ts';
import {type ErrorKind, TscomposeError} from '../base/errors.ts';
import {excerptOf, type Span} from '../model/source.ts';
import type {Project, SourcePosition} from '../model/types.ts';
import type {Action, Cause, Consent, NodeId, Notice, Plan, PlanNode} from './action.ts';

/** Something that makes the plan impossible. */
export interface Problem {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly hint?: string;
  readonly source?: SourcePosition | undefined;
  /** The same place, with the line that stands there. */
  readonly span?: Span | undefined;
}

/** The place of a value, for a problem with it. */
export function placeOf({provenance}: Pick<Project, 'provenance'>, path: string): Pick<Problem, 'source' | 'span'> {
  return {source: provenance.at(path), span: provenance.span?.(path)};
}

/** A plan while it is being made. Nodes get their numbers in the order in which they are added, from 1. */
export interface PlanBuilder {
  add(action: Action, why: Cause, after?: Iterable<NodeId | undefined>): NodeId;
  ask(consent: Consent): void;
  note(notice: Notice): void;
  /** Planning goes on, so that all problems are told at once; `build` throws them. */
  problem(problem: Problem): void;
  build(): Plan;
}

export function createPlanBuilder(project: string, workingDir = '/'): PlanBuilder {
  const nodes: PlanNode[] = [];
  const consents: Consent[] = [];
  const notices: Notice[] = [];
  const problems: Problem[] = [];
  return {
    add(action, why, after = []) {
      const id = (nodes.length + 1) as NodeId;
      const predecessors = new Set<NodeId>();
      for (const node of after) if (node !== undefined) predecessors.add(node);
      nodes.push({id, action, why, after: [...predecessors].sort((a, b) => a - b)});
      return id;
    },
    ask: (consent) => void consents.push(consent),
    note: (notice) => void notices.push(notice),
    problem: (problem) => void problems.push(problem),
    build() {
      const [first] = problems;
      if (first === undefined) return {project, nodes, consents, notices};
      const sorted = [...problems].sort(byPlace);
      const messages = sorted.map(({message, source}) => {
        return source === undefined ? message : `${shownPosition(source, workingDir)}: ${message}`;
      });
      const placed = sorted.some(({source}) => source !== undefined);
      throw new TscomposeError(first.kind, messages.join('\n'), {
        hint: sorted.find(({hint}) => hint !== undefined)?.hint,
        ...(placed ? {diagnostics: sorted.map((problem) => diagnosticOf(problem, workingDir))} : {}),
      });
    },
  };
}

/** What has no place comes last. */
function byPlace({source: a}: Problem, {source: b}: Problem): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

/** `compose.yaml:3:5`. */
export function shownPosition(source: SourcePosition, workingDir: string): string {
  return `${shown(source, workingDir)}:${source.line}:${source.column}`;
}

/** The file as seen from the project's directory where it lies below it. */
function shown({file}: SourcePosition, workingDir: string): string {
  const fromHere = relative(workingDir, file);
  return fromHere.startsWith('..') ? file : fromHere;
}

function diagnosticOf({kind, message, hint, source, span}: Problem, workingDir: string): Diagnostic {
  const code = kind.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return {
    severity: 'error',
    code,
    message,
    ...(hint === undefined ? {} : {hint}),
    ...(source === undefined ? {} : {file: shown(source, workingDir), line: source.line, column: source.column}),
    ...(span === undefined ? {} : excerptOf(span)),
  };
}
