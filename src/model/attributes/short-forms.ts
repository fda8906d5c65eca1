import type {Entry, Scalar, Tree} from '../tree.ts';
import {isText, mapItems, objectAt, scalar, sequence} from '../tree.ts';

/** `["A=1", "B"]` → `{A: 1, B: alone}`. A list with anything but texts stays, for validation to name it. */
export function keyValues(alone: Scalar, separators = /=/): (node: Tree) => Tree {
  return (node) => {
    if (node.kind !== 'sequence' || !node.items.every(isText)) return node;
    const entries = new Map<string, Entry>();
    for (const item of node.items) {
      if (!isText(item)) continue;
      const at = item.value.search(separators);
      const key = at === -1 ? item.value : item.value.slice(0, at);
      const value = at === -1 ? alone : item.value.slice(at + 1);
      entries.delete(key);
      entries.set(key, {key: item.at, value: scalar(value, item.at)});
    }
    return {...node, kind: 'mapping', entries} as Tree;
  };
}

/** `["a", "b"]` → `{a: value, b: value}`. */
export function namesTo(value: (name: Tree) => Tree): (node: Tree) => Tree {
  return (node) => {
    if (node.kind !== 'sequence' || !node.items.every(isText)) return node;
    const entries = new Map<string, Entry>();
    for (const item of node.items) if (isText(item)) entries.set(item.value, {key: item.at, value: value(item)});
    return withDirectiveOf(node, {kind: 'mapping', entries, at: node.at});
  };
}

/** `a` → `[a]`. */
export function oneToList(node: Tree): Tree {
  return isText(node) ? withDirectiveOf(node, sequence([scalar(node.value, node.at)], node.at)) : node;
}

/** Items that are texts → mappings with that text as one member. */
export function textItemsTo(member: string): (node: Tree) => Tree {
  return (node) => mapItems(node, (item) => (isText(item) ? objectAt({[member]: item.value}, item.at) : item));
}

export function withDirectiveOf(from: Tree, to: Tree): Tree {
  return from.directive === undefined ? to : {...to, directive: from.directive};
}

/** A text that is a relative path or one of the home directory → absolute. */
export function absoluteText(node: Tree, absolute: (path: string) => string): Tree {
  return isText(node) && node.value !== '' ? {...node, value: absolute(node.value)} : node;
}
