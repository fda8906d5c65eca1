import {readFileSync} from 'node:fs';
import {isDeepStrictEqual} from 'node:util';
import {describe, expect, it} from 'vitest';
import {renderProject} from '../../../src/model/render.ts';
import type {Project} from '../../../src/model/types.ts';
import {attributeDifferences} from '../config-differences.ts';
import {load} from '../memory-files.ts';
import {type AttributeRow, environment, filesOf, readRows, valueAt} from './attribute-row.mjs';
import {differenceOf, loweredOf} from './lowered.ts';

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema | boolean>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

type Answer = {readonly value: unknown} | {readonly refused: string};

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
const schema = read('../../../schemas/stack.schema.json') as Schema;
const recorded = read('../../recorded/attributes.json') as {
  readonly rows: Readonly<Record<string, {readonly expanded: Answer; readonly merged: Answer}>>;
};
const rows = readRows();

/** Every member that the schema names, by the path from the top: `services.*.ports[].target`. */
function pathsOf(
  {$ref, properties = {}, patternProperties = {}, additionalProperties, items}: Schema,
  path: string,
): string[] {
  if ($ref !== undefined) return pathsOf(schema.$defs?.[$ref.slice('#/$defs/'.length)] ?? {}, path);
  const named = Object.entries(properties).flatMap(([name, child]) => {
    const below = path === '' ? name : `${path}.${name}`;
    return [below, ...pathsOf(child, below)];
  });
  const any = [additionalProperties, ...Object.values(patternProperties)];
  return [
    ...named,
    ...(items === undefined ? [] : pathsOf(items, `${path}[]`)),
    ...any.flatMap((child) => (typeof child === 'object' ? pathsOf(child, `${path}.*`) : [])),
  ];
}

async function projectOf(row: AttributeRow, names: readonly string[], allResources: boolean): Promise<Project> {
  const files = Object.entries(filesOf(row)).map(([name, text]) => [`/stack/${name}`, text] as const);
  const {project} = await load(Object.fromEntries(files), {
    files: names.map((name) => `${name}.yaml`),
    environment,
    profiles: row.profiles,
    allResources,
  });
  return project;
}

async function printedOf(path: string, row: AttributeRow, names: readonly string[]): Promise<unknown> {
  const project = await projectOf(row, names, false);
  return valueAt(row.printed === false ? project : JSON.parse(renderProject(project, 'json')), path);
}

describe('the rows', () => {
  it('are the attributes of the schema: none is missing, none too many', () => {
    const paths = pathsOf(schema, '');
    expect(paths.length).toBeGreaterThan(350);
    expect([...rows.keys()].sort()).toEqual([...new Set(paths)].sort());
  });
});

describe.each([...rows])('%s', (path, row) => {
  it('is expanded', async () => {
    expect(await printedOf(path, row, ['first'])).toEqual(row.expanded);
  });

  it('is merged', async () => {
    expect(await printedOf(path, row, ['first', 'second'])).toEqual(row.merged);
  });

  it('is lowered', async () => {
    const [plain, first] = await Promise.all([projectOf(row, ['plain'], true), projectOf(row, ['first'], true)]);
    const lowered = differenceOf(loweredOf(plain, row.remote), loweredOf(first, row.remote));
    const nothing = Object.keys(row.lowered as object).length === 0;
    const whole = row.ofService && !nothing ? {services: {web: row.lowered}} : row.lowered;
    expect(lowered ?? {}).toEqual(whole);
  });
});

describe('Compose', () => {
  /** What a table says is compared: the tests above compare it with what we do. */
  function agrees(path: string, {expanded, merged, printed}: AttributeRow): boolean {
    if (printed === false) return true;
    const theirs = recorded.rows[path];
    return isDeepStrictEqual([theirs?.expanded, theirs?.merged], [{value: expanded}, {value: merged}]);
  }

  const excused = Object.keys(attributeDifferences);
  const reasonOf = (path: string): string | undefined => excused.find((prefix) => path.startsWith(prefix));

  it('has answered to every row', () => {
    expect(Object.keys(recorded.rows).sort()).toEqual([...rows.keys()].sort());
  });

  it('says the same, but for the differences that have a reason', () => {
    const odd = [...rows].filter(([path, row]) => !agrees(path, row) && reasonOf(path) === undefined);
    expect(odd.map(([path]) => path)).toEqual([]);
  });

  it.each(excused)('differs at %s', (prefix) => {
    const different = [...rows].filter(([path, row]) => path.startsWith(prefix) && !agrees(path, row));
    expect(different.length).toBeGreaterThan(0);
  });
});
