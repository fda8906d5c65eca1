import {didYouMean} from '../../base/suggest.ts';
import {stackSchema} from '../generated/stack-schema.js';
import type {Problems} from '../problems.ts';
import {checkSchema, type Mismatch, type Schema} from '../schema-check.ts';
import type {MappingNode, SequenceNode, Tree} from '../tree.ts';
import {isNull, isText, toPlain} from '../tree.ts';
import type {NestedExtension} from '../types.ts';

/**
 * Checks the merged tree against the schema of stack files and reports every problem with its place. Returns the `x-`
 * members below services and resources.
 */
export function validate(tree: Tree, problems: Problems): readonly NestedExtension[] {
  const {mismatches, extensions} = checkSchema(stackSchema, tree);
  reportMismatches(mismatches, {tree, problems, whole: stackFile});
  // Those of the top level and of services are members of their own.
  return extensions
    .filter(({path}) => path.length > 1 && !(path[0] === 'services' && path.length === 3))
    .map(({path, value}) => ({path, value: toPlain(value)}));
}

const stackFile = 'the stack file';

export interface MismatchContext {
  /** The whole file. */
  readonly tree: Tree;
  readonly problems: Problems;
  /** What people call it. */
  readonly whole: string;
}

/** Tells everything in which a file does not fit its schema, each with its place. */
export function reportMismatches(mismatches: readonly Mismatch[], context: MismatchContext): void {
  for (const mismatch of mismatches) report(mismatch, context);
}

function report(mismatch: Mismatch, context: MismatchContext): void {
  const {kind, node, key, path, schema, member = ''} = mismatch;
  const {problems, whole} = context;
  const where = path === '' ? whole : path;
  switch (kind) {
    case 'additional':
      reportUnknownKey(member, mismatch, context);
      return;
    case 'required':
      problems.error(key ?? node.at, {
        code: 'missing-key',
        message: `${where}: "${member}" is missing`,
        hint: `add ${member}: …`,
      });
      return;
    case 'type':
      problems.error(node.at, {
        code: 'wrong-type',
        message: `${where}: expected ${schema['x-expected'] ?? String(schema.type)}, found ${describe(node)}`,
        hint: typeHint(node, schema, path),
      });
      return;
    case 'enum': {
      const allowed = (schema.enum ?? []).map(String);
      const value = node.kind === 'scalar' ? JSON.stringify(node.value) : describe(node);
      problems.error(node.at, {
        code: 'wrong-value',
        message: `${where}: ${value} is not one of ${allowed.join(', ')}`,
        hint: (node.kind === 'scalar' ? didYouMean(String(node.value), allowed) : undefined) ?? 'write one of them',
      });
      return;
    }
    case 'pattern':
      problems.error(node.at, {
        code: 'wrong-value',
        message: `${where}: ${describe(node)} does not fit: expected ${schema['x-expected'] ?? schema.pattern}`,
        hint: suggested(node, schema) ?? `write ${schema['x-expected'] ?? schema.pattern}`,
      });
  }
}

/** Where what is expected is a list of words, the one that was meant. */
function suggested(node: Tree, schema: Schema): string | undefined {
  const [, words] = /^one of (.*)$/.exec(schema['x-expected'] ?? '') ?? [];
  return isText(node) && words !== undefined ? didYouMean(node.value, words.split(', ')) : undefined;
}

function describe(node: Tree): string {
  if (node.kind === 'sequence') return 'a list';
  if (node.kind === 'mapping') return 'a mapping';
  if (node.value === null) return 'nothing';
  if (typeof node.value === 'string') return `the string ${JSON.stringify(node.value)}`;
  return typeof node.value === 'boolean' ? String(node.value) : `the number ${written(node)}`;
}

/** What an empty value most probably lacks. */
function emptyHint(path: string, expected: string): string {
  if (/^services\.[^.]+$/.test(path)) return 'write its settings below it, indented: image: NAME';
  if (expected.startsWith('KEY: value')) return 'write KEY: value lines below it, indented, or remove it';
  return 'give it a value, or remove it';
}

/** The tag that stands before a value, so that a hint keeps it. */
function overrideTag({at}: Tree): string {
  return /!override\s+$/.test(at.source.text.slice(Math.max(0, at.start - 20), at.start)) ? '!override ' : '';
}

/** As it stands in the file. */
function written({at}: Tree): string {
  return at.source.text.slice(at.start, at.end);
}

/** How the value would be right, as near to what stands there as can be said. */
function typeHint(node: Tree, schema: Schema, path: string): string {
  const expected = schema['x-expected'] ?? 'another value';
  if (isNull(node)) return emptyHint(path, expected);
  if (node.kind === 'sequence') return listHint(node, schema, {path, expected});
  if (node.kind === 'mapping') return mappingHint(node, expected);
  if (typeof node.value !== 'string' && expected.startsWith('a string'))
    return `put it into quotes: "${written(node)}"`;
  if (typeof node.value === 'number' && expected.startsWith('a duration')) return `add a unit: ${written(node)}s`;
  if (expected.startsWith('KEY: value')) return 'write lines of KEY: value, or a list of KEY=value';
  if (allows(schema, 'array')) return `write a list: ${overrideTag(node)}[${written(node)}]`;
  const [, name, rest] = /^([\w.-]+):(\S.*)$/s.exec(String(node.value)) ?? [];
  if (allows(schema, 'object') && name !== undefined) return `put a space after the colon: ${name}: ${rest}`;
  return allows(schema, 'object') ? 'write lines of NAME: value below it' : `write ${expected}`;
}

function listHint(
  {items}: SequenceNode,
  schema: Schema,
  {path, expected}: {readonly path: string; readonly expected: string},
): string {
  const [first] = items;
  if (first?.kind !== 'scalar') return `write ${expected}`;
  if (allows(schema, 'object')) {
    const [name, value = ''] = String(first.value).split(/=(.*)/s);
    const right = `"${`${name}: ${value}`.trimEnd()}" in place of "- ${first.value}"`;
    // A list at the top is one of services, unless it begins with the name of a section.
    const ofServices = path === '' && !Object.hasOwn(schema.properties ?? {}, name ?? '');
    return ofServices ? `write "services:" and, indented below it, ${right}` : `write ${right}`;
  }
  return items.length === 1 ? `write it without the list: ${written(first)}` : `write ${expected}`;
}

function mappingHint({entries}: MappingNode, expected: string): string {
  const [[name, entry] = []] = entries;
  const isPair = expected.startsWith('a string like') && entries.size === 1 && entry?.value.kind === 'scalar';
  return isPair ? `write ${name}=${entry.value.value ?? ''}` : `write ${expected}, not NAME: value`;
}

function allows({type = []}: Schema, wanted: 'array' | 'object'): boolean {
  return type === wanted || type.includes(wanted as never);
}

function reportUnknownKey(key: string, {node, path, schema}: Mismatch, {tree, problems, whole}: MismatchContext): void {
  const at = node.kind === 'mapping' ? node.entries.get(key)?.key : undefined;
  if (schema['x-names'] !== undefined) {
    problems.error(at, {
      code: 'wrong-name',
      message: `${path}: "${key}" cannot be a name`,
      hint: `a name has ${schema['x-names']}`,
    });
    return;
  }
  const known = Object.keys(schema.properties ?? {});
  problems.error(at, {
    code: 'unknown-key',
    message: path === '' ? `unknown attribute "${key}" at the top level` : `${path}: unknown attribute "${key}"`,
    hint:
      (path === '' && whole === stackFile ? misplaced(key, tree) : undefined) ??
      didYouMean(key, known) ??
      unknownHint(key, schema),
  });
}

function unknownHint(key: string, {patternProperties = {}}: Schema): string {
  return Object.hasOwn(patternProperties, '^x-')
    ? `remove it, or rename it "x-${key}" if it is your own extension`
    : 'remove it';
}

/** A service at the top level, without `services:` above it, is the most usual mistake of all; then a service's attribute. */
function misplaced(key: string, tree: Tree): string | undefined {
  const attributes = stackSchema.$defs?.['service']?.properties ?? {};
  if (Object.hasOwn(attributes, key)) return 'it is an attribute of a service: move it into one';
  const value = tree.kind === 'mapping' ? tree.entries.get(key)?.value : undefined;
  const service = value?.kind === 'mapping' && ['image', 'build', 'command'].some((name) => value.entries.has(name));
  return service ? `it looks like a service: write it below "services:"` : undefined;
}
