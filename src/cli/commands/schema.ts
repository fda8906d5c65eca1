import {existsSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {TscomposeError} from '../../base/errors.ts';
import type {CliContext} from '../context.ts';

/** Prints the schema that comes with the package, as it lies there. */
export async function runSchema(context: CliContext): Promise<number> {
  context.stdout.write(readFileSync(schemaPath(), 'utf8'));
  return 0;
}

/** Beside the directory of the built program, or at the root of the sources. */
function schemaPath(): string {
  for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
    const path = join(directory, 'schemas', 'stack.schema.json');
    if (existsSync(path)) return path;
    if (dirname(directory) === directory)
      throw new TscomposeError('internal', 'the schema of stack files is missing from the installation');
  }
}
