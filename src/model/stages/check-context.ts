import {impliedDependencies} from '../attributes/links.ts';
import type {Problems} from '../problems.ts';
import type {Span} from '../source.ts';
import {member, type Tree} from '../tree.ts';
import type {Service} from '../types.ts';

export interface CheckContext {
  readonly tree: Tree;
  readonly problems: Problems;
}

/** The place of a member below a service: of its key, or with `value` of the value. */
export function place(
  {tree}: CheckContext,
  path: readonly (string | number)[],
  part: 'key' | 'value' = 'key',
): Span | undefined {
  let node: Tree = tree;
  let at: Span | undefined;
  for (const step of path) {
    const entry = node.kind === 'mapping' ? node.entries.get(String(step)) : undefined;
    const next: Tree | undefined = node.kind === 'sequence' ? node.items[Number(step)] : entry?.value;
    if (next === undefined) return at;
    node = next;
    at = part === 'key' ? (entry?.key ?? node.at) : node.at;
  }
  return at;
}

export interface DependencyUse {
  readonly name: string;
  readonly service: Service;
  readonly dependency: string;
}

export interface DependencyPlace {
  readonly at: Span | undefined;
  /** False where it only follows from something else, like a link. */
  readonly stated: boolean;
}

/** Where a service says that it depends on another one, be it by sharing something of it. */
export function dependencyPlace(context: CheckContext, {name, service, dependency}: DependencyUse): DependencyPlace {
  const own = member(member(member(context.tree, 'services'), name), 'depends_on');
  const implied = impliedDependencies(service).find((candidate) => candidate.name === dependency);
  return implied === undefined || (own?.kind === 'mapping' && own.entries.has(dependency))
    ? {at: place(context, ['services', name, 'depends_on', dependency]), stated: true}
    : {at: place(context, ['services', name, ...implied.path], 'value'), stated: false};
}
