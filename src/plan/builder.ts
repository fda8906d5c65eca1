import {relative} from 'node:path';
import {type ErrorKind, TscomposeError} from '../base/errors.ts';
import type {SourcePosition} from '../model/types.ts';
import type {Action, Cause, Consent, NodeId, Notice, Plan, PlanNode} from './action.ts';

/** Something that makes the plan impossible. */
export interface Problem {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly hint?: string;
  readonly source?: SourcePosition | undefined;
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
      const messages = problems.map(({message, source}) => `${formatPosition(source, workingDir)}${message}`);
      throw new TscomposeError(first.kind, messages.join('\n'), {
        hint: problems.find(({hint}) => hint !== undefined)?.hint,
      });
    },
  };
}

/** `compose.yaml:3:12: `, the file as seen from the project's directory where it lies below it. */
function formatPosition(source: SourcePosition | undefined, workingDir: string): string {
  if (source === undefined) return '';
  const fromHere = relative(workingDir, source.file);
  return `${fromHere.startsWith('..') ? source.file : fromHere}:${source.line}:${source.column}: `;
}
