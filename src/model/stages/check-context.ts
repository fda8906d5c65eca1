import type {Problems} from '../problems.ts';
import type {Span} from '../source.ts';
import type {Tree} from '../tree.ts';

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
