import {didYouMean} from '../../base/suggest.ts';
import {refusalHints} from '../attributes/refused.ts';
import {type ValidationError, validateStack} from '../generated/stack-validator.js';
import type {Problems} from '../problems.ts';
import type {Span} from '../source.ts';
import type {Tree} from '../tree.ts';
import {isNull, toPlain} from '../tree.ts';

/**
 * Checks the merged tree against the schema of stack files and reports every problem with its place. The schema has no
 * alternatives (`oneOf`): a value that may be of several kinds lists them as types, so each problem is told once.
 */
export function validate(tree: Tree, problems: Problems): void {
  if (validateStack(toPlain(tree))) return;
  for (const error of validateStack.errors ?? []) reportError(error, tree, problems);
}

interface Found {
  readonly node: Tree;
  /** The place of the key, where the value is a member of a mapping. */
  readonly key: Span | undefined;
  readonly path: string;
  readonly name: string;
}

/** Walks a JSON pointer. */
function locate(tree: Tree, pointer: string): Found {
  let found: Found = {node: tree, key: undefined, path: '', name: ''};
  for (const part of pointer.split('/').slice(1)) {
    const step = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const {node, path} = found;
    if (node.kind === 'mapping') {
      const entry = node.entries.get(step);
      if (entry === undefined) return found;
      found = {node: entry.value, key: entry.key, path: path === '' ? step : `${path}.${step}`, name: step};
    } else if (node.kind === 'sequence') {
      const item = node.items[Number(step)];
      if (item === undefined) return found;
      found = {node: item, key: undefined, path: `${path}[${step}]`, name: step};
    }
  }
  return found;
}

type Schema = {
  readonly 'x-expected'?: string;
  readonly 'x-names'?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly patternProperties?: unknown;
};

function reportError(error: ValidationError, tree: Tree, problems: Problems): void {
  const found = locate(tree, error.instancePath);
  const schema = (error.parentSchema ?? {}) as Schema;
  const where = found.path === '' ? 'the stack file' : found.path;
  const {node} = found;
  const value = node.kind === 'scalar' ? JSON.stringify(node.value) : describe(node);
  switch (error.keyword) {
    case 'not':
      problems.error(found.key ?? node.at, {
        code: 'unsupported',
        kind: 'unsupported',
        message: `${where} is not supported yet`,
        hint: refusalHints[found.name],
      });
      return;
    case 'additionalProperties':
      reportUnknownKey(String(error.params['additionalProperty']), found, {schema, tree, problems});
      return;
    case 'required': {
      const missing = String(error.params['missingProperty']);
      problems.error(found.key ?? node.at, {
        code: 'missing-key',
        message: `${where}: "${missing}" is missing`,
        hint: `add ${missing}: …`,
      });
      return;
    }
    case 'type':
      problems.error(node.at, {
        code: 'wrong-type',
        message: `${where}: expected ${schema['x-expected'] ?? String(error.params['type'])}, found ${describe(node)}`,
        hint: typeHint(node, schema),
      });
      return;
    case 'enum': {
      const allowed = (error.params['allowedValues'] as readonly unknown[]).map(String);
      problems.error(node.at, {
        code: 'wrong-value',
        message: `${where}: ${value} is none of ${allowed.join(', ')}`,
        hint: node.kind === 'scalar' ? didYouMean(String(node.value), allowed) : undefined,
      });
      return;
    }
    default:
      problems.error(node.at, {
        code: 'wrong-value',
        message: `${where}: ${value} does not fit: expected ${schema['x-expected'] ?? error.message}`,
      });
  }
}

function describe(node: Tree): string {
  if (node.kind === 'sequence') return 'a list';
  if (node.kind === 'mapping') return 'a mapping';
  if (node.value === null) return 'nothing';
  if (typeof node.value === 'string') return `the text ${JSON.stringify(node.value)}`;
  return typeof node.value === 'boolean' ? String(node.value) : `the number ${written(node)}`;
}

/** As it stands in the file. */
function written({at}: Tree): string {
  return at.source.text.slice(at.start, at.end);
}

function typeHint(node: Tree, schema: Schema): string | undefined {
  if (isNull(node)) return 'give it a value, or take it away';
  if (
    node.kind === 'scalar' &&
    typeof node.value !== 'string' &&
    node.value !== null &&
    schema['x-expected']?.startsWith('text') === true
  ) {
    return `put it into quotes: "${written(node)}"`;
  }
  if (
    node.kind === 'scalar' &&
    typeof node.value === 'number' &&
    schema['x-expected']?.startsWith('a duration') === true
  ) {
    return `add a unit: ${written(node)}s`;
  }
  return undefined;
}

interface UnknownKeyContext {
  readonly schema: Schema;
  readonly tree: Tree;
  readonly problems: Problems;
}

function reportUnknownKey(key: string, {node, path}: Found, {schema, tree, problems}: UnknownKeyContext): void {
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
    message: path === '' ? `unknown key "${key}" at the top level` : `${path}: unknown attribute "${key}"`,
    hint: (path === '' ? misplacedService(key, tree) : undefined) ?? didYouMean(key, known),
  });
}

/** A service at the top level, without `services:` above it, is the most usual mistake of all. */
function misplacedService(key: string, tree: Tree): string | undefined {
  const value = tree.kind === 'mapping' ? tree.entries.get(key)?.value : undefined;
  const service = value?.kind === 'mapping' && ['image', 'build', 'command'].some((name) => value.entries.has(name));
  return service ? `it looks like a service: write it below "services:"` : undefined;
}
