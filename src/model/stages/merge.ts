import type {MergeRule} from '../attributes/attribute.ts';
import {attributeTable} from '../attributes/index.ts';
import {type Span, withStep} from '../source.ts';
import type {Entry, MappingNode, Tree} from '../tree.ts';
import {isNull, mapItems} from '../tree.ts';

const labelsRule: MergeRule = {nullIsValue: true};

function subnetOf(item: Tree): string {
  const node = item.kind === 'mapping' ? item.entries.get('subnet')?.value : undefined;
  return node?.kind === 'scalar' ? String(node.value) : '';
}

/** How two definitions of one service are merged. */
export const serviceRule: MergeRule = {
  members: Object.fromEntries([...attributeTable].map(([name, {merge = {}}]) => [name, merge])),
};

/** How whole stack files are merged; what a rule says of an attribute stands in the attribute's row. */
const stackRule: MergeRule = {
  members: {
    services: {each: serviceRule},
    networks: {
      each: {members: {labels: labelsRule, ipam: {members: {config: {unique: subnetOf, layered: true}}}}},
    },
    volumes: {each: {members: {labels: labelsRule}}},
    configs: {each: {members: {labels: labelsRule}}},
    secrets: {each: {members: {labels: labelsRule}}},
  },
};

/**
 * One tree of two: mappings member by member, lists put together (equal items once), scalars replaced, a null changes
 * nothing (Compose specification, "Merge"). Both are in long form.
 */
export function mergeTrees(base: Tree, over: Tree, rule: MergeRule = stackRule): Tree {
  return settle(layer(base, over, rule), rule);
}

/**
 * As `mergeTrees`, for a tree that is laid over another one later: `!reset` marks of the upper tree stay, since they
 * count for what is below that one too. `settle` takes them away at the end.
 */
export function layer(base: Tree, over: Tree, rule: MergeRule = stackRule): Tree {
  if (over.directive !== undefined || base.directive === 'reset') return over;
  if (rule.replace === true) return instead(base, over);
  if (isNull(over)) return base;
  if (base.kind !== over.kind) return instead(base, over);
  if (base.kind === 'mapping' && over.kind === 'mapping') return layerMappings(base, over, rule);
  if (base.kind === 'sequence' && over.kind === 'sequence')
    return {...over, items: uniqueItems([...base.items, ...over.items], rule)};
  return instead(base, over);
}

/** The upper value, which remembers the one it stands for. */
function instead(base: Tree, over: Tree): Tree {
  return {...over, at: withStep(over.at, {kind: 'replaces', at: base.at})};
}

function layerMappings(base: MappingNode, over: MappingNode, rule: MergeRule): Tree {
  if (rule.onlySame !== undefined && differ(base, over, rule.onlySame)) return instead(base, over);
  const entries = new Map<string, Entry>(inherited(base));
  for (const [key, entry] of over.entries) {
    const below = entries.get(key);
    if (below === undefined || (rule.nullIsValue === true && isNull(entry.value))) entries.set(key, entry);
    else entries.set(key, {key: entry.key, value: layer(below.value, entry.value, ruleFor(rule, key))});
  }
  return {...over, entries};
}

/** The members of a mapping that came here as a whole (by `extends`, an anchor): each keeps how. */
function inherited(base: MappingNode): ReadonlyMap<string, Entry> {
  const steps = (base.at.trail ?? []).filter(({kind}) => kind === 'extends' || kind === 'anchor');
  if (steps.length === 0) return base.entries;
  const entries = new Map<string, Entry>();
  for (const [key, {key: at, value}] of base.entries) {
    const marked = steps.reduce((span, step) => withStep(span, step), value.at);
    entries.set(key, {key: at, value: {...value, at: marked}});
  }
  return entries;
}

function differ(base: MappingNode, over: MappingNode, member: string): boolean {
  const [a, b] = [base.entries.get(member)?.value, over.entries.get(member)?.value];
  return a?.kind === 'scalar' && b?.kind === 'scalar' && a.value !== b.value;
}

/** What an extension means is not known: two items that are the same may be two. */
const extensionRule: MergeRule = {append: true};

function ruleFor(rule: MergeRule, key: string): MergeRule {
  const extension = rule === extensionRule || key.startsWith('x-') ? extensionRule : {};
  const member = rule.members !== undefined && Object.hasOwn(rule.members, key) ? rule.members[key] : undefined;
  return member ?? rule.each ?? extension;
}

/** A later item takes the place of an earlier one that it equals, or is laid over it; without a rule only wholly equal ones are one. */
function uniqueItems(items: readonly Tree[], rule: MergeRule): readonly Tree[] {
  if (rule.append === true) return items;
  const identity = rule.unique ?? fingerprint;
  const result = new Map<string, Tree>();
  for (const item of items) {
    const key = identity(item);
    const earlier = rule.layered === true ? result.get(key) : undefined;
    result.set(key, earlier === undefined ? item : layer(earlier, item, rule.each));
  }
  return [...result.values()];
}

/** The same text for values that are the same, wherever they stand. */
export function fingerprint(node: Tree): string {
  if (node.kind === 'scalar') return JSON.stringify(node.value);
  if (node.kind === 'sequence') return `[${node.items.map(fingerprint).join(',')}]`;
  const members = [...node.entries].map(([key, {value}]) => `${JSON.stringify(key)}:${fingerprint(value)}`);
  return `{${members.sort().join(',')}}`;
}

/** A tree as it stands in no one's way: members marked `!reset` go, list items that are the same are one. */
export function settle(node: Tree, rule: MergeRule = stackRule): Tree {
  if (node.directive !== undefined) {
    const {directive: _, ...plain} = node;
    return settle(plain, rule);
  }
  if (node.kind === 'sequence') {
    const settled = mapItems(node, (item) => settle(item, rule.each ?? {}));
    return rule.unique === undefined || settled.kind !== 'sequence'
      ? settled
      : {...settled, items: uniqueItems(settled.items, rule)};
  }
  if (node.kind !== 'mapping') return node;
  const entries = new Map<string, Entry>();
  const reset = new Map<string, Span>(node.reset);
  for (const [key, entry] of node.entries) {
    if (entry.value.directive === 'reset') {
      reset.set(key, entry.value.at);
      continue;
    }
    const value = settle(entry.value, ruleFor(rule, key));
    entries.set(key, value === entry.value ? entry : {key: entry.key, value});
  }
  return {...node, entries, ...(reset.size === 0 ? {} : {reset})};
}
