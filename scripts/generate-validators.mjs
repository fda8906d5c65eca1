// Makes of every JSON schema what the program checks with.
//   schemas/record/NAME.schema.json -> src/engine/generated/record-validators.js, export validateName (NAME in camel case):
//     compiled ahead of time, since compiling with ajv at each start would cost 340 ms of CPU.
//   schemas/registries.schema.json  -> src/engine/generated/settings-validators.js, the same way.
//   schemas/{stack,lock}.schema.json -> src/model/generated/{stack,lock}-schema.js, exports stackSchema and lockSchema: without
//     what only editors read. They are walked, not compiled: the code that ajv makes of it is so long that reading it costs more than walking, and a walk knows places.
import {existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {Ajv} from 'ajv';
import {Ajv2020} from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import {build} from 'esbuild';

const project = new URL('..', import.meta.url).pathname;
const suffix = '.schema.json';

const declarations = `/** A schema's check: true for a value that fits; what does not fit is told by \`errors\` until the next call. */
export interface ValidationError {
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
  readonly data?: unknown;
  readonly parentSchema?: unknown;
}
export interface Validator {
  (value: unknown): boolean;
  errors?: readonly ValidationError[] | null;
}
`;

/** The modules to write, each with the schemas it is compiled from. */
function modules() {
  const found = [];
  const records = schemasIn('schemas/record');
  if (records.length > 0) {
    // A record is ours and either fits or is damaged: the first problem is enough.
    found.push({output: 'src/engine/generated/record-validators.js', schemas: records, options: {}});
  }
  const settings = schemasIn('schemas').filter(({name}) => name === 'registries');
  found.push({output: 'src/engine/generated/settings-validators.js', schemas: settings, options: {}});
  return found;
}

function schemasIn(directory) {
  const path = join(project, directory);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((file) => file.endsWith(suffix))
    .sort()
    .map((file) => {
      const name = file.slice(0, -suffix.length);
      const camel = name.replace(/-(\w)/g, (_match, letter) => letter.toUpperCase());
      return {
        name,
        exported: `validate${camel[0].toUpperCase()}${camel.slice(1)}`,
        schema: JSON.parse(readFileSync(join(path, file), 'utf8')),
      };
    });
}

async function compile({schemas, options}) {
  const newest = schemas.some(({schema}) => String(schema.$schema).includes('2020-12'));
  const ajv = new (newest ? Ajv2020 : Ajv)({
    strict: false,
    validateFormats: false,
    code: {source: true, esm: true, lines: true},
    ...options,
  });
  const names = {};
  for (const {name, exported, schema} of schemas) {
    const key = schema.$id ?? `${name}${suffix}`;
    ajv.addSchema(schema, key);
    names[exported] = key;
  }
  const source = standaloneCode(ajv, names);
  // Bundled, since the code asks for small helpers of ajv, and ajv is no dependency of the installed package.
  const {outputFiles} = await build({
    stdin: {contents: source, resolveDir: project, loader: 'js'},
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['main'],
    target: 'node20.19',
    logLevel: 'warning',
  });
  const types = [declarations, ...schemas.map(({exported}) => `export declare const ${exported}: Validator;`), ''].join(
    '\n',
  );
  return {code: outputFiles[0].text, types};
}

/** Whoever runs beside us sees the old file or the new one, and nothing is rewritten that is the same. */
function put(path, text) {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  mkdirSync(dirname(path), {recursive: true});
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

/** Only what `src/model/schema-check.ts` looks at, and what its messages say. */
const checked = new Set([
  '$ref',
  'type',
  'enum',
  'pattern',
  'required',
  'additionalProperties',
  'items',
  'x-expected',
  'x-names',
  'patternProperties',
]);

function forChecking(schema) {
  if (typeof schema !== 'object' || schema === null) return schema;
  const named = (members) =>
    Object.fromEntries(Object.entries(members).map(([name, member]) => [name, forChecking(member)]));
  return Object.fromEntries(
    Object.entries(schema).flatMap(([keyword, value]) => {
      if (['properties', '$defs', 'patternProperties'].includes(keyword)) return [[keyword, named(value)]];
      if (['items', 'additionalProperties'].includes(keyword)) return [[keyword, forChecking(value)]];
      return checked.has(keyword) ? [[keyword, value]] : [];
    }),
  );
}

function putWalkedSchema(name) {
  const schema = JSON.parse(readFileSync(join(project, `schemas/${name}.schema.json`), 'utf8'));
  // A text to parse is read faster than code.
  const text = JSON.stringify(JSON.stringify(forChecking(schema)));
  const path = join(project, `src/model/generated/${name}-schema`);
  put(`${path}.js`, `export const ${name}Schema = JSON.parse(${text});\n`);
  put(
    `${path}.d.ts`,
    `import type {Schema} from '../schema-check.ts';\n\nexport declare const ${name}Schema: Schema;\n`,
  );
  for (const old of ['js', 'd.ts']) rmSync(join(project, `src/model/generated/stack-validator.${old}`), {force: true});
}

export async function generateValidators() {
  putWalkedSchema('stack');
  putWalkedSchema('lock');
  for (const module of modules()) {
    const {code, types} = await compile(module);
    const path = join(project, module.output);
    put(path, code);
    put(path.replace(/\.js$/, '.d.ts'), types);
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await generateValidators();
