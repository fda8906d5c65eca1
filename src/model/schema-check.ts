import type {Span} from './source.ts';
import {isText, type MappingNode, type Tree} from './tree.ts';

/**
 * What is used of JSON Schema to say what a stack file may hold. There are no alternatives (`oneOf`): a value that may be
 * of several kinds lists them as types, so that each problem is told once.
 */
export interface Schema {
  /** `#/$defs/NAME`; then nothing else of this schema counts but what editors show. */
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: SchemaType | readonly SchemaType[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema | true>>;
  /** Absent: every other member is welcome. */
  readonly additionalProperties?: Schema | false;
  readonly required?: readonly string[];
  readonly items?: Schema;
  /** What was expected here, for messages. */
  readonly 'x-expected'?: string;
  /** What a member's name is made of, for messages. */
  readonly 'x-names'?: string;
}

type SchemaType = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'array' | 'object';

/** One thing that does not fit. */
export interface Mismatch {
  readonly kind: 'type' | 'enum' | 'pattern' | 'required' | 'additional';
  /** What is missing or not expected: the name of a member. */
  readonly member?: string;
  readonly node: Tree;
  /** The place of the node's key, where it is the member of a mapping. */
  readonly key: Span | undefined;
  /** `services.web.ports[0]`; empty for the whole file. */
  readonly path: string;
  /** Of which the node does not fit. */
  readonly schema: Schema;
}

interface Place {
  readonly parent: Place | undefined;
  readonly step: string | number;
  readonly key: Span | undefined;
}

interface Check {
  readonly root: Schema;
  readonly mismatches: Mismatch[];
  readonly extensions: ExtensionMember[];
}

/** A member that a schema allows by its beginning, `x-`, with the way to it from the top. */
export interface ExtensionMember {
  readonly path: readonly (string | number)[];
  readonly value: Tree;
}

/** Everything in which a tree does not fit a schema, from the top down, and the extensions that are in it. */
export function checkSchema(
  root: Schema,
  tree: Tree,
): {readonly mismatches: readonly Mismatch[]; readonly extensions: readonly ExtensionMember[]} {
  const check: Check = {root, mismatches: [], extensions: []};
  visit(tree, root, undefined, check);
  return check;
}

function visit(node: Tree, stated: Schema, place: Place | undefined, check: Check): void {
  const schema = stated.$ref === undefined ? stated : definition(stated.$ref, check.root);
  const fail = (kind: Mismatch['kind'], member?: string): void => {
    check.mismatches.push({
      kind,
      node,
      key: place?.key,
      path: pathOf(place),
      schema,
      ...(member === undefined ? {} : {member}),
    });
  };
  if (schema.type !== undefined && !hasType(node, schema.type)) fail('type');
  else if (schema.enum !== undefined && node.kind === 'scalar' && !schema.enum.includes(node.value)) fail('enum');
  else if (schema.pattern !== undefined && isText(node) && !expression(schema.pattern).test(node.value))
    fail('pattern');
  else if (node.kind === 'mapping') visitMembers(node, schema, {place, check, fail});
  else if (node.kind === 'sequence' && schema.items !== undefined) {
    const {items} = schema;
    node.items.forEach((item, step) => {
      visit(item, items, {parent: place, step, key: undefined}, check);
    });
  }
}

interface MemberContext {
  readonly place: Place | undefined;
  readonly check: Check;
  readonly fail: (kind: Mismatch['kind'], member?: string) => void;
}

function visitMembers(node: MappingNode, schema: Schema, {place, check, fail}: MemberContext): void {
  for (const name of schema.required ?? []) if (!node.entries.has(name)) fail('required', name);
  for (const [step, {key, value}] of node.entries) {
    const member = memberSchema(schema, step);
    if (member === false) fail('additional', step);
    else if (member !== true) visit(value, member, {parent: place, step, key}, check);
    else if (step.startsWith('x-')) check.extensions.push({path: [...stepsOf(place), step], value});
  }
}

function memberSchema(schema: Schema, name: string): Schema | boolean {
  const {properties, patternProperties, additionalProperties = true} = schema;
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name] ?? true;
  for (const pattern in patternProperties) {
    if (expression(pattern).test(name)) return patternProperties[pattern] ?? true;
  }
  return additionalProperties;
}

const expressions = new Map<string, RegExp>();

function expression(pattern: string): RegExp {
  const known = expressions.get(pattern) ?? new RegExp(pattern);
  expressions.set(pattern, known);
  return known;
}

function definition(reference: string, root: Schema): Schema {
  return root.$defs?.[reference.slice('#/$defs/'.length)] ?? {};
}

function hasType(node: Tree, type: SchemaType | readonly SchemaType[]): boolean {
  return typeof type === 'string' ? isOfType(node, type) : type.some((one) => isOfType(node, one));
}

function isOfType(node: Tree, type: SchemaType): boolean {
  if (node.kind === 'mapping') return type === 'object';
  if (node.kind === 'sequence') return type === 'array';
  const {value} = node;
  if (type === 'null') return value === null;
  if (type === 'integer') return Number.isInteger(value);
  return type === 'number' ? Number.isFinite(value) : type === typeof value && value !== null;
}

function stepsOf(place: Place | undefined): readonly (string | number)[] {
  return place === undefined ? [] : [...stepsOf(place.parent), place.step];
}

function pathOf(place: Place | undefined): string {
  if (place === undefined) return '';
  const before = pathOf(place.parent);
  if (typeof place.step === 'number') return `${before}[${place.step}]`;
  return before === '' ? place.step : `${before}.${place.step}`;
}
