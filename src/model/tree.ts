import type {Json} from '../base/canonical-json.ts';
import type {Span} from './source.ts';

/** What a file says, each node with its place. Nodes are never changed: stages make new ones. */
export type Tree = ScalarNode | SequenceNode | MappingNode;

export type Scalar = string | number | boolean | null;

interface NodeBase {
  readonly at: Span;
  /** `!reset` takes away what earlier files said, `!override` replaces it. */
  readonly directive?: 'reset' | 'override';
}

export interface ScalarNode extends NodeBase {
  readonly kind: 'scalar';
  readonly value: Scalar;
  /** A number as text, where that is not simply the value's: `1e6` stays so. */
  readonly spelling?: string;
}

export interface SequenceNode extends NodeBase {
  readonly kind: 'sequence';
  readonly items: readonly Tree[];
}

export interface MappingNode extends NodeBase {
  readonly kind: 'mapping';
  readonly entries: ReadonlyMap<string, Entry>;
  /** Members that `!reset` took away, with the place of it: for messages. */
  readonly reset?: ReadonlyMap<string, Span>;
}

export interface Entry {
  readonly key: Span;
  readonly value: Tree;
}

export function scalar(value: Scalar, at: Span): ScalarNode {
  return {kind: 'scalar', value, at};
}

export function sequence(items: readonly Tree[], at: Span): SequenceNode {
  return {kind: 'sequence', items, at};
}

export function mapping(entries: Iterable<readonly [string, Entry]>, at: Span): MappingNode {
  return {kind: 'mapping', entries: new Map(entries), at};
}

/** A mapping of values that all come from one place, as a short form does; undefined members are left out. */
export function objectAt(members: Readonly<Record<string, Scalar | Tree | undefined>>, at: Span): MappingNode {
  const entries = new Map<string, Entry>();
  for (const [key, member] of Object.entries(members)) {
    if (member === undefined) continue;
    entries.set(key, {key: at, value: typeof member === 'object' && member !== null ? member : scalar(member, at)});
  }
  return {kind: 'mapping', entries, at};
}

export function isText(node: Tree | undefined): node is ScalarNode & {readonly value: string} {
  return node?.kind === 'scalar' && typeof node.value === 'string';
}

export function isNull(node: Tree): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** The member of a mapping; undefined for anything else, and for a member that is null. */
export function member(node: Tree | undefined, key: string): Tree | undefined {
  if (node?.kind !== 'mapping') return undefined;
  const value = node.entries.get(key)?.value;
  return value === undefined || isNull(value) ? undefined : value;
}

/** The same mapping with one member made anew; the node itself where it has no such member or nothing changed. */
export function withMember(node: Tree, key: string, change: (value: Tree, key: Span) => Tree): Tree {
  if (node.kind !== 'mapping') return node;
  const entry = node.entries.get(key);
  if (entry === undefined) return node;
  const value = change(entry.value, entry.key);
  if (value === entry.value) return node;
  const entries = new Map(node.entries);
  entries.set(key, {key: entry.key, value});
  return {...node, entries};
}

/** Every value of a mapping made anew. */
export function mapEntries(node: Tree, change: (value: Tree, key: string, at: Span) => Tree): Tree {
  if (node.kind !== 'mapping') return node;
  const entries = new Map<string, Entry>();
  let changed = false;
  for (const [key, entry] of node.entries) {
    const value = change(entry.value, key, entry.key);
    changed ||= value !== entry.value;
    entries.set(key, value === entry.value ? entry : {key: entry.key, value});
  }
  return changed ? {...node, entries} : node;
}

/** Every item of a sequence made anew; the node itself where nothing changed. */
export function mapItems(node: Tree, change: (item: Tree) => Tree): Tree {
  if (node.kind !== 'sequence') return node;
  const items = node.items.map(change);
  return items.every((item, index) => item === node.items[index]) ? node : {...node, items};
}

/** How many values there are. */
export function sizeOf(node: Tree): number {
  if (node.kind === 'scalar') return 1;
  let size = 1;
  if (node.kind === 'sequence') for (const item of node.items) size += sizeOf(item);
  else for (const {value} of node.entries.values()) size += sizeOf(value);
  return size;
}

/** The value without places. */
export function toPlain(node: Tree): Json {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'sequence') return node.items.map(toPlain);
  const result: Record<string, Json> = {};
  for (const [key, entry] of node.entries) {
    // A key of this name would set the object's prototype.
    if (key === '__proto__') Object.defineProperty(result, key, {value: toPlain(entry.value), enumerable: true});
    else result[key] = toPlain(entry.value);
  }
  return result;
}

/** The value at a path of keys. */
export function nodeAt(tree: Tree, path: readonly string[]): Tree | undefined {
  return path.reduce<Tree | undefined>(
    (node, step) => (node?.kind === 'mapping' ? node.entries.get(step)?.value : undefined),
    tree,
  );
}

/** The place of the last key of a path. */
export function keyAt(tree: Tree, path: readonly string[]): Span | undefined {
  const parent = nodeAt(tree, path.slice(0, -1));
  return parent?.kind === 'mapping' ? parent.entries.get(path.at(-1) ?? '')?.key : undefined;
}
