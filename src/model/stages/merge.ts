import type {MergeRule} from '../attributes/attribute.ts';
import {attributeTable} from '../attributes/index.ts';
import type {Entry, MappingNode, SequenceNode, Tree} from '../tree.ts';
import {isNull} from '../tree.ts';

const labelsRule: MergeRule = {nullIsValue: true};

function subnetOf(item: Tree): string {
  const node = item.kind === 'mapping' ? item.entries.get('subnet')?.value : undefined;
  return node?.kind === 'scalar' ? String(node.value) : '';
}

const serviceRule: MergeRule = {
  members: Object.fromEntries([...attributeTable].map(([name, {merge = {}}]) => [name, merge])),
};

/** How whole stack files are merged; what a rule says of an attribute stands in the attribute's row. */
export const stackRule: MergeRule = {
  members: {
    services: {each: serviceRule},
    networks: {
      each: {members: {labels: labelsRule, ipam: {members: {config: {unique: subnetOf}}}}},
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
  if (over.directive === 'override') return settle(over, rule);
  if (rule.replace === true) return settle(over, rule);
  if (isNull(over)) return base;
  if (base.kind !== over.kind) return settle(over, rule);
  if (base.kind === 'mapping' && over.kind === 'mapping') return mergeMappings(base, over, rule);
  if (base.kind === 'sequence' && over.kind === 'sequence') return mergeSequences(base, over, rule);
  return over;
}

function mergeMappings(base: MappingNode, over: MappingNode, rule: MergeRule): Tree {
  if (rule.onlySame !== undefined && differ(base, over, rule.onlySame)) return settle(over, rule);
  const entries = new Map<string, Entry>(base.entries);
  for (const [key, entry] of over.entries) {
    const below = entries.get(key);
    if (entry.value.directive === 'reset') entries.delete(key);
    else if (below === undefined) entries.set(key, {key: entry.key, value: settle(entry.value, ruleFor(rule, key))});
    else if (rule.nullIsValue === true && isNull(entry.value)) entries.set(key, entry);
    else entries.set(key, {key: entry.key, value: mergeTrees(below.value, entry.value, ruleFor(rule, key))});
  }
  return {...over, entries};
}

function differ(base: MappingNode, over: MappingNode, member: string): boolean {
  const [a, b] = [base.entries.get(member)?.value, over.entries.get(member)?.value];
  return a?.kind === 'scalar' && b?.kind === 'scalar' && a.value !== b.value;
}

function ruleFor(rule: MergeRule, key: string): MergeRule {
  return rule.members?.[key] ?? rule.each ?? {};
}

function mergeSequences(base: SequenceNode, over: SequenceNode, rule: MergeRule): Tree {
  return {...over, items: uniqueItems([...base.items, ...over.items], rule)};
}

/** A later item takes the place of an earlier one that it equals; without a rule only wholly equal ones are one. */
function uniqueItems(items: readonly Tree[], rule: MergeRule): readonly Tree[] {
  const identity = rule.unique ?? fingerprint;
  const result = new Map<string, Tree>();
  for (const item of items) result.set(identity(item), item);
  return [...result.values()];
}

function fingerprint(node: Tree): string {
  if (node.kind === 'scalar') return JSON.stringify(node.value);
  if (node.kind === 'sequence') return `[${node.items.map(fingerprint).join(',')}]`;
  const members = [...node.entries].map(([key, {value}]) => `${JSON.stringify(key)}:${fingerprint(value)}`);
  return `{${members.sort().join(',')}}`;
}

/** A tree as it stands in no one's way: members marked `!reset` go, list items that are the same are one. */
export function settle(node: Tree, rule: MergeRule = stackRule): Tree {
  if (node.kind === 'sequence')
    return rule.unique === undefined ? node : {...node, items: uniqueItems(node.items, rule)};
  if (node.kind !== 'mapping') return node;
  const entries = new Map<string, Entry>();
  for (const [key, entry] of node.entries) {
    if (entry.value.directive === 'reset') continue;
    const value = settle(entry.value, ruleFor(rule, key));
    entries.set(key, value === entry.value ? entry : {key: entry.key, value});
  }
  return {...node, entries};
}
