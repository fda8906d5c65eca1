import {sha256Hex} from '../../base/canonical-json.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {FileSource} from '../../base/file-source.ts';
import type {Problems} from '../problems.ts';
import {type SourceFile, type Span, withStep} from '../source.ts';
import type {Entry, Tree} from '../tree.ts';
import {isNull, mapEntries, scalar} from '../tree.ts';
import type {EnvFile, FileObject} from '../types.ts';
import {parseEnvironmentFile, parseRawEnvironmentFile} from './dotenv.ts';
import type {Environment} from './environment.ts';
import {scalarText} from './scalars.ts';
import {readSource, shownPath} from './source-file.ts';

export interface ResolveContext {
  readonly source: FileSource;
  readonly problems: Problems;
  /** The project's environment. */
  readonly environment: Environment;
  /** Environments of included configs and secrets by `secrets.NAME`. */
  readonly environments: ReadonlyMap<string, Environment>;
  readonly workingDirectory: string;
  readonly maxFileSize?: number | undefined;
}

/**
 * A service's environment with nothing open: variables without a value take the project's, and below them stand those of
 * the environment files. Each keeps its place, in the stack file or in an environment file.
 */
export async function resolveEnvironment(
  stated: Tree | undefined,
  files: readonly {readonly file: EnvFile; readonly at: Span}[],
  context: ResolveContext,
): Promise<Tree | undefined> {
  const own = resolveValueless(stated, context);
  if (files.length === 0) return own;
  const merged = new Map<string, Entry>();
  const lookup = (name: string): string | undefined => context.environment.values.get(name) ?? textAt(own, name);
  const below = (name: string): string | undefined => textOf(merged.get(name)?.value);
  for (const {file, at} of files) {
    const text = await readEnvFile(file, at, context);
    if (text === undefined) continue;
    const parse = file.format === 'raw' ? parseRawEnvironmentFile : parseEnvironmentFile;
    for (const [name, entry] of parse(text, {lookup, below, problems: context.problems})) {
      merged.set(name, {key: entry.at, value: scalar(entry.value, entry.at)});
    }
  }
  if (own?.kind === 'mapping') for (const [name, entry] of own.entries) merged.set(name, entry);
  const at = own?.at ?? files[0]?.at;
  return at === undefined || merged.size === 0 ? own : {kind: 'mapping', entries: merged, at};
}

function textAt(node: Tree | undefined, name: string): string | undefined {
  return node?.kind === 'mapping' ? textOf(node.entries.get(name)?.value) : undefined;
}

function textOf(node: Tree | undefined): string | undefined {
  return node?.kind === 'scalar' && node.value !== null ? scalarText(node.value) : undefined;
}

function resolveValueless(stated: Tree | undefined, {environment}: ResolveContext): Tree | undefined {
  if (stated?.kind !== 'mapping') return stated;
  return mapEntries(stated, (node, name, key) => {
    const value = isNull(node) ? environment.values.get(name) : undefined;
    if (value === undefined) return node;
    const from = environment.places.get(name);
    return scalar(value, withStep(key, {kind: 'variable', use: {name, took: 'value', from}}));
  });
}

async function readEnvFile(
  file: EnvFile,
  at: Span,
  {source, problems, workingDirectory, maxFileSize}: ResolveContext,
): Promise<SourceFile | undefined> {
  if (!file.required && !(await source.isFile(file.path))) return undefined;
  try {
    return await readSource(file.path, {
      source,
      shown: shownPath(file.path, workingDirectory),
      what: 'environment file',
      maxFileSize,
    });
  } catch (error) {
    if (!(error instanceof TscomposeError)) throw error;
    problems.error(at, {
      code: 'unreadable-file',
      message: error.message,
      hint: error.hint ?? `create the file, or make it optional: env_file: [{path: ${written(at)}, required: false}]`,
    });
    return undefined;
  }
}

/** The path as it stands in the file, where it stands there alone. */
function written({source, start, end}: Span): string {
  const text = source.text.slice(start, end).trim();
  return /^[^\s:{}[\],]+$/.test(text) ? text : 'FILE';
}

/** Bytes of a config or secret: it is kept in memory on its way, and what is larger is no setting. */
const mostContent = 16 * 1024 * 1024;

export interface FileObjectPlace {
  /** `secrets.db_password`. */
  readonly where: string;
  readonly at: Span | undefined;
  /** Report a source that is not there; else it is left without a digest. */
  readonly required: boolean;
}

/** A config or secret with the digest of its content. */
export async function resolveFileObject(
  object: FileObject,
  {where, at, required}: FileObjectPlace,
  context: ResolveContext,
): Promise<FileObject> {
  if (object.content !== undefined) return {...object, digest: digestOf(object.content)};
  if (object.environment !== undefined) {
    const value = (context.environments.get(where) ?? context.environment).values.get(object.environment);
    if (value !== undefined) return {...object, value, digest: digestOf(value)};
    if (required) {
      context.problems.error(at, {
        code: 'unset-variable',
        message: `${where}: the environment variable ${object.environment} is not set`,
        hint: 'set it in .env or in the environment',
      });
    }
    return object;
  }
  if (object.file === undefined) return object;
  try {
    const bytes = await context.source.readBytes(object.file, mostContent + 1);
    if (bytes.length <= mostContent) return {...object, digest: digestOf(bytes)};
    throw new TscomposeError('invalid', `it has more than ${mostContent} bytes`);
  } catch (error) {
    if (!(error instanceof TscomposeError)) throw error;
    if (required) {
      const reason = error.message.replace(/^cannot read .*: /, '');
      context.problems.error(at, {
        code: 'unreadable-file',
        message: `${where}: cannot read "${shownPath(object.file, context.workingDirectory)}": ${reason}`,
        hint: 'create the file, or correct the path in "file"',
      });
    }
    return object;
  }
}

function digestOf(content: string | Uint8Array): string {
  return `sha256:${sha256Hex(content)}`;
}
