import {readFileSync} from 'node:fs';
import {Ajv} from 'ajv';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {attributeTable} from '../../src/model/attributes/index.ts';
import {stackSchema} from '../../src/model/generated/stack-schema.js';
import {createProblems} from '../../src/model/problems.ts';
import {checkSchema} from '../../src/model/schema-check.ts';
import {parseStackFile} from '../../src/model/stages/parse.ts';
import type {Tree} from '../../src/model/tree.ts';
import {toPlain} from '../../src/model/tree.ts';

interface Schema {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly $ref?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema | boolean>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly 'x-expected'?: string;
}

const schema = JSON.parse(readFileSync(new URL('../../schemas/stack.schema.json', import.meta.url), 'utf8')) as Schema;
const service = schema.$defs?.['service']?.properties ?? {};

function walk(node: Schema, path: string, visit: (node: Schema, path: string) => void): void {
  visit(node, path);
  for (const group of ['properties', 'patternProperties', '$defs'] as const) {
    for (const [name, child] of Object.entries(node[group] ?? {})) {
      if (typeof child === 'object') walk(child, `${path}.${name}`, visit);
    }
  }
  if (typeof node.additionalProperties === 'object') walk(node.additionalProperties, `${path}.*`, visit);
  if (node.items !== undefined) walk(node.items, `${path}[]`, visit);
}

function treeOf(value: unknown): Tree {
  const file = {path: '/stack/compose.yaml', shown: 'compose.yaml', text: JSON.stringify(value)};
  const [tree] = parseStackFile(file, createProblems());
  if (tree === undefined) throw new Error('no tree');
  return tree;
}

function mismatches(value: unknown): readonly string[] {
  return checkSchema(stackSchema, treeOf(value)).mismatches.map(({kind, path, member}) =>
    `${kind} ${path} ${member ?? ''}`.trim(),
  );
}

describe('the schema of stack files', () => {
  it('and the table of attributes say the same', () => {
    // "extends" is gone before attributes are read.
    expect(Object.keys(service).sort()).toEqual([...attributeTable.keys(), 'extends'].sort());
    expect(Object.keys(service).length).toBe(93);
  });

  it('says of everything what it is, and has no alternatives that would tell one problem several times', () => {
    let seen = 0;
    walk(schema, '', (node, path) => {
      for (const keyword of ['oneOf', 'anyOf', 'allOf', 'if', 'not']) expect(node, path).not.toHaveProperty(keyword);
      for (const [member, child] of Object.entries(node.properties ?? {})) {
        seen += 1;
        expect(child.description, `${path}.${member}`).toMatch(/.[.]$/);
        expect(child.type !== undefined || child.$ref !== undefined, `${path}.${member} has a type`).toBe(true);
      }
      if (node.type !== undefined) expect(node['x-expected'], `${path} says what is expected`).toBeTypeOf('string');
    });
    expect(seen).toBeGreaterThan(250);
  });

  it('gives editors a default or an example for every attribute that is no mapping of its own', () => {
    const bare = Object.entries(service).filter(
      ([, {type, default: value, examples, enum: values, $ref}]) =>
        type !== 'object' &&
        $ref === undefined &&
        value === undefined &&
        examples === undefined &&
        values === undefined,
    );
    expect(bare.map(([name]) => name).sort()).toEqual([]);
  });

  it('has examples and defaults that it accepts itself', () => {
    const ajv = new Ajv({strict: false});
    ajv.addSchema(schema, 'stack');
    walk(schema, '', (node, path) => {
      for (const example of node.examples ?? []) {
        const {examples: _, default: _default, ...bare} = node;
        const validate = ajv.compile({...bare, $defs: schema.$defs});
        expect(validate(example), `${path}: ${JSON.stringify(example)}`).toBe(true);
      }
    });
  });

  it('leads with every reference to a definition', () => {
    walk(schema, '', ({$ref}, path) => {
      if ($ref !== undefined) expect(schema.$defs, path).toHaveProperty($ref.slice('#/$defs/'.length));
    });
  });

  it('accepts extensions at every level that has named members', () => {
    expect(
      mismatches({
        'x-a': 1,
        services: {web: {image: 'x', 'x-b': {c: [1]}, deploy: {'x-d': 1}, healthcheck: {'x-e': 1}, build: {'x-f': 1}}},
      }),
    ).toEqual([]);
  });
});

describe('checking a tree against it', () => {
  const ajv = new Ajv({strict: false, allErrors: true}).compile(schema);

  /** What a general validator says, in the same words. */
  function expected(value: unknown): readonly string[] {
    if (ajv(value)) return [];
    return (ajv.errors ?? []).map(({keyword, instancePath, params}) => {
      const steps = instancePath.split('/').slice(1);
      const path = steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')).join('.');
      const kinds: Readonly<Record<string, string>> = {additionalProperties: 'additional'};
      const member = params['missingProperty'] ?? params['additionalProperty'] ?? '';
      return `${kinds[keyword] ?? keyword} ${path} ${member}`.trim();
    });
  }

  const dotted = (list: readonly string[]): readonly string[] =>
    list.map((line) => line.replaceAll(/\[(\d+)\]/g, '.$1')).sort();

  const names = Object.keys(service);
  const scalar = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constant('all'),
    fc.constant('1g'),
  );
  const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    value: fc.oneof(
      {depthSize: 'small'},
      scalar,
      fc.array(tie('value'), {maxLength: 3}),
      fc.dictionary(
        fc.oneof(
          fc.constantFrom('source', 'target', 'x-y', 'command', 'path', 'soft', 'hard', 'driver', 'limits'),
          fc.string(),
        ),
        tie('value'),
        {maxKeys: 4},
      ),
    ),
  })).value;

  it('says what a general validator says, for random services', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value, {maxKeys: 6}), (web) => {
        const tree = treeOf({services: {web}});
        const plain = toPlain(tree);
        const ours = checkSchema(stackSchema, tree).mismatches.map(({kind, path, member = ''}) =>
          `${kind} ${path} ${member}`.trim(),
        );
        // Minimum and maximum stand in the schema for editors only: readers say them better.
        const theirs = expected(plain).filter((line) => !/^(?:minimum|maximum) /.test(line));
        // Of a value of another type we say nothing else.
        const once = theirs.filter(
          (line) => !/^(?:enum|pattern) /.test(line) || !theirs.includes(line.replace(/^\w+/, 'type')),
        );
        expect(dotted(ours)).toEqual(dotted(once));
      }),
      {numRuns: 1500},
    );
  });

  it.each([
    [{services: {web: {build: {dockerfil: 'x'}}}}, ['additional services.web.build dockerfil']],
    [{services: {web: {devices: [{target: '/dev/x'}]}}}, ['required services.web.devices[0] source']],
    [{services: {web: {cgroup: 'mine'}}}, ['enum services.web.cgroup']],
    [{services: {web: {container_name: '-'}}}, ['pattern services.web.container_name']],
    [{services: {'a b': {}}}, ['additional services a b']],
    [{services: {web: {image: 1, ports: 'x'}}}, ['type services.web.image', 'type services.web.ports']],
    [{models: {m: {}}}, ['required models.m model']],
    [{include: [{env_file: 'x'}]}, ['required include[0] path']],
  ])('%j', (stack, problems) => {
    expect(mismatches(stack)).toEqual(problems);
  });
});
