// Compiles every JSON schema to a validator ahead of time: compiling with ajv at each start would cost 340 ms of CPU.
//   schemas/record/NAME.schema.json -> src/engine/generated/record-validators.js, export validateName (NAME in camel case)
//   schemas/NAME.schema.json        -> src/model/generated/NAME-validator.js, export validateName
import {existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
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
  for (const schema of schemasIn('schemas')) {
    // A stack file is a person's: all problems at once, with the values and the schema that tell what was expected.
    found.push({
      output: `src/model/generated/${schema.name}-validator.js`,
      schemas: [schema],
      options: {allErrors: true, verbose: true},
    });
  }
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

export async function generateValidators() {
  for (const module of modules()) {
    const {code, types} = await compile(module);
    const path = join(project, module.output);
    put(path, code);
    put(path.replace(/\.js$/, '.d.ts'), types);
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await generateValidators();
