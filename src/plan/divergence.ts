import type {Json} from '../base/canonical-json.ts';
import {canonicalJson} from '../base/canonical-json.ts';
import type {Provenance} from '../model/types.ts';
import type {FieldChange} from './action.ts';
import {maskedChange} from './mask.ts';
import type {Spec} from './spec.ts';
import {showValue} from './values.ts';

/** Attributes of a service that say nothing about one container: a change of them recreates nothing. */
const serviceLevelAttributes: ReadonlySet<string> = new Set([
  'attach',
  'build',
  'depends_on',
  'deploy.replicas',
  'env_file',
  'profiles',
  'pull_policy',
  'scale',
]);

export interface Comparison {
  /** What it was made from, and what the stack file says now. */
  readonly stored: Spec;
  readonly desired: Spec;
  /** `services.web`: where the desired values are found in the project. */
  readonly path: string;
  readonly provenance: Provenance;
}

/** The fields in which two specs differ, in the order of their names. */
export function compareSpecs(comparison: Comparison): readonly FieldChange[] {
  const before = flatten(comparison.stored);
  const after = flatten(comparison.desired);
  const changes: FieldChange[] = [];
  for (const field of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const old = before.get(field);
    const wanted = after.get(field);
    if (
      isServiceLevel(field) ||
      (old !== undefined && wanted !== undefined && canonicalJson(old.value) === canonicalJson(wanted.value))
    ) {
      continue;
    }
    // A value that is gone has no place of its own any more: what it stood in is the nearest place to look at.
    const source = comparison.provenance.at(
      `${comparison.path}${wanted?.path ?? (old === undefined ? '' : parentPath(old.path))}`,
    );
    changes.push({
      ...maskedChange({field, before: old?.value, after: wanted?.value, show: (value) => showValue(field, value)}),
      ...(source === undefined ? {} : {source}),
    });
  }
  return changes;
}

function isServiceLevel(field: string): boolean {
  for (const attribute of serviceLevelAttributes) {
    if (field === attribute || field.startsWith(`${attribute}.`) || field.startsWith(`${attribute}[`)) return true;
  }
  return false;
}

interface Leaf {
  readonly value: Json;
  /** Below the service, as provenance spells it: `.ports[0].target`. */
  readonly path: string;
}

/** Leaves by field name. Elements of lists are named by what identifies them, so that one more at the front is one change. */
function flatten(spec: Spec): Map<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  const walk = (value: Json, field: string, path: string): void => {
    if (isList(value)) {
      if (!value.some((item) => isObject(item))) {
        leaves.set(field, {value, path});
        return;
      }
      const names = elementNames(value);
      value.forEach((item, index) => {
        walk(item, `${field}[${names[index] ?? index}]`, `${path}[${index}]`);
      });
      return;
    }
    if (isObject(value) && Object.keys(value).length > 0) {
      for (const [key, member] of Object.entries(value))
        walk(member, field === '' ? key : `${field}.${key}`, `${path}.${key}`);
      return;
    }
    if (field !== '') leaves.set(field, {value, path});
  };
  walk(spec, '', '');
  return leaves;
}

function elementNames(list: readonly Json[]): readonly string[] {
  const names = list.map((item, index) => (isObject(item) ? elementName(item) : undefined) ?? String(index));
  const seen = new Map<string, number>();
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}#${count}`;
  });
}

/** Port: `80/tcp`. Volume, config, secret: its target. Address pool: its subnet. */
function elementName(item: Readonly<Record<string, Json>>): string | undefined {
  const {target, protocol, source, subnet} = item;
  if (typeof target === 'number') return `${target}/${typeof protocol === 'string' ? protocol : 'tcp'}`;
  if (typeof target === 'string') return target;
  if (typeof source === 'string') return source;
  return typeof subnet === 'string' ? subnet : undefined;
}

function parentPath(path: string): string {
  return path.replace(/(\.[^.[]*|\[\d+\])$/, '');
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
