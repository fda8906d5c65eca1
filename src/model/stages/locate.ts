import {basename, dirname, extname, join, resolve} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';
import type {FileSource} from '../../base/file-source.ts';
import type {Problems} from '../problems.ts';
import type {SourceFile} from '../source.ts';
import {type Environment, processEnvironment, withEnvironmentFiles} from './environment.ts';
import {isRemote, readSource, readStandardInput, remoteHint, shownPath} from './source-file.ts';
import {extendVariables, type OnLookup} from './watched-variables.ts';

export interface LocateRequest {
  /** `-f`, in order; `-` is standard input. */
  readonly files?: readonly string[] | undefined;
  /** `--env-file`, in order. */
  readonly environmentFiles?: readonly string[] | undefined;
  readonly projectDirectory?: string | undefined;
  /** `--env`: adds `compose.NAME.yaml` and `.env.NAME` on top; `TSCOMPOSE_ENV` counts where it is not given. */
  readonly stage?: string | undefined;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Bytes that a stack file may have. */
  readonly maxFileSize?: number | undefined;
  /** Told which variables the stack depends on. */
  readonly onLookup?: OnLookup | undefined;
}

export interface Located {
  readonly files: readonly SourceFile[];
  /** Absolute. */
  readonly directory: string;
  /** Those given by flag or variable; absolute. */
  readonly environmentFiles: readonly string[];
  readonly environment: Environment;
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
  environment: Environment;
}

/**
 * Finds and reads the stack files, and the environment that their variables are looked up in. The environment file is
 * read first beside the caller, since it may name the stack files, then beside the stack file; what is set stays.
 */
export async function locateStack(request: LocateRequest, source: FileSource, problems: Problems): Promise<Located> {
  const search: Search = {
    request,
    source,
    problems,
    environment: processEnvironment(request.environment, request.onLookup),
  };
  const stage = await readStageEnvironment(search, firstDirectory(search));
  const given = await readEnvironmentFiles(search, firstDirectory(search));
  const named = namedFiles(search);
  const names = named?.map((name) => (name === '-' ? name : resolve(request.workingDirectory, name)));
  const paths = names ?? (await searchUpwards(search));
  const directory = projectDirectory(search, paths);
  if (given === undefined) await readDefaultEnvironment(search, directory);
  const onTop = await stageFiles(stage, {search, directory, first: paths[0]});
  const files: SourceFile[] = [];
  for (const [index, path] of [...paths, ...onTop].entries())
    files.push(await readStackFile(path, named?.[index], search));
  return {files, directory, environmentFiles: given ?? [], environment: search.environment};
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

/** The environment that was asked for by name, and whether it has a file of variables. */
interface Stage {
  readonly name: string;
  readonly hasVariables: boolean;
}

/** Read before all other files of variables, as those that are read first win. */
async function readStageEnvironment(search: Search, directory: string): Promise<Stage | undefined> {
  const {request, environment} = search;
  const name = request.stage ?? environment.values.get('TSCOMPOSE_ENV');
  if (name === undefined || name === '') return undefined;
  if (!/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/.test(name)) {
    throw new TscomposeError('invalid', `"${name}" cannot be the name of an environment`, {
      hint: 'use letters, digits, ".", "_" and "-"',
      exitCode: 64,
    });
  }
  const values = extendVariables(environment.values, [['TSCOMPOSE_ENV', name]]);
  search.environment = {...environment, values};
  const path = await nearest(search, directory, `.env.${name}`);
  if (path !== undefined) await readInto(search, [path]);
  return {name, hasVariables: path !== undefined};
}

/** The file of variables lies beside the stack file, which is looked for upwards where none is named. */
async function nearest({request, source}: Search, start: string, name: string): Promise<string | undefined> {
  const upwards = (request.files ?? []).length === 0 && request.projectDirectory === undefined;
  for (let directory = start; ; directory = dirname(directory)) {
    const path = join(directory, name);
    if (await source.isFile(path)) return path;
    if (!upwards || dirname(directory) === directory) return undefined;
    if ((await existing(source, directory, fileNames)).length > 0) return undefined;
  }
}

interface StagePlace {
  readonly search: Search;
  readonly directory: string;
  readonly first: string | undefined;
}

/** `compose.NAME.yaml` beside the stack file, or named like it: `shop.NAME.yaml` for `shop.yaml`. */
async function stageFiles(
  stage: Stage | undefined,
  {search, directory, first}: StagePlace,
): Promise<readonly string[]> {
  if (stage === undefined) return [];
  const own = first === undefined || first === '-' ? [] : [basename(first, extname(first))];
  const stems = [...new Set([...own, 'compose', 'docker-compose'])];
  const names = stems.flatMap((stem) => [`${stem}.${stage.name}.yaml`, `${stem}.${stage.name}.yml`]);
  const [found] = await existing(search.source, directory, names);
  if (found !== undefined) return [found];
  if (stage.hasVariables) return [];
  const known = await knownStages(search, directory);
  throw new TscomposeError(
    'notFound',
    `there is no environment "${stage.name}": neither ${names[0]} nor .env.${stage.name} is in ${directory}`,
    {hint: known ?? `create ${names[0]}, or remove --env`, exitCode: 65},
  );
}

/** Usual names that are there, for a hint: a directory is never listed. */
async function knownStages({source}: Search, directory: string): Promise<string | undefined> {
  const usual = ['dev', 'development', 'test', 'ci', 'stage', 'staging', 'prod', 'production', 'local'];
  const found: string[] = [];
  for (const name of usual) {
    const names = [`compose.${name}.yaml`, `compose.${name}.yml`, `docker-compose.${name}.yml`, `.env.${name}`];
    if ((await existing(source, directory, names)).length > 0) found.push(`"${name}"`);
  }
  return found.length === 0 ? undefined : `there is ${found.join(', ')}`;
}

/** Reads the environment files that were asked for and answers their paths; else the `.env` of a directory. */
async function readEnvironmentFiles(search: Search, directory: string): Promise<readonly string[] | undefined> {
  const {request, environment} = search;
  const listed = (environment.values.get('COMPOSE_ENV_FILES') ?? '').split(',').filter((name) => name !== '');
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
  if (/^(?:1|t|true)$/i.test(search.environment.values.get('COMPOSE_DISABLE_ENV_FILE') ?? '')) return;
  const path = join(directory, '.env');
  if (await search.source.isFile(path)) await readInto(search, [path]);
}

async function readInto(search: Search, paths: readonly string[]): Promise<void> {
  const {source, problems, request} = search;
  search.environment = await withEnvironmentFiles(search.environment, paths, {
    source,
    problems,
    workingDirectory: request.workingDirectory,
    maxFileSize: request.maxFileSize,
  });
}

function namedFiles({request, environment}: Search): readonly string[] | undefined {
  if (request.files !== undefined && request.files.length > 0) return request.files.map(refuseRemote);
  const named = environment.values.get('COMPOSE_FILE');
  if (named === undefined || named === '') return undefined;
  // Before it is taken apart: an address has colons itself.
  refuseRemote(named);
  const separator = environment.values.get('COMPOSE_PATH_SEPARATOR');
  return named
    .split(separator === undefined || separator === '' ? ':' : separator)
    .filter((name) => name !== '')
    .map(refuseRemote);
}

function refuseRemote(name: string): string {
  if (!isRemote(name)) return name;
  throw new TscomposeError(
    'unsupported',
    `"${name}" is on another machine, and remote stack files are not supported yet`,
    {
      hint: remoteHint,
      exitCode: 65,
    },
  );
}

/** The nearest directory, upwards, that has a stack file; beside it an override file is taken too. */
async function searchUpwards(search: Search): Promise<readonly string[]> {
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
      return [first, ...overrides.slice(0, 1)];
    }
    if (dirname(directory) === directory) break;
  }
  throw new TscomposeError('notFound', `no stack file in ${start} or any directory above it`, {
    hint: 'create a compose.yaml, or name a file with -f',
    exitCode: 65,
  });
}

async function existing(source: FileSource, directory: string, names: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of names) if (await source.isFile(join(directory, name))) found.push(join(directory, name));
  return found;
}

async function readStackFile(path: string, given: string | undefined, {request, source}: Search): Promise<SourceFile> {
  const {maxFileSize, workingDirectory} = request;
  if (path === '-') return readStandardInput(source, maxFileSize);
  const shown = given ?? shownPath(path, workingDirectory);
  const hint = 'check the path given to -f';
  return readSource(path, {source, shown, what: 'stack file', maxFileSize, hint});
}
