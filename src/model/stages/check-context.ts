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
  /** How it is written below `depends_on`: by its name alone or with settings; undefined where it only follows, as from a link. */
  readonly form: 'short' | 'long' | undefined;
}

/** Where a service says that it depends on another one, be it by sharing something of it. */
export function dependencyPlace(context: CheckContext, {name, service, dependency}: DependencyUse): DependencyPlace {
  const own = member(member(member(context.tree, 'services'), name), 'depends_on');
  const implied = impliedDependencies(service).find((candidate) => candidate.name === dependency);
  const entry = own?.kind === 'mapping' ? own.entries.get(dependency) : undefined;
  if (implied !== undefined && entry === undefined)
    return {at: place(context, ['services', name, ...implied.path], 'value'), form: undefined};
  // The settings that a name alone stands for have its place.
  const form = entry !== undefined && entry.value.at.start === entry.key.start ? 'short' : 'long';
  return {at: place(context, ['services', name, 'depends_on', dependency]), form};
}
