import {positionOf, type Span} from './source.ts';
import type {Tree} from './tree.ts';
import type {Provenance} from './types.ts';

/**
 * Places of values by path (`services.web.ports[0].target`). A path that leads further than the file is answered with
 * the last place on its way: what a default or a short form stands for has no place of its own.
 */
export function provenanceOf(tree: Tree): Provenance {
  return {
    at: (path) => {
      const walk = spanAt(tree, path);
      return walk === undefined ? undefined : positionOf(walk.span);
    },
    span: (path) => spanAt(tree, path)?.span,
  };
}

/** How far a path leads into a tree. */
export interface Walk {
  readonly span: Span;
  /** The places of what was passed on the way, the outermost first. */
  readonly above: readonly Span[];
  /** False where the path leads further than the files: what it means is a default, unless a short form says it. */
  readonly stated: boolean;
}

/** The place at the end of a path, or of the last part of it that is there; undefined where nothing of it is. */
export function spanAt(tree: Tree, path: string): Walk | undefined {
  let node = tree;
  let span: Span | undefined;
  let rest = path;
  const above: Span[] = [];
  while (rest !== '') {
    const step = nextStep(node, rest);
    if (step === undefined) {
      // What is printed as a list may be a mapping in the file: then the mapping says it.
      const stated = node.kind === 'scalar' || (node.kind === 'mapping' && rest.startsWith('['));
      return span === undefined ? undefined : {span, above, stated};
    }
    ({node, span, rest} = step);
    if (rest !== '') above.push(node.at);
  }
  return span === undefined ? undefined : {span, above, stated: true};
}

interface Step {
  readonly node: Tree;
  readonly span: Span;
  readonly rest: string;
}

function nextStep(node: Tree, path: string): Step | undefined {
  const index = /^\[(\d+)\]\.?/.exec(path);
  if (node.kind === 'sequence') {
    const item = index === null ? undefined : node.items[Number(index[1])];
    return item === undefined || index === null
      ? undefined
      : {node: item, span: item.at, rest: path.slice(index[0].length)};
  }
  if (node.kind !== 'mapping') return undefined;
  // A key may have points and brackets itself, so the longest one that fits is meant.
  for (let end = path.length; end > 0; end = Math.max(path.lastIndexOf('.', end - 1), path.lastIndexOf('[', end - 1))) {
    const entry = node.entries.get(path.slice(0, end));
    if (entry === undefined) continue;
    const span =
      entry.value.kind === 'scalar' && entry.value.at.source === entry.key.source ? entry.value.at : entry.key;
    return {node: entry.value, span, rest: path.slice(path[end] === '.' ? end + 1 : end)};
  }
  return undefined;
}
