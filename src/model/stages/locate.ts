import {basename, dirname, isAbsolute, join, relative, resolve} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';
import type {FileSource} from '../../base/file-source.ts';
import type {Problems} from '../problems.ts';
import type {SourceFile} from '../source.ts';
import {parseEnvironmentFile} from './dotenv.ts';

export interface LocateRequest {
  /** `-f`, in order; `-` is standard input. */
  readonly files?: readonly string[] | undefined;
  /** `--env-file`, in order. */
  readonly environmentFiles?: readonly string[] | undefined;
  readonly projectDirectory?: string | undefined;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Located {
  readonly files: readonly SourceFile[];
  /** Absolute. */
  readonly directory: string;
  /** Those given by flag or variable; absolute. */
  readonly environmentFiles: readonly string[];
  /** The process's environment, and below it what environment files say. */
  readonly environment: ReadonlyMap<string, string>;
}

const fileNames = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];
const overrideNames = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
];

interface Search {
  readonly request: LocateRequest;
  readonly source: FileSource;
  readonly problems: Problems;
  readonly environment: Map<string, string>;
}

/**
 * Finds and reads the stack files, and the environment that their variables are looked up in. The environment file is
 * read first beside the caller, since it may name the stack files, then beside the stack file; what is set stays.
 */
export async function locateStack(request: LocateRequest, source: FileSource, problems: Problems): Promise<Located> {
  const environment = new Map<string, string>();
  for (const [name, value] of Object.entries(request.environment))
    if (value !== undefined) environment.set(name, value);
  const search: Search = {request, source, problems, environment};
  const given = await readEnvironmentFiles(search, firstDirectory(search));
  const names = namedFiles(search);
  const found = names === undefined ? await searchUpwards(search) : undefined;
  const paths =
    names?.map((name) => (name === '-' ? name : resolve(request.workingDirectory, name))) ?? found?.paths ?? [];
  const directory = projectDirectory(search, paths);
  if (given === undefined) await readDefaultEnvironment(search, directory);
  const files: SourceFile[] = [];
  for (const [index, path] of paths.entries()) files.push(await readStackFile(path, names?.[index], search));
  return {files, directory, environmentFiles: given ?? [], environment};
}

function firstDirectory({request}: Search): string {
  if (request.projectDirectory !== undefined) return resolve(request.workingDirectory, request.projectDirectory);
  const [first] = request.files ?? [];
  return first === undefined || first === '-'
    ? request.workingDirectory
    : dirname(resolve(request.workingDirectory, first));
}

function projectDirectory(search: Search, paths: readonly string[]): string {
  const {request} = search;
  if (request.projectDirectory !== undefined) return resolve(request.workingDirectory, request.projectDirectory);
  const first = paths.find((path) => path !== '-');
  return first === undefined ? request.workingDirectory : dirname(first);
}

/** Reads the environment files that were asked for and answers their paths; else the `.env` of a directory. */
async function readEnvironmentFiles(search: Search, directory: string): Promise<readonly string[] | undefined> {
  const {request, environment} = search;
  const listed = (environment.get('COMPOSE_ENV_FILES') ?? '').split(',').filter((name) => name !== '');
  const names =
    request.environmentFiles !== undefined && request.environmentFiles.length > 0 ? request.environmentFiles : listed;
  if (names.length === 0) {
    await readDefaultEnvironment(search, directory);
    return undefined;
  }
  const paths = names.map((name) => resolve(request.workingDirectory, name));
  await readInto(search, paths);
  return paths;
}

async function readDefaultEnvironment(search: Search, directory: string): Promise<void> {
  if (/^(?:1|t|true)$/i.test(search.environment.get('COMPOSE_DISABLE_ENV_FILE') ?? '')) return;
  const path = join(directory, '.env');
  if (await search.source.isFile(path)) await readInto(search, [path]);
}

/** Later files win over earlier ones, and what is set already over all of them. */
async function readInto({request, source, problems, environment}: Search, paths: readonly string[]): Promise<void> {
  const values = new Map<string, string>();
  for (const path of paths) {
    const file = await readSource(path, {
      source,
      shown: shownPath(path, request.workingDirectory),
      what: 'environment file',
    });
    const lookup = (name: string): string | undefined => environment.get(name);
    const below = (name: string): string | undefined => values.get(name);
    for (const [name, {value}] of parseEnvironmentFile(file, {lookup, below, problems})) values.set(name, value);
  }
  for (const [name, value] of values) if (!environment.has(name)) environment.set(name, value);
}

function namedFiles({request, environment}: Search): readonly string[] | undefined {
  if (request.files !== undefined && request.files.length > 0) return request.files;
  const named = environment.get('COMPOSE_FILE');
  if (named === undefined || named === '') return undefined;
  const separator = environment.get('COMPOSE_PATH_SEPARATOR');
  return named.split(separator === undefined || separator === '' ? ':' : separator).filter((name) => name !== '');
}

/** The nearest directory, upwards, that has a stack file; beside it an override file is taken too. */
async function searchUpwards(search: Search): Promise<{readonly paths: readonly string[]}> {
  const {request, problems, source} = search;
  const start =
    request.projectDirectory === undefined
      ? request.workingDirectory
      : resolve(request.workingDirectory, request.projectDirectory);
  for (let directory = start; ; directory = dirname(directory)) {
    const files = await existing(source, directory, fileNames);
    const [first] = files;
    if (first !== undefined) {
      const overrides = await existing(source, directory, overrideNames);
      for (const group of [files, overrides]) {
        if (group.length > 1) {
          const names = group.map((path) => basename(path)).join(', ');
          problems.warning(undefined, {
            code: 'several-files',
            message: `found ${names}: using ${basename(group[0] ?? '')}`,
            hint: 'name the file with -f',
          });
        }
      }
      return {paths: [first, ...overrides.slice(0, 1)]};
    }
    if (dirname(directory) === directory) break;
  }
  throw new TscomposeError('notFound', `no stack file in ${start} or any directory above it`, {
    hint: 'make a compose.yaml, or name a file with -f',
    exitCode: 65,
  });
}

async function existing(source: FileSource, directory: string, names: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of names) if (await source.isFile(join(directory, name))) found.push(join(directory, name));
  return found;
}

async function readStackFile(path: string, given: string | undefined, {request, source}: Search): Promise<SourceFile> {
  if (path === '-') {
    const text = decode(await source.readStandardInput(), 'standard input');
    return {path: '-', shown: '<stdin>', text};
  }
  return readSource(path, {source, shown: given ?? shownPath(path, request.workingDirectory), what: 'stack file'});
}

/** Reads a file of text; `what` says what it was wanted for. Throws the file source's error, or `invalid` for no text. */
export async function readSource(
  path: string,
  {source, shown, what}: {readonly source: FileSource; readonly shown: string; readonly what: string},
): Promise<SourceFile> {
  let bytes: Uint8Array;
  try {
    bytes = await source.readBytes(path);
  } catch (cause) {
    if (!(cause instanceof TscomposeError)) throw cause;
    const reason = cause.message.replace(/^cannot read .*: /, '');
    throw new TscomposeError(cause.kind, `cannot read ${what} "${shown}": ${reason}`, {cause, exitCode: 65});
  }
  return {path, shown, text: decode(bytes, shown)};
}

function decode(bytes: Uint8Array, shown: string): string {
  try {
    return new TextDecoder('utf-8', {fatal: true}).decode(bytes);
  } catch (cause) {
    throw new TscomposeError('invalid', `"${shown}" is not UTF-8 text`, {cause});
  }
}

/** Short where the file is at or below the caller's directory. */
export function shownPath(path: string, workingDirectory: string): string {
  const short = relative(workingDirectory, path);
  return short === '' || short.startsWith('..') || isAbsolute(short) ? path : short;
}
